"""Signing up: an address is confirmed by mail, and only then somebody founds their business."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.team import door, passwords
from app.team.blueprint import bp
from app.team.forms import BusinessForm, EmailForm, FirstBusinessForm
from app.team.models import EmailConfirmation
from app.team.models.businesses import businesses_of
from app.tenancy import User, commit, public, signed_in, uuid7


@bp.get("/sign-up")
@public
def sign_up() -> str | AnyResponse:
    if current_user.is_authenticated and not current_user.is_platform_admin:
        return redirect(url_for("team.new_business"), 303)
    return render_template("team/sign_up.html", form=EmailForm(formdata=None))


@bp.post("/sign-up")
@public
def request_sign_up() -> tuple[str, int] | str:
    """The same page for every address: it does not say who has an account."""
    form = EmailForm()
    if not form.validate():
        return render_template("team/sign_up.html", form=form), 422
    EmailConfirmation.request(form.email.data, ip=door.client_ip())
    return render_template("team/sign_up_mailed.html", email=form.email.data, is_again="again" in request.form)


@bp.get("/sign-up/business")
@public
def begin_business() -> tuple[str, int] | str | AnyResponse:
    confirmation = EmailConfirmation.behind(token())
    if confirmation is None or confirmation.used_at:
        return redirect(url_for("front.home"), 303) if is_founder(confirmation) else dead_link()
    return render_template("team/first_business.html", form=FirstBusinessForm(formdata=None), confirmation=confirmation)


@bp.post("/sign-up/business")
@public
def create_business() -> tuple[str, int] | str | AnyResponse:
    if (confirmation := EmailConfirmation.behind(token())) is None:
        return dead_link()
    form = FirstBusinessForm()
    form.email_of_owner = confirmation.email
    if not form.validate():
        return render_template("team/first_business.html", form=form, confirmation=confirmation), 422
    commit()
    password_hash = passwords.hash_password(form.password.data)
    owner = User(id=uuid7(), email=confirmation.email, name=form.name.data, password_hash=password_hash)
    if tenant := confirmation.redeem(form.business.data, owner):
        return door.let_in(owner, url_for("tenancy.home", tenant_slug=tenant.slug))
    # The second of two clicks, or an invitation was accepted in the meantime.
    if who := door.check(User, confirmation.email, form.password.data):
        return door.let_in(who, url_for("front.home"))
    return dead_link()


@bp.get("/businesses/new")
@signed_in
def new_business() -> str | AnyResponse:
    if current_user.is_platform_admin:
        return redirect(url_for("front.home"), 303)
    return render_template("team/new_business.html", form=BusinessForm(formdata=None))


@bp.post("/businesses/new")
@signed_in
def add_business() -> tuple[str, int] | AnyResponse:
    if current_user.is_platform_admin:
        return redirect(url_for("front.home"), 303)
    form = BusinessForm()
    if not form.validate():
        return render_template("team/new_business.html", form=form), 422
    name = form.business.data
    # The first of two clicks may have founded it.
    tenant = next((mine for mine in businesses_of(current_user) if mine.name.casefold() == name.casefold()), None)
    tenant = tenant or EmailConfirmation.create_another(name, current_user, ip=door.client_ip())
    return redirect(url_for("tenancy.home", tenant_slug=tenant.slug), 303)


def is_founder(confirmation: EmailConfirmation | None) -> bool:
    return bool(confirmation and current_user.is_authenticated and current_user.email == confirmation.email)


def token() -> str:
    return request.values.get("token", "")


def dead_link() -> tuple[str, int]:
    return render_template("team/dead_sign_up.html"), 410
