"""The account and the number. A claim of the browser counts only as far as the token opens it."""

from __future__ import annotations

from app.extensions import graph
from app.meta import phone_numbers, wabas
from app.meta.errors import GraphError
from app.onboarding.models import Onboarding
from app.onboarding.trouble import START_AGAIN, Trouble
from app.tenancy import commit
from app.wabas.inspection import GONE, NOT_OURS
from app.wabas.models import APPEAL, DISABLED, PhoneNumber, Waba
from app.wabas.routes import OwnedElsewhere
from app.words import N_

from .registry import step
from .signing_in import permission_missing

NO_PERMISSION = {3, 10, 200}
COEXISTENCE = "WHATSAPP_BUSINESS_APP_ONBOARDING"


@step()
def assets_confirmed(onboarding: Onboarding) -> str:
    """A claim counts if the token opens that account and lists its numbers."""
    token, waba_id = onboarding.token, claimed_waba(onboarding)
    onboarding.use_claims(waba_id)
    claims, is_granted = onboarding.claims, waba_id in (onboarding.granted or ())
    commit()
    try:
        seen = wabas.fetch(graph, token, waba_id)
        numbers = phone_numbers.of_waba(graph, token, waba_id)
    except GraphError as error:
        raise not_opened(error, is_granted=is_granted) from None
    if seen.status == "DISABLED":
        raise Trouble(DISABLED, APPEAL)
    try:
        waba = Waba.claim(seen.id)
        waba.update_from(seen)
        waba.renew(token, onboarding.token_expires_at, onboarding.token_user_id)
        onboarding.waba_id = waba.id
        commit()
        number = chosen_number(numbers, claims.get("phone_number_id"), claims.get("event", ""))
        owned = PhoneNumber.claim(waba, number.id, number.display_phone_number or number.id)
    except OwnedElsewhere:
        raise Trouble(
            N_("This number is already connected to Switchboard by another business."),
            N_("If it is yours, contact the Switchboard team. Or start again with another number."),
            start_again=True,
        ) from None
    owned.update_from(number)
    owned.expect_registration(onboarding.signed_up_at, is_registered=number.is_registered or number.is_on_biz_app)
    onboarding.phone_number_id = owned.id
    return f"{owned.display_number} · {waba.name}"


def claimed_waba(onboarding: Onboarding) -> str:
    """The newest claim that the token names; else the newest claim; else what the token names first, the newest."""
    claims = [onboarding.claims, *reversed(onboarding.earlier_claims)]
    claimed, granted = [one["waba_id"] for one in claims if one.get("waba_id")], onboarding.granted or []
    if named := next((waba_id for waba_id in claimed if waba_id in granted), None):
        return str(named)
    if not claimed and not granted:
        raise Trouble(
            N_("Facebook sign-in worked, but no WhatsApp account was shared with Switchboard."),
            N_("Start again, and choose or create a WhatsApp account in the Facebook window."),
            start_again=True,
        )
    return str((claimed or granted)[0])


def not_opened(error: GraphError, *, is_granted: bool) -> Exception:
    """Why the token does not open the account: a claim that it never named proves nothing."""
    if error.code not in NOT_OURS and (error.code, error.subcode) != GONE:
        return error
    if is_granted:
        return permission_missing(error.details or "").quoting(error) if error.code in NO_PERMISSION else error
    return Trouble(
        N_("The WhatsApp account that your browser named is not one that Facebook gives us access to."),
        START_AGAIN,
        start_again=True,
    ).quoting(error)


def chosen_number(
    numbers: list[phone_numbers.PhoneNumber], claimed: str | None, event: str
) -> phone_numbers.PhoneNumber:
    if claimed:
        for number in numbers:
            if number.id == claimed:
                return number
        raise Trouble(
            N_("The number that your browser named is not in the WhatsApp account you shared."),
            START_AGAIN,
            start_again=True,
        )
    if not numbers:
        raise Trouble(
            N_("The WhatsApp account you shared has no phone number yet."),
            N_("Add one here: WhatsApp sends a code to it, or reads it out in a call."),
            asks="new_number",
        )
    if len(likely := likeliest(numbers, event)) > 1:
        raise Trouble(
            N_("The WhatsApp account you shared has several numbers."),
            N_("Choose the one to connect."),
            asks="number",
            choices=[as_choice(number) for number in numbers],
        )
    return likely[0]


def likeliest(numbers: list[phone_numbers.PhoneNumber], event: str) -> list[phone_numbers.PhoneNumber]:
    """Of several numbers: the one from the WhatsApp Business app if that was the way, else the one that is
    connected already."""
    on_app = [number for number in numbers if number.is_on_biz_app and event.endswith(COEXISTENCE)]
    return on_app or [number for number in numbers if PhoneNumber.with_meta_id(number.id)] or numbers


def as_choice(number: phone_numbers.PhoneNumber) -> dict[str, str]:
    return {
        "id": number.id,
        "number": number.display_phone_number or number.id,
        "name": number.verified_name or "",
    }
