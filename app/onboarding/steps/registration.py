"""The number is registered with the Cloud API, under a PIN."""

from __future__ import annotations

import datetime as dt
import re

from app.extensions import graph
from app.meta import phone_numbers
from app.meta.errors import PASSING, GraphError
from app.onboarding.models import Onboarding
from app.onboarding.trouble import Trouble
from app.tenancy import commit, now
from app.wabas.models import PhoneNumber
from app.words import N_

from .registry import Skipped, step
from .verification import unverified

UNFINISHED_DEREGISTRATION, WRONG_PIN, UNVERIFIED, TOO_OFTEN = 133000, 133005, 133006, 133016
PIN_LOCKED = {133008, 133009}
# "Wait 60 minutes", as Meta's details say it.
WAIT = re.compile(r"(\d+)\s*(second|minute|hour|day)", re.IGNORECASE)


@step()
def number_registered(onboarding: Onboarding) -> None:
    number, token = onboarding.phone_number, onboarding.waba.token
    meta_id, stored_pin = number.meta_id, number.pin
    commit()
    seen = phone_numbers.fetch(graph, token, meta_id)
    if seen.is_on_biz_app:
        raise Skipped(N_("It stays in the WhatsApp Business app and needs no registration."))
    if seen.is_registered:
        return
    if seen.is_pin_enabled and stored_pin is None:
        raise needs_pin()
    pin = number.choose_pin()
    if not number.count_registration():
        raise Trouble(
            N_("This number was registered ten times in three days, the most that Meta allows."),
            N_("Wait three days, then try once. Trying sooner locks the number for longer."),
            code=TOO_OFTEN,
        )
    commit()
    try:
        phone_numbers.register(graph, token, meta_id, pin)
    except GraphError as error:
        if trouble := trouble_of(error, number):
            raise trouble from None
        if error.code != UNFINISHED_DEREGISTRATION:
            raise
        phone_numbers.deregister(graph, token, meta_id)
        phone_numbers.register(graph, token, meta_id, pin)


def trouble_of(error: GraphError, number: PhoneNumber) -> Trouble | None:
    """What a person has to do after Meta's refusal: the number wants its PIN, or a code, or it is too late."""
    if error.code == WRONG_PIN or error.code in PIN_LOCKED:
        number.pin = None
        commit()
        return needs_pin(error)
    if number.registration_ends.is_over and error.kind not in PASSING:
        return too_late(error)
    return unverified(error) if error.code == UNVERIFIED else None


def too_late(error: GraphError) -> Trouble:
    """A second sign-up sets the clock anew; everything that is there already stays."""
    return Trouble(
        N_("Meta accepts a number only within 14 days of the Facebook sign-up, and they have passed."),
        N_("Start again: go through the Facebook window once more and choose the same account and number."),
        start_again=True,
    ).quoting(error)


def needs_pin(error: GraphError | None = None) -> Trouble:
    """Asks for the number's PIN; a refused one is forgotten, so the next one counts."""
    if error and error.code in PIN_LOCKED:
        return Trouble(
            N_("A wrong PIN was entered too many times, so Meta accepts none for now."),
            N_("Wait until the lock ends, then enter the right PIN. You can set a new one in WhatsApp Manager."),
            asks="pin",
            locked_until=lock_end(error.details or ""),
        ).quoting(error)
    return Trouble(
        N_("That isn't this number's PIN.") if error else N_("This number already has a two-step verification PIN."),
        N_("Enter its six digits. If no one knows them, set a new PIN in WhatsApp Manager and enter that."),
        asks="pin",
    ).quoting(error)


def lock_end(details: str) -> str:
    """The moment at which Meta accepts a PIN again, if its words say how long to wait; "" otherwise."""
    spans = [dt.timedelta(**{f"{unit.lower()}s": int(count)}) for count, unit in WAIT.findall(details[:500])]
    wait = sum(spans, dt.timedelta())
    return (now() + wait).isoformat() if dt.timedelta() < wait < dt.timedelta(days=30) else ""
