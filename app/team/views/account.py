"""One's own account: name, password, sessions, and the other businesses."""

from __future__ import annotations

import uuid
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.team import door, passwords
from app.team.blueprint import bp
from app.team.forms import ChangePasswordForm, ConfirmationForm, LanguageForm, NameForm
from app.team.models import UserSession, set_password
from app.team.models.businesses import businesses_of
from app.templating import in_language_of
from app.tenancy import User, db, guard, in_menu, requires
from app.words import N_


@bp.get("/t/<tenant_slug>/account")
@in_menu(
    "settings", N_("Name"), "circle-user", order=201, group="you", hint=N_("What your team sees."), anchor="your-name"
)
@in_menu(
    "settings",
    N_("Language"),
    "languages",
    order=202,
    group="you",
    hint=N_("Of pages, emails and notifications."),
    anchor="your-language",
)
@in_menu(
    "settings",
    N_("Time zone"),
    "clock",
    order=203,
    group="you",
    hint=N_("In which you see times."),
    anchor="your-time-zone",
)
@in_menu(
    "settings",
    N_("Availability"),
    "moon",
    order=204,
    group="you",
    hint=N_("Set yourself as away: no conversations are assigned to you."),
    anchor="presence",
)
@in_menu("settings", N_("Password"), "key-round", order=240, group="you", hint=N_("Change it."), anchor="your-password")
@in_menu(
    "settings",
    N_("Where you are signed in"),
    "monitor-smartphone",
    order=242,
    group="you",
    hint=N_("Your devices. Sign out the ones you no longer use."),
    anchor="sessions",
)
@in_menu(
    "settings",
    N_("Your businesses"),
    "store",
    order=243,
    group="you",
    hint=N_("Switch to another one, or set one up."),
    anchor="businesses",
)
@in_menu("rail", N_("You"), "circle-user", order=99, covers=("/push",))
@requires("account.manage")
def account() -> str:
    return account_page()


def account_page(**forms: Any) -> str:
    user = g.membership.user
    return render_template(
        "team/account.html",
        user=user,
        name_form=forms.get("name") or NameForm(formdata=None, obj=user),
        language_form=forms.get("language") or LanguageForm(formdata=None, obj=user),
        password_form=forms.get("password") or ChangePasswordForm(formdata=None),
        sessions=db.session.scalars(UserSession.of(user)).all(),
        this_session=UserSession.find(session["_user_id"]),
        businesses=businesses_of(user),
    )


@bp.post("/t/<tenant_slug>/account/name")
@requires("account.manage")
def change_name() -> tuple[str, int] | AnyResponse:
    form = NameForm()
    if not form.validate():
        return account_page(name=form), 422
    g.membership.user.name = form.name.data
    flash(_("Name saved."))
    return redirect(url_for("team.account"), 303)


@bp.post("/t/<tenant_slug>/account/language")
@requires("account.manage")
def change_language() -> tuple[str, int] | AnyResponse:
    form = LanguageForm()
    if not form.validate():
        return account_page(language=form), 422
    g.membership.user.language = form.language.data or None
    # This request is still in the language before.
    with in_language_of(g.membership.user):
        flash(_("Language saved."))
    return redirect(url_for("team.account"), 303)


@bp.post("/t/<tenant_slug>/account/password")
@requires("account.manage")
def change_password() -> tuple[str, int] | AnyResponse:
    user, form = g.membership.user, ChangePasswordForm()
    form.email_of_owner = user.email
    if not form.validate():
        return account_page(password=form), 422
    if not door.check(User, user.email, form.current.data):
        form.current.errors = [_("This isn't your current password.")]
        return account_page(password=form), 422
    set_password(user, passwords.hash_password(form.password.data))
    door.renew_session(user)
    flash(_("Password changed. You are signed out everywhere else."))
    return redirect(url_for("team.account"), 303)


@bp.post("/t/<tenant_slug>/account/sessions/<uuid:session_id>/end")
@requires("account.manage")
def end_session(session_id: uuid.UUID) -> AnyResponse:
    if not UserSession.end_one(g.membership.user, session_id):
        abort(404)
    flash(_("Device signed out."))
    return redirect(url_for("team.account"), 303)


@bp.post("/t/<tenant_slug>/account/sessions/end")
@requires("account.manage")
def end_other_sessions() -> AnyResponse:
    UserSession.end_all(g.membership.user, but=session["_user_id"])
    flash(_("You are signed out everywhere else."))
    return redirect(url_for("team.account"), 303)


@bp.get("/t/<tenant_slug>/account/confirmation")
@requires("account.manage")
def confirm() -> str:
    return render_template("team/confirmation.html", form=ConfirmationForm(formdata=None), user=g.membership.user)


@bp.post("/t/<tenant_slug>/account/confirmation")
@requires("account.manage")
def confirm_password() -> tuple[str, int] | AnyResponse:
    user, form = g.membership.user, ConfirmationForm()
    valid = form.validate()
    if valid and door.check(User, user.email, form.password.data):
        guard.confirm()
        flash(_("Confirmed. You can continue now."))
        return redirect(door.onward(request.args.get("next", "")), 303)
    if valid:
        form.password.errors = [_("This isn't your password.")]
    return render_template("team/confirmation.html", form=form, user=user), 422
