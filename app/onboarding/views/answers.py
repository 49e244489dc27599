"""What a person, or the Facebook window in their browser, posts: on the tenant's page and by a setup link alike."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from flask import Response, redirect, request
from flask_babel import get_locale
from werkzeug.wrappers import Response as AnyResponse

from app.onboarding.blueprint import bp, setup
from app.onboarding.forms import Form, HostedForm, NewNumberForm, PinForm, VerificationCodeForm, VerificationForm
from app.onboarding.holding import Holding
from app.onboarding.hosted import Hosted, check_soon
from app.onboarding.models import Onboarding
from app.onboarding.sign_up import SignUp
from app.tenancy import public, requires

from .onboarding import page_of
from .page import Page
from .setup import page_behind

# A form with errors, a response for a script, another attempt to go to, or None to show the page again.
Answer = Callable[[Onboarding], Form | Response | Onboarding | None]

LONGEST_CODE = 2_000


def answer(path: str) -> Callable[[Answer], Answer]:
    """Adds a view to both blueprints, under this path and the function's own name."""

    def add(view: Answer) -> Answer:
        @bp.post(f"/<uuid:onboarding_id>/{path}", endpoint=view.__name__)
        @requires("numbers.manage")
        def from_member(onboarding_id: uuid.UUID) -> AnyResponse:
            return respond(page_of(onboarding_id), view)

        @setup.post(f"/{path}", endpoint=view.__name__)
        @public
        def by_link(token: str) -> AnyResponse:
            with page_behind(token) as page:
                return respond(page, view)

        return view

    return add


def respond(page: Page, view: Answer) -> AnyResponse:
    match view(page.onboarding):
        case Form() as refused:
            return page.render(refused)
        case Onboarding() as other:
            return page.move_to(other)
        case Response() as response:
            return response
    return redirect(page.at("show"), 303)


@answer("code")
def receive_code(onboarding: Onboarding) -> Response | Onboarding:
    if 0 < len(code := posted_text("code")) <= LONGEST_CODE:
        taken = SignUp(onboarding).receive_code(code)
        if taken.id != onboarding.id:
            return taken
    return Response(status=204)


@answer("session-info")
def receive_claims(onboarding: Onboarding) -> Response:
    SignUp(onboarding).receive_claims(posted_text("event"), posted())
    return Response(status=204)


@answer("cancellation")
def cancel(onboarding: Onboarding) -> Response:
    report = {name: posted_text(name)[:500] for name in ("error_message", "error_id") if posted_text(name)}
    SignUp(onboarding).cancel(posted_text("current_step"), report)
    return Response(status=204)


@answer("number")
def choose_number(onboarding: Onboarding) -> None:
    Holding(onboarding).choose_number(posted_text("phone_number_id"))


@answer("pin")
def enter_pin(onboarding: Onboarding) -> Form | None:
    form = PinForm()
    if not form.validate():
        return form
    Holding(onboarding).enter_pin(form.pin.data or "")
    return None


@answer("new-number")
def add_number(onboarding: Onboarding) -> Form | None:
    form = NewNumberForm()
    if not form.validate():
        return form
    calling_code, number, name = str(form.calling_code.data), str(form.number.data), str(form.name.data)
    Holding(onboarding).add_number(calling_code, number, name, migrate=bool(form.migrate.data))
    return None


@answer("verification")
def send_code(onboarding: Onboarding) -> Form | None:
    form = VerificationForm()
    if not form.validate():
        return form
    Holding(onboarding).send_code(form.method.data, str(get_locale() or "en_US"))
    return None


@answer("verification-code")
def enter_code(onboarding: Onboarding) -> Form | None:
    form = VerificationCodeForm()
    if not form.validate():
        return form
    Holding(onboarding).enter_code(form.code.data or "")
    return None


@answer("recheck")
def recheck(onboarding: Onboarding) -> None:
    Holding(onboarding).recheck()


@answer("hosted")
def wait_for_account(onboarding: Onboarding) -> Form | None:
    form = HostedForm()
    if not form.validate():
        return form
    Hosted(onboarding).wait_for_account(form.phone.wa_id)
    return None


@answer("hosted-look")
def check_for_account(_onboarding: Onboarding) -> None:
    check_soon()


@answer("hosted-end")
def cancel_hosted(onboarding: Onboarding) -> None:
    Hosted(onboarding).cancel()


def posted() -> dict[str, Any]:
    """What was posted, as a form or as JSON."""
    body = request.json_object or request.form.to_dict()  # type: ignore[attr-defined]
    return body if isinstance(body, dict) else {}


def posted_text(name: str) -> str:
    value = posted().get(name)
    return str(value) if isinstance(value, str | int) else ""
