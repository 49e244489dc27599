"""Two-step sign-in: the code at the door, and setting it up on one's own page."""

from __future__ import annotations

from flask import g, request
from werkzeug.wrappers import Response as AnyResponse

from app.team import door, two_step
from app.team.blueprint import bp
from app.team.two_step import Answer
from app.tenancy import User, in_menu, public, requires
from app.tenancy.guard import open_without_second_step
from app.words import N_


@bp.get("/sign-in/code")
@public
def second_step() -> str | AnyResponse:
    return two_step.ask_for_code(User)


@bp.post("/sign-in/code")
@public
def take_code() -> Answer:
    return two_step.take_code(User, door.onward(request.args.get("next", "")))


@bp.get("/t/<tenant_slug>/account/two-step", endpoint="two_step")
@in_menu(
    "settings",
    N_("Two-step sign-in"),
    "shield-check",
    order=241,
    group="you",
    hint=N_("A code from your phone, beside the password."),
)
@requires("account.manage")
@open_without_second_step
def show_two_step() -> str:
    return two_step.two_step_page(g.membership.user)


@bp.post("/t/<tenant_slug>/account/two-step/secret")
@requires("account.manage")
@open_without_second_step
def prepare_two_step() -> AnyResponse:
    return two_step.prepare(g.membership.user)


@bp.post("/t/<tenant_slug>/account/two-step")
@requires("account.manage")
@open_without_second_step
def turn_on_two_step() -> Answer:
    return two_step.turn_on(g.membership.user)


@bp.post("/t/<tenant_slug>/account/two-step/recovery-codes")
@requires("account.manage")
def make_recovery_codes() -> Answer:
    return two_step.make_recovery_codes(g.membership.user)


@bp.post("/t/<tenant_slug>/account/two-step/removal")
@requires("account.manage")
def turn_off_two_step() -> Answer:
    return two_step.turn_off(g.membership.user)
