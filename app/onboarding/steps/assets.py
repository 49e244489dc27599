"""The account and the number. What the browser claims is believed only as far as the token opens it."""

from __future__ import annotations

from app.extensions import graph
from app.meta import phone_numbers, wabas
from app.onboarding.models import Onboarding
from app.onboarding.trouble import START_AGAIN, Trouble
from app.tenancy import commit
from app.wabas.models import PhoneNumber, Waba
from app.wabas.routes import OwnedElsewhere
from app.words import N_

from .registry import step

COEXISTENCE = "WHATSAPP_BUSINESS_APP_ONBOARDING"


@step()
def assets_confirmed(onboarding: Onboarding) -> str:
    """What the browser claims is believed only as far as the token opens it."""
    token, waba_id, claims = onboarding.token, claimed_waba(onboarding), onboarding.claims
    commit()
    found = wabas.fetch(graph, token, waba_id)
    numbers = phone_numbers.of_waba(graph, token, waba_id)
    try:
        waba = Waba.claim(found.id)
        waba.see(found)
        waba.renew(token, onboarding.token_expires_at, onboarding.token_user_id)
        onboarding.waba_id = waba.id
        commit()
        number = chosen_number(numbers, claims.get("phone_number_id"), claims.get("event", ""))
        owned = PhoneNumber.claim(waba, number.id, number.display_phone_number or number.id)
    except OwnedElsewhere:
        raise Trouble(
            N_("This number is already connected to Switchboard by another business."),
            N_("If it is yours, ask the people who run Switchboard. Or start again with another number."),
            start_again=True,
        ) from None
    owned.see(number)
    owned.expect_registration(onboarding.signed_up_at, is_registered=number.is_registered or number.is_on_biz_app)
    onboarding.phone_number_id = owned.id
    return f"{owned.display_number} · {waba.name}"


def claimed_waba(onboarding: Onboarding) -> str:
    """The WABA named in the browser if the token opens it, else the one the token names first, the newest."""
    claimed, granted = onboarding.claims.get("waba_id"), onboarding.granted
    if claimed and (granted is None or claimed in granted):
        return str(claimed)
    if claimed:
        raise Trouble(
            N_("The WhatsApp account that your browser named is not one that Facebook lets us use."),
            START_AGAIN,
            start_again=True,
        )
    if not granted:
        raise Trouble(
            N_("Facebook's sign-in worked, but no WhatsApp account was shared with Switchboard."),
            N_("Start again, and choose or create a WhatsApp account in Facebook's window."),
            start_again=True,
        )
    return granted[0]


def chosen_number(found: list[phone_numbers.PhoneNumber], claimed: str | None, event: str) -> phone_numbers.PhoneNumber:
    if claimed:
        for number in found:
            if number.id == claimed:
                return number
        raise Trouble(
            N_("The number that your browser named is not in the WhatsApp account you shared."),
            START_AGAIN,
            start_again=True,
        )
    if not found:
        raise Trouble(
            N_("The WhatsApp account you shared has no phone number yet."),
            N_("Add one here: WhatsApp sends a code to it, or reads it out in a call."),
            asks="new_number",
        )
    if len(likely := likeliest(found, event)) > 1:
        raise Trouble(
            N_("The WhatsApp account you shared has several numbers."),
            N_("Choose the one to connect."),
            asks="number",
            choices=[as_choice(number) for number in found],
        )
    return likely[0]


def likeliest(found: list[phone_numbers.PhoneNumber], event: str) -> list[phone_numbers.PhoneNumber]:
    """Of several numbers: the one from the WhatsApp Business app if that was the way, else the one that is
    connected already."""
    on_app = [number for number in found if number.is_on_biz_app and event.endswith(COEXISTENCE)]
    return on_app or [number for number in found if PhoneNumber.with_meta_id(number.id)] or found


def as_choice(number: phone_numbers.PhoneNumber) -> dict[str, str]:
    return {
        "id": number.id,
        "number": number.display_phone_number or number.id,
        "name": number.verified_name or "",
    }
