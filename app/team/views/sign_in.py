"""Signing in and out, and choosing a business."""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.team import door, two_step
from app.team.blueprint import bp
from app.team.forms import SignInForm
from app.team.hashing import TooBusy
from app.team.models import TooManyTries
from app.team.models.businesses import businesses_of
from app.tenancy import User, public, signed_in


@bp.get("/sign-in")
@public
def sign_in() -> str | AnyResponse:
    if current_user.is_authenticated:
        return redirect(door.onward(request.args.get("next", "")), 303)
    form = SignInForm(formdata=None)
    form.problem = two_step.why_again()
    return render_template("team/sign_in.html", form=form, has_ended="_user_id" in session)


@bp.post("/sign-in")
@public
def begin_session() -> tuple[str, int] | AnyResponse:
    form = SignInForm()
    if form.validate():
        if who := door.check(User, form.email.data, form.password.data):
            return door.let_in(who, door.onward(request.args.get("next", "")))
        form.problem = _("Wrong email or password. Check both, or set a new password.")
    return render_template("team/sign_in.html", form=form), 422


@bp.post("/sign-out")
@public
def sign_out() -> AnyResponse:
    door.end_session()
    target = request.form.get("next", "")
    return redirect(target if door.is_ours(target) else url_for("team.sign_in"), 303)


@bp.get("/businesses")
@signed_in
def businesses() -> str | AnyResponse:
    if current_user.is_platform_admin:
        return redirect(url_for("front.home"), 303)
    return render_template("team/businesses.html", businesses=businesses_of(current_user))


@bp.app_errorhandler(TooManyTries)
def too_many_tries(error: TooManyTries) -> Response:
    response = make_response(render_template("team/too_many_tries.html", minutes=error.minutes), 429)
    response.headers["Retry-After"] = str(error.minutes * 60)
    return response


@bp.app_errorhandler(TooBusy)
def too_busy(_error: TooBusy) -> Response:
    response = make_response(render_template("team/too_busy.html"), 429)
    response.headers["Retry-After"] = "5"
    return response
