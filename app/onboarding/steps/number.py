"""The number itself: whose it is, registered, healthy, and heard."""

from __future__ import annotations

from app.extensions import graph
from app.meta import health, phone_numbers
from app.meta.errors import GraphError
from app.onboarding.models import Onboarding
from app.onboarding.trouble import PASSING, TRY_AGAIN, Trouble
from app.tenancy import commit
from app.wabas.models import PhoneNumber
from app.words import N_

from .registry import Skipped, step

UNFINISHED_DEREGISTRATION, WRONG_PIN, UNVERIFIED, TOO_OFTEN = 133000, 133005, 133006, 133016
SYNCHRONISED_BEFORE = 2593107


@step()
def number_verified(onboarding: Onboarding) -> None:
    """Facebook's window verifies a number on the way, but may be left before."""
    number, token = onboarding.phone_number, onboarding.waba.token
    meta_id = number.meta_id
    commit()
    seen = phone_numbers.fetch(graph, token, meta_id)
    if not (seen.is_verified or seen.is_registered or seen.is_on_biz_app):
        raise unverified()


def unverified(error: GraphError | None = None) -> Trouble:
    return Trouble(
        N_("WhatsApp does not know yet that this number is yours."),
        N_("Have a code sent to it by SMS, or read out in a call, and enter it here."),
        details=(error.details if error else "") or "",
        code=error.code if error else None,
        fbtrace_id=error.fbtrace_id if error else None,
        asks="code",
    )


@step()
def number_registered(onboarding: Onboarding) -> None:
    number, token = onboarding.phone_number, onboarding.waba.token
    meta_id, known_pin = number.meta_id, number.pin
    commit()
    seen = phone_numbers.fetch(graph, token, meta_id)
    if seen.is_on_biz_app:
        raise Skipped(N_("It stays in the WhatsApp Business app and needs no registration."))
    if seen.is_registered:
        return
    if seen.is_pin_enabled and known_pin is None:
        raise needs_pin()
    pin = number.choose_pin()
    if not number.count_registration():
        raise Trouble(
            N_("This number was registered ten times in three days, which is all that Meta allows."),
            N_("Wait three days, then try once. Trying sooner locks the number for longer."),
            code=TOO_OFTEN,
        )
    commit()
    register(token, number, pin)


def register(token: str, number: PhoneNumber, pin: str) -> None:
    try:
        phone_numbers.register(graph, token, number.meta_id, pin)
    except GraphError as error:
        if error.code == WRONG_PIN:
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
    """The sign-up, done again, sets the clock anew; everything that is there already is kept."""
    return Trouble(
        N_("Meta takes a number only within 14 days of Facebook's sign-up, and these are over."),
        N_("Start again: go through Facebook's window once more and choose the same account and number."),
        details=error.details or "",
        code=error.code,
        subcode=error.subcode,
        fbtrace_id=error.fbtrace_id,
        start_again=True,
    )


def needs_pin(error: GraphError | None = None) -> Trouble:
    return Trouble(
        N_("This number already has a PIN for two-step verification."),
        N_("Enter its six digits. If nobody knows them, set a new PIN in WhatsApp Manager and enter that."),
        details=(error.details if error else "") or "",
        code=error.code if error else None,
        fbtrace_id=error.fbtrace_id if error else None,
        asks="pin",
    )


@step()
def health_checked(onboarding: Onboarding) -> None:
    number, token = onboarding.phone_number, onboarding.waba.token
    commit()
    state = health.fetch(graph, token, number.meta_id)
    seen = phone_numbers.fetch(graph, token, number.meta_id)
    if state.is_blocked or not (seen.is_registered or seen.is_on_biz_app):
        problem = next((problem for problem in state.problems if problem.code), None)
        said = [problem.description, problem.solution] if problem else [seen.status]
        raise Trouble(
            N_("Meta does not let this number send yet."),
            TRY_AGAIN,
            details=" ".join(filter(None, said)),
            code=problem.code if problem else None,
        )
    number.see(seen, state)
    number.connect()


@step()
def app_synchronised(onboarding: Onboarding) -> str:
    """For a number that stays in the WhatsApp Business app: each once, within a day."""
    number, token = onboarding.phone_number, onboarding.waba.token
    meta_id, together = number.meta_id, number.is_on_biz_app
    commit()
    if not together:
        raise Skipped(N_("Only for numbers that stay in the WhatsApp Business app."))
    for sync_type in ("smb_app_state_sync", "history"):
        try:
            phone_numbers.synchronise(graph, token, meta_id, sync_type)
        except GraphError as error:
            if error.code != SYNCHRONISED_BEFORE:
                raise
    return N_("They arrive in the inbox over the next minutes.")


@step()
def hello_seen(onboarding: Onboarding) -> None:
    if onboarding.phone_number.hello_seen_at is None:
        raise Trouble(N_("Now see it work."), N_("Send a message to this number from your own phone."), asks="hello")
