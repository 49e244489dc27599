"""The number itself: verified, registered, healthy, and receiving messages."""

from __future__ import annotations

import datetime as dt
import re

from app.contacts import countries
from app.contacts.settings import ContactSettings
from app.extensions import graph
from app.meta import health, phone_numbers
from app.meta.errors import GraphError
from app.onboarding.models import Onboarding
from app.onboarding.trouble import PASSING, TRY_AGAIN, Trouble
from app.tenancy import commit, now
from app.wabas.models import PhoneNumber
from app.words import N_

from .registry import Skipped, step

UNFINISHED_DEREGISTRATION, WRONG_PIN, UNVERIFIED, TOO_OFTEN = 133000, 133005, 133006, 133016
PIN_LOCKED = {133008, 133009}
SYNCHRONISED_BEFORE, TOO_LATE = 2593107, 2593108
# "Wait 60 minutes", as Meta's details say it.
WAIT = re.compile(r"(\d+)\s*(second|minute|hour|day)", re.IGNORECASE)


@step()
def number_verified(onboarding: Onboarding) -> None:
    """The Facebook window verifies a number on the way, but may be left before."""
    number, token = onboarding.phone_number, onboarding.waba.token
    meta_id = number.meta_id
    if country := countries.code_of(number.display_number):
        # Most customers of a business are where its number is.
        ContactSettings.assume_country(country)
    commit()
    seen = phone_numbers.fetch(graph, token, meta_id)
    if not (seen.is_verified or seen.is_registered or seen.is_on_biz_app):
        raise unverified()


def unverified(error: GraphError | None = None) -> Trouble:
    return Trouble(
        N_("WhatsApp doesn't know yet that this number is yours."),
        N_("Request a code by text message or call, and enter it here."),
        asks="code",
    ).quoting(error)


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
    register(token, number, pin)


def register(token: str, number: PhoneNumber, pin: str) -> None:
    try:
        phone_numbers.register(graph, token, number.meta_id, pin)
    except GraphError as error:
        if error.code == WRONG_PIN or error.code in PIN_LOCKED:
            number.pin = None
            commit()
            raise needs_pin(error) from None
        if number.registration_ends.is_over and error.kind not in PASSING:
            raise too_late(error) from None
        if error.code == UNVERIFIED:
            raise unverified(error) from None
        if error.code != UNFINISHED_DEREGISTRATION:
            raise
        phone_numbers.deregister(graph, token, number.meta_id)
        phone_numbers.register(graph, token, number.meta_id, pin)


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


@step()
def health_checked(onboarding: Onboarding) -> None:
    number, token = onboarding.phone_number, onboarding.waba.token
    commit()
    state = health.fetch(graph, token, number.meta_id)
    seen = phone_numbers.fetch(graph, token, number.meta_id)
    if state.is_blocked or not (seen.is_registered or seen.is_on_biz_app):
        problem = next((problem for problem in state.problems if problem.code), None)
        details = [problem.description, problem.solution] if problem else [seen.status]
        raise Trouble(
            N_("Meta doesn't let this number send yet."),
            TRY_AGAIN,
            details=" ".join(filter(None, details)),
            code=problem.code if problem else None,
        )
    number.update_from(seen, state)
    number.connect()


@step()
def app_synchronised(onboarding: Onboarding) -> str:
    """For a number that stays in the WhatsApp Business app: each once, within a day. It works without, too."""
    number, token = onboarding.phone_number, onboarding.waba.token
    meta_id, is_on_biz_app = number.meta_id, number.is_on_biz_app
    commit()
    if not is_on_biz_app:
        raise Skipped(N_("Only for numbers that stay in the WhatsApp Business app."))
    for sync_type in ("smb_app_state_sync", "history"):
        try:
            phone_numbers.synchronise(graph, token, meta_id, sync_type)
        except GraphError as error:
            if error.code == TOO_LATE:
                raise Skipped(EXPIRED) from None
            if error.code != SYNCHRONISED_BEFORE:
                raise
    return N_("They arrive in the inbox over the next minutes.")


EXPIRED = N_(
    "Older messages and contacts don't arrive: WhatsApp shares them only within 24 hours of connecting. New messages "
    "arrive as usual."
)


@step()
def hello_seen(onboarding: Onboarding) -> None:
    if onboarding.phone_number.hello_seen_at is None:
        raise Trouble(N_("Now see it work."), N_("Send a message to this number from your own phone."), asks="hello")
