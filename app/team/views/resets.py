"""Password resets, by a link in a mail."""

from __future__ import annotations

import time

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.team import door
from app.team.blueprint import bp
from app.team.forms import EmailForm, NewPasswordForm
from app.team.models import PasswordReset, SignInAttempt
from app.tenancy import global_scope, public

ANSWER_SECONDS = 0.3


@bp.get("/forgotten-password")
@public
def forgotten_password() -> str:
    return render_template("team/forgotten_password.html", form=EmailForm(formdata=None))


@bp.post("/forgotten-password")
@public
def request_reset() -> tuple[str, int] | str:
    form = EmailForm()
    if not form.validate():
        return render_template("team/forgotten_password.html", form=form), 422
    began = time.monotonic()
    SignInAttempt.claim(f"reset {form.email.data}", door.client_ip())
    with global_scope():
        PasswordReset.request(form.email.data)
    # Whoever asks learns nothing, not even by the clock, about who has an account.
    time.sleep(max(0.0, ANSWER_SECONDS - (time.monotonic() - began)))
    return render_template("team/mail_sent.html", email=form.email.data)


@bp.get("/new-password")
@public
def new_password() -> tuple[str, int] | str:
    if (reset := PasswordReset.find(request.args.get("token", ""))) is None:
        return dead_link()
    return render_template("team/new_password.html", form=NewPasswordForm(formdata=None), reset=reset)


@bp.post("/new-password")
@public
def set_new_password() -> tuple[str, int] | AnyResponse:
    if (reset := PasswordReset.find(request.form.get("token", ""))) is None:
        return dead_link()
    form = NewPasswordForm()
    form.email_of_owner = reset.user.email
    if not form.validate():
        return render_template("team/new_password.html", form=form, reset=reset), 422
    if not reset.use(form.password.data):
        return dead_link()
    door.end_session()
    flash(_("Password set. Sign in with it."))
    return redirect(url_for("team.sign_in"), 303)


def dead_link() -> tuple[str, int]:
    return render_template("team/dead_link.html"), 410
