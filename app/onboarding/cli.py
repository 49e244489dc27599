"""`flask numbers …`: connects a number with an existing token."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app.tenancy import commit, db, global_scope, tenant_scope
from app.tenancy.limits import OverLimit
from app.tenancy.models import TenantSlug
from app.wabas.models import PhoneNumber, Waba
from app.wabas.routes import OwnedElsewhere

from .models import Onboarding
from .run import Run

numbers = AppGroup("numbers", help="WhatsApp numbers.")


@numbers.command("connect")
@click.option("--tenant", "slug", required=True, help="The tenant's slug.")
@click.option("--waba-id", required=True, help="Meta's id of the WhatsApp Business Account.")
@click.option("--phone-number-id", required=True, help="Meta's id of the number.")
@click.option("--display-number", required=True, help="The number as people write it.")
@click.option("--token", required=True, help="The client's business token.")
@click.option("--without-meta", is_flag=True, help="Only record it as connected: for load tests.")
def connect(slug: str, waba_id: str, phone_number_id: str, display_number: str, token: str, without_meta: bool) -> None:
    """Connect a number, step by step. Safe to repeat."""
    with global_scope():
        tenant_id = db.session.scalar(select(TenantSlug.tenant_id).where(TenantSlug.slug == slug))
    if tenant_id is None:
        raise click.ClickException(f"There is no tenant “{slug}”.")
    with tenant_scope(tenant_id):
        if without_meta:
            record(waba_id, phone_number_id, display_number, token)
        else:
            run(waba_id, phone_number_id, token)


def record(waba_id: str, phone_number_id: str, display_number: str, token: str) -> None:
    try:
        waba = Waba.claim(waba_id)
        number = PhoneNumber.claim(waba, phone_number_id, display_number)
    except OwnedElsewhere:
        raise click.ClickException("Another tenant has connected this number.") from None
    except OverLimit as over:
        raise click.ClickException(over.words) from None
    waba.token = token
    number.connect()
    click.echo(f"{display_number} is recorded as connected. Meta was not asked.")


def run(waba_id: str, phone_number_id: str, token: str) -> None:
    onboarding = Onboarding.with_token(token, waba_id, phone_number_id, by=None, source="token")
    commit()
    Run(onboarding).go()
    for step in onboarding.steps:
        sentences = [step.trouble.get(name, "") for name in ("title", "fix")]
        sentences = [text % step.trouble["facts"] for text in sentences] if "facts" in step.trouble else sentences
        words = " ".join(filter(None, (step.note, *sentences, step.trouble.get("details"))))
        click.echo(f"{step.state:8} {step.title}{': ' if words else ''}{words}")
    if onboarding.state != "connected":
        raise click.ClickException("The number is not connected yet. Fix what is named above and run this again.")
