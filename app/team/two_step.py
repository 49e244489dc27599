"""The pages of two-step sign-in. The console has the same, for its own people."""

from __future__ import annotations

import base64
from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.qr import qr_image
from app.team import door
from app.team.forms import CodeForm, SecondStepForm
from app.team.models import PlatformAdmin, SecondStep, SecondStepChange
from app.team.models.people import scope_of
from app.tenancy import User, db
from app.tenancy.guard import lacks_second_step

Answer = tuple[str, int] | AnyResponse
SHOWN = 10
# In the cookie: the secret that this browser sets up. Another one, into which somebody has got, neither sees it nor has
# its own turned on.
SETTING_UP = "second_step"


def ask_for_code(kind: type[User | PlatformAdmin]) -> str | AnyResponse:
    try:
        door.pending_sign_in(kind)
    except door.StartAgain:
        return start_again(kind)
    return code_page(kind, CodeForm(formdata=None))


def take_code(kind: type[User | PlatformAdmin], target: str) -> Answer:
    form = CodeForm()
    try:
        if not form.validate():
            door.pending_sign_in(kind)
            return code_page(kind, form), 422
        if answer := door.let_in_with_code(kind, form.code.data, target):
            return answer
    except door.StartAgain:
        return start_again(kind)
    form.code.errors = [wrong_code()]
    return code_page(kind, form), 422


def code_page(kind: type[User | PlatformAdmin], form: CodeForm) -> str:
    is_recovery = "recovery" in request.args
    return render_template("team/second_step.html", area=door.area_of(kind), form=form, is_recovery=is_recovery)


def start_again(kind: type[User | PlatformAdmin]) -> AnyResponse:
    session.pop("pending_sign_in", None)
    session["starts_again"] = True
    return redirect(url_for(f"{door.area_of(kind)}.sign_in", next=request.args.get("next")), 303)


def why_again() -> str:
    """What the page to sign in says above its fields to who was sent back from the second step; "" to all others."""
    if not session.pop("starts_again", False):
        return ""
    return str(_("Sign in again. The code wasn't entered within five minutes, or too many codes were wrong."))


def wrong_code() -> str:
    return str(_("This code doesn't work. Enter the latest code from your app, or a recovery code you haven't used."))


def two_step_page(who: User | PlatformAdmin, form: SecondStepForm | None = None, codes: list[str] | None = None) -> str:
    """How it is now; with `codes`, the recovery codes that are shown this once."""
    with scope_of(type(who)):
        step = SecondStep.of(who)
        changes = db.session.scalars(SecondStepChange.of(who).limit(SHOWN)).all()
    facts: dict[str, Any] = {"who": who, "area": door.area_of(type(who)), "changes": changes, "codes": codes or []}
    facts["form"] = form or SecondStepForm(formdata=None)
    facts["next"] = request.args.get("next", "")
    facts["onward"] = facts["next"] if door.is_ours(facts["next"]) else ""
    facts["download"] = download_of(codes or [])
    if step:
        facts["codes_left"] = len(step.recovery_hashes)
        if who.second_step_at is None and str(step.id) == session.get(SETTING_UP):
            facts["spelt"], facts["qr"] = step.spelt, qr_image(step.address(who.email))
    if who.is_platform_admin:
        return render_template("platform/two_step.html", **facts)
    is_first = lacks_second_step() or bool(codes and facts["onward"])
    return render_template("team/first_two_step.html" if is_first else "team/two_step.html", **facts)


def download_of(codes: list[str]) -> str:
    """The codes as the address of a file, so that they are stored nowhere."""
    text = "\n".join([_("Recovery codes for Switchboard. Each works once."), "", *codes, ""])
    return f"data:text/plain;charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"


def prepare(who: User | PlatformAdmin) -> AnyResponse:
    session[SETTING_UP] = SecondStep.prepare(who)
    return back_to(who)


def turn_on(who: User | PlatformAdmin) -> Answer:
    form = SecondStepForm()
    if not knows_password(form, who):
        return two_step_page(who, form), 422
    if who.second_step_at:
        return back_to(who)
    attempt = door.claim_code(who)
    codes = SecondStep.turn_on(who, session.get(SETTING_UP), form.code.data, session=session["_user_id"])
    if not codes:
        form.code.errors = [_("This code doesn't work. Enter the latest code from your app.")]
        return two_step_page(who, form), 422
    attempt.withdraw()
    return two_step_page(who, codes=codes), 200


def make_recovery_codes(who: User | PlatformAdmin) -> Answer:
    form = SecondStepForm()
    if not is_proved(form, who):
        return two_step_page(who, form), 422
    return two_step_page(who, codes=SecondStep.make_recovery_codes(who)), 200


def turn_off(who: User | PlatformAdmin) -> Answer:
    form = SecondStepForm()
    if not is_proved(form, who):
        return two_step_page(who, form), 422
    SecondStep.turn_off(who, session=session["_user_id"])
    flash(_("Two-step sign-in is off. You are signed out everywhere else."))
    return back_to(who)


def is_proved(form: SecondStepForm, who: User | PlatformAdmin) -> bool:
    """By the password and a code, which is used up then."""
    if not knows_password(form, who):
        return False
    if not door.check_code(who, form.code.data):
        form.code.errors = [wrong_code()]
        return False
    return True


def knows_password(form: SecondStepForm, who: User | PlatformAdmin) -> bool:
    if not form.validate():
        return False
    if not door.check(type(who), who.email, form.password.data):
        form.password.errors = [_("This isn't your password.")]
        return False
    return True


def back_to(who: User | PlatformAdmin) -> AnyResponse:
    return redirect(url_for(f"{door.area_of(type(who))}.two_step", next=request.args.get("next")), 303)
