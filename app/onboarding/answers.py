"""What a person, or Facebook's window in their browser, answers: from the tenant's page and by a setup link alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from flask_babel import get_locale

from .forms import Form, HostedForm, NewNumberForm, PinForm, VerificationCodeForm, VerificationForm
from .hosted import look_soon
from .models import Onboarding

LONGEST_CODE = 2_000


def receive_code(onboarding: Onboarding) -> None:
    if 0 < len(code := said("code")) <= LONGEST_CODE:
        onboarding.receive_code(code)


def receive_claims(onboarding: Onboarding) -> None:
    onboarding.receive_claims(said("event"), posted())


def cancel(onboarding: Onboarding) -> None:
    report = {name: said(name)[:500] for name in ("error_message", "error_id") if said(name)}
    onboarding.cancel(said("current_step"), report)


def choose_number(onboarding: Onboarding) -> None:
    onboarding.choose_number(said("phone_number_id"))


def enter_pin(onboarding: Onboarding) -> Form | None:
    form = PinForm()
    if not form.validate():
        return form
    onboarding.enter_pin(form.pin.data or "")
    return None


def add_number(onboarding: Onboarding) -> Form | None:
    form = NewNumberForm()
    if not form.validate():
        return form
    given = str(form.calling_code.data), str(form.number.data), str(form.name.data)
    onboarding.add_number(*given, migrate=bool(form.migrate.data))
    return None


def send_code(onboarding: Onboarding) -> Form | None:
    form = VerificationForm()
    if not form.validate():
        return form
    onboarding.send_code(form.method.data, str(get_locale() or "en_US"))
    return None


def enter_code(onboarding: Onboarding) -> Form | None:
    form = VerificationCodeForm()
    if not form.validate():
        return form
    onboarding.enter_code(form.code.data or "")
    return None


def wait_for_facebook(onboarding: Onboarding) -> Form | None:
    form = HostedForm()
    if not form.validate():
        return form
    onboarding.wait_for_facebook(form.phone.data or "")
    return None


def look_for_account(_onboarding: Onboarding) -> None:
    look_soon()


def go_back_to_the_window(onboarding: Onboarding) -> None:
    onboarding.go_back_to_the_window()


# What the browser's script posts needs no page in return; forms that will not do come back as they were typed.
SCRIPTED: dict[str, Callable[[Onboarding], None]] = {
    "code": receive_code,
    "session-info": receive_claims,
    "cancellation": cancel,
}
FORMS: dict[str, Callable[[Onboarding], Form | None]] = {
    "number": choose_number,
    "pin": enter_pin,
    "new-number": add_number,
    "verification": send_code,
    "verification-code": enter_code,
    "hosted": wait_for_facebook,
    "hosted-look": look_for_account,
    "hosted-end": go_back_to_the_window,
}
NAMES = ", ".join(f"'{name}'" for name in (*SCRIPTED, *FORMS))


def empty_forms() -> dict[str, Form]:
    kinds: dict[str, type[Form]] = {
        "pin": PinForm,
        "new_number": NewNumberForm,
        "verification": VerificationForm,
        "verification_code": VerificationCodeForm,
        "hosted": HostedForm,
    }
    return {name: kind(formdata=None) for name, kind in kinds.items()}


def with_form(form: Form | None) -> dict[str, Form]:
    """Every form of the page, the one that was posted with what was typed and what is wrong with it."""
    forms = empty_forms()
    return {name: form if form and type(form) is type(blank) else blank for name, blank in forms.items()}


def posted() -> dict[str, Any]:
    """What was posted, as a form or as JSON."""
    body = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    return body if isinstance(body, dict) else {}


def said(name: str) -> str:
    value = posted().get(name)
    return str(value) if isinstance(value, str | int) else ""
