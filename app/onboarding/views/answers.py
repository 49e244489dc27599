"""What a person, or the Facebook window in their browser, posts: on the tenant's page and by a setup link alike."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_babel import get_locale
from werkzeug.wrappers import Response as AnyResponse

from app.onboarding.forms import HostedForm, NewNumberForm, PinForm, VerificationCodeForm, VerificationForm
from app.onboarding.holding import Holding
from app.onboarding.hosted import Hosted, check_soon
from app.onboarding.sign_up import SignUp

from .page import Page, answer

LONGEST_CODE = 2_000


@answer("code")
def receive_code(page: Page) -> Response:
    if 0 < len(code := posted_text("code")) <= LONGEST_CODE:
        taken = SignUp(page.onboarding).receive_code(code)
        if taken.id != page.onboarding.id:
            return page.move_to(taken)
    return Response(status=204)


@answer("session-info")
def receive_claims(page: Page) -> Response:
    SignUp(page.onboarding).receive_claims(posted_text("event"), posted())
    return Response(status=204)


@answer("cancellation")
def cancel(page: Page) -> Response:
    report = {name: posted_text(name)[:500] for name in ("error_message", "error_id") if posted_text(name)}
    SignUp(page.onboarding).cancel(posted_text("current_step"), report)
    return Response(status=204)


@answer("number")
def choose_number(page: Page) -> AnyResponse:
    Holding(page.onboarding).choose_number(posted_text("phone_number_id"))
    return page.back()


@answer("pin")
def enter_pin(page: Page) -> AnyResponse:
    form = PinForm()
    if not form.validate():
        return page.render(form)
    Holding(page.onboarding).enter_pin(form.pin.data or "")
    return page.back()


@answer("new-number")
def add_number(page: Page) -> AnyResponse:
    form = NewNumberForm()
    if not form.validate():
        return page.render(form)
    calling_code, number, name = str(form.calling_code.data), str(form.number.data), str(form.name.data)
    Holding(page.onboarding).add_number(calling_code, number, name, migrate=bool(form.migrate.data))
    return page.back()


@answer("verification")
def send_code(page: Page) -> AnyResponse:
    form = VerificationForm()
    if not form.validate():
        return page.render(form)
    Holding(page.onboarding).send_code(form.method.data, str(get_locale() or "en_US"))
    return page.back()


@answer("verification-code")
def enter_code(page: Page) -> AnyResponse:
    form = VerificationCodeForm()
    if not form.validate():
        return page.render(form)
    Holding(page.onboarding).enter_code(form.code.data or "")
    return page.back()


@answer("recheck")
def recheck(page: Page) -> AnyResponse:
    Holding(page.onboarding).recheck()
    return page.back()


@answer("hosted")
def wait_for_account(page: Page) -> AnyResponse:
    form = HostedForm()
    if not form.validate():
        return page.render(form)
    Hosted(page.onboarding).wait_for_account(form.phone.wa_id)
    return page.back()


@answer("hosted-look")
def check_for_account(page: Page) -> AnyResponse:
    check_soon()
    return page.back()


@answer("hosted-end")
def cancel_hosted(page: Page) -> AnyResponse:
    Hosted(page.onboarding).cancel()
    return page.back()


def posted() -> dict[str, Any]:
    """What was posted, as a form or as JSON."""
    body = request.json_object or request.form.to_dict()  # type: ignore[attr-defined]
    return body if isinstance(body, dict) else {}


def posted_text(name: str) -> str:
    value = posted().get(name)
    return str(value) if isinstance(value, str | int) else ""
