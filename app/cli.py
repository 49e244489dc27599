"""Commands for whoever runs Switchboard: `flask --help`. One group per noun; each may be run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy import NullPool, create_engine

from app.billing.cli import ledger, rates
from app.bootstrap import bootstrap
from app.extensions import outside
from app.onboarding.cli import numbers
from app.platform.doctor import Finding, examine
from app.team import passwords
from app.team.models import PlatformAdmin, SecondStep, businesses
from app.team.models.people import normal_email, with_email
from app.tenancy import User, commit, db, driver, global_scope, platform_scope, uuid7
from app.tenancy.cluster import Cluster, NotACluster

tenants = AppGroup("tenants", help="Client businesses.")
platform_admins = AppGroup("platform-admins", help="Admins of the platform.")


def init_app(app: Flask) -> None:
    for group in (tenants, platform_admins, numbers, rates, ledger):
        app.cli.add_command(group)

    @app.cli.command("doctor")
    def run_doctor() -> None:
        """Check everything this installation needs, and say what to fix."""
        findings = []
        for finding in findings_now():
            findings.append(finding)
            click.echo(f"{'ok ' if finding.is_well else 'BAD'}  {finding.title}: {finding.words}")
            if finding.fix:
                click.echo(f"     {finding.fix}")
        if not all(finding.is_well for finding in findings):
            raise click.ClickException("Some checks failed.")

    @app.cli.command("bootstrap")
    @click.option("--superuser-url", required=True, help="A Postgres superuser's address, used this once.")
    def create_database_and_roles(superuser_url: str) -> None:
        """Create the database and its three roles."""
        bootstrap(superuser_url, outside(app).settings)
        click.echo("The database and its roles are ready. Next: flask db upgrade")

    @app.cli.command("distribute")
    def distribute_tables() -> None:
        """Make an installation on Citus a cluster. Stop web, workers and clock first; it may be run again."""
        url = driver(outside(app).settings.migrations_database_url)
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            try:
                cluster = Cluster(connection)
            except NotACluster:
                raise click.ClickException(NO_CITUS) from None
            for step in cluster.distribute():
                connection.commit()
                click.echo(step)
        click.echo("Every table is in its place. Start web, workers and clock, and run flask doctor.")


NO_CITUS = (
    "This Postgres has no Citus, so nothing was changed. One Postgres needs no distributing. For a cluster, install "
    "Citus on every machine, add it to shared_preload_libraries, and run CREATE EXTENSION citus in this database."
)


def findings_now() -> Iterator[Finding]:
    with global_scope():
        yield from examine()


def validate_with(check: Callable[[str], Any]) -> Callable[..., Any]:
    """Turns what an option says into what it means, or ends with the reason why it will not do."""

    def callback(_context: click.Context, _option: click.Parameter, value: str | None) -> Any:
        try:
            return value if value is None else check(value)
        except ValueError as problem:
            raise click.BadParameter(str(problem)) from None

    return callback


@tenants.command("create")
@click.option("--name", required=True, callback=validate_with(str.strip))
@click.option("--slug", required=True, callback=validate_with(businesses.checked_slug), help="As in /t/<slug>/.")
@click.option("--owner-email", required=True, callback=validate_with(normal_email))
@click.option("--owner-name", default="")
@click.option("--password", help="The owner's. Without it an invitation link is printed.")
def create_tenant(name: str, slug: str, owner_email: str, owner_name: str, password: str | None) -> None:
    """Create a business with its owner."""
    with global_scope():
        tenant = businesses.with_slug(slug)
        if tenant and businesses.has_owner(tenant):
            click.echo(f"There is a tenant {slug} already ({tenant.name}). Nothing was changed.")
            return
        commit()
        newcomer = new_user(owner_email, owner_name, password) if password else None
        tenant = tenant or businesses.create_business(name, None, slug=slug)
        if newcomer is None:
            link = businesses.invite_first_owner(tenant, owner_email)
            click.echo(f"Tenant {slug} waits for its owner. This link works for a week:\n{link}")
            return
        owner = with_email(User, owner_email)
        businesses.give_to(tenant, owner or newcomer)
    click.echo(f"Tenant {slug} is ready. {owner_email} owns it{' with their existing password' if owner else ''}.")


@platform_admins.command("create")
@click.option("--email", required=True, callback=validate_with(normal_email))
@click.option("--name", default="")
@click.option("--password", help="Asked for if it is left out.")
def create_platform_admin(email: str, name: str, password: str | None) -> None:
    """Let somebody into the platform console."""
    with platform_scope("platform-admins create"):
        if with_email(PlatformAdmin, email):
            click.echo(f"{email} is a platform admin already. Nothing was changed.")
            return
    password = password or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    check_password(password, email)
    password_hash = passwords.hash_password(password)
    with platform_scope("platform-admins create"):
        db.session.add(PlatformAdmin(email=email, name=name or name_from(email), password_hash=password_hash))
    click.echo(f"{email} may sign in to the platform console.")


@platform_admins.command("reset-two-step")
@click.option("--email", required=True, callback=validate_with(normal_email))
def reset_two_step(email: str) -> None:
    """Turn off the two-step sign-in of an admin who has lost it, where no other admins can approve that."""
    with platform_scope("platform-admins reset-two-step"):
        admin = with_email(PlatformAdmin, email)
        if admin is None or admin.second_step_at is None:
            click.echo(f"{email} is no platform admin with two-step sign-in. Nothing was changed.")
            return
        SecondStep.turn_off(admin, kind="reset")
    click.echo(f"{email} signs in with the password alone, and is signed out everywhere. A mail says so.")


def new_user(email: str, name: str, password: str) -> User:
    check_password(password, email)
    return User(id=uuid7(), email=email, name=name or name_from(email), password_hash=passwords.hash_password(password))


def name_from(email: str) -> str:
    return email.partition("@")[0].title()


def check_password(password: str, email: str) -> None:
    try:
        passwords.check(password, email)
    except passwords.TooEasy as problem:
        raise click.ClickException(f"Password: {problem}") from None
