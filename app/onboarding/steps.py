"""The steps of connecting a number. Each looks at Meta first, so that it is safe to run again any time.

A step reads what it needs, commits (no transaction is open while Meta is called), calls, and writes. It ends
well, with a word about it if there is one; or raises `MetaError`, `Trouble` or `Skipped`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.extensions import graph, settings
from app.meta import credit_lines, embedded_signup, health, phone_numbers, system_users, wabas
from app.meta.codes.explanation import N_
from app.meta.errors import GraphError
from app.tenancy import commit, now
from app.wabas.credit import CreditLineShare
from app.wabas.models import PhoneNumber, Waba
from app.wabas.routes import OwnedElsewhere

from .sign_up import recover
from .trouble import LOOK_AGAIN, PASSING, START_AGAIN, Trouble

if TYPE_CHECKING:
    from .models import Onboarding

NEEDED = ("whatsapp_business_management", "whatsapp_business_messaging")
UNFINISHED_DEREGISTRATION, WRONG_PIN, UNVERIFIED, TOO_OFTEN = 133000, 133005, 133006, 133016
SYNCHRONISED_BEFORE = 2593107
COEXISTENCE = "WHATSAPP_BUSINESS_APP_ONBOARDING"

SYSTEM_USER = N_(
    "META_SYSTEM_USER_TOKEN has to be that of an admin system user of our business, and the client has to "
    "share the account with us as a partner."
)
CREDIT_LINE = N_(
    "Our system user has to be Admin or Finance Editor, the Credit Allocation API terms accepted (Business "
    "settings, Payments), and the account's currency one that the credit line takes."
)


class Skipped(Exception):
    """There is nothing to do for this number."""


@dataclass(frozen=True)
class Step:
    """A step with a hint is between Meta and the platform alone: the hint tells us how to mend it."""

    name: str
    title: str
    run: Callable[[Onboarding], str | None]
    hint: str = ""


STEPS: dict[str, Step] = {}


def step(title: str, hint: str = "") -> Callable[[Callable[[Onboarding], str | None]], Step]:
    def add(run: Callable[[Onboarding], str | None]) -> Step:
        made = STEPS[run.__name__] = Step(run.__name__, title, run, hint)
        return made

    return add


@step(N_("Facebook's sign-in accepted"))
def code_exchanged(onboarding: Onboarding) -> None:
    """The request that received the code exchanges it (`Onboarding.receive_code`); it works only once."""
    if onboarding.token is None:
        onboarding.token = recover(onboarding)


@step(N_("Permissions checked"))
def token_inspected(onboarding: Onboarding) -> None:
    token = onboarding.token
    commit()
    info = embedded_signup.debug_token(graph, token, graph.app_token)
    if not info.is_valid or info.app_id != graph.app_id:
        said = (info.error and info.error.said) or ""
        title = N_("Facebook says that this sign-in is not valid, or not for Switchboard.")
        raise Trouble(title, START_AGAIN, said=said, start_again=True)
    if missing := [scope for scope in NEEDED if scope not in info.scopes]:
        raise Trouble(
            N_("A permission is missing, so Switchboard could not work for your number."),
            N_("Start again and leave every permission switched on in Facebook's window."),
            said=", ".join(missing),
            start_again=True,
        )
    onboarding.granted = None if info.waba_ids is None else list(info.waba_ids)
    onboarding.token_expires_at, onboarding.token_user_id = info.expires_at, info.user_id or ""


@step(N_("Your WhatsApp account and number found"))
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


@step(N_("Messages reach Switchboard"))
def webhooks_subscribed(onboarding: Onboarding) -> None:
    waba = onboarding.waba
    token, meta_id = waba.token, waba.meta_id
    commit()
    if not wabas.is_subscribed(graph, token, meta_id):
        wabas.subscribe(graph, token, meta_id)
    waba.subscribed_at = waba.subscribed_at or now()


@step(N_("Our access to your WhatsApp account set up"), SYSTEM_USER)
def system_user_assigned(onboarding: Onboarding) -> None:
    meta_id, user_id, ours = (
        onboarding.waba.meta_id,
        settings.meta_system_user_id,
        settings.meta_system_user_token,
    )
    commit()
    known = system_users.assigned(graph, ours, meta_id, settings.meta_business_id)
    if user_id not in [user.id for user in known]:
        system_users.assign(graph, ours, meta_id, user_id)


@step(N_("Payment to Meta set up"), CREDIT_LINE)
def credit_line_shared(onboarding: Onboarding) -> str:
    """Meta does not say what a second share does, so look before sharing; a WABA's currency is for good."""
    waba, line, ours = onboarding.waba, settings.meta_credit_line_id, settings.meta_system_user_token
    token, currency = waba.token, waba.currency or "USD"
    commit()
    allocation = credit_lines.find_share(graph, ours, line, waba.owner_business_id)
    if allocation is None:
        allocation = share_line(waba, token, currency)
    elif not credit_lines.is_funding(
        graph, system_token=ours, business_token=token, allocation_id=allocation, waba_id=waba.meta_id
    ):
        credit_lines.attach(graph, token, line, waba.meta_id, currency)
    CreditLineShare.record(waba, line, allocation, currency)
    return currency


def share_line(waba: Waba, token: str, currency: str) -> str:
    """In one call, or, where Meta refuses that, in the two that take its place and need no system user."""
    line, ours, meta_id = settings.meta_credit_line_id, settings.meta_system_user_token, waba.meta_id
    try:
        return credit_lines.share_and_attach(graph, ours, line, meta_id, currency)
    except GraphError as error:
        if error.kind in PASSING or not waba.owner_business_id:
            raise
    credit_lines.share(graph, ours, line, waba.owner_business_id)
    return credit_lines.attach(graph, token, line, meta_id, currency)


@step(N_("Payment to Meta confirmed"), CREDIT_LINE)
def credit_line_verified(onboarding: Onboarding) -> None:
    waba = onboarding.waba
    share, token, ours = CreditLineShare.of(waba), waba.token, settings.meta_system_user_token
    assert share is not None
    commit()
    if not credit_lines.is_funding(
        graph,
        system_token=ours,
        business_token=token,
        allocation_id=share.allocation_config_id,
        waba_id=waba.meta_id,
    ):
        raise Trouble(
            N_("Somebody else still pays Meta for this WhatsApp account."),
            N_(
                "If you come from another provider, ask it to stop sharing its credit line. Meta changes the "
                "payer on the 1st of a month, and refuses to in the last 3 and first 4 days."
            ),
        )
    share.verified_at = now()


@step(N_("Number verified"))
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
        said=(error.details if error else "") or "",
        code=error.code if error else None,
        fbtrace_id=error.fbtrace_id if error else None,
        asks="code",
    )


@step(N_("Number registered with WhatsApp"))
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
        if error.code == UNVERIFIED:
            raise unverified(error) from None
        if error.code != UNFINISHED_DEREGISTRATION:
            raise
        phone_numbers.deregister(graph, token, number.meta_id)
        phone_numbers.register(graph, token, number.meta_id, pin)


def needs_pin(error: GraphError | None = None) -> Trouble:
    return Trouble(
        N_("This number already has a PIN for two-step verification."),
        N_("Enter its six digits. If nobody knows them, set a new PIN in WhatsApp Manager and enter that."),
        said=(error.details if error else "") or "",
        code=error.code if error else None,
        fbtrace_id=error.fbtrace_id if error else None,
        asks="pin",
    )


@step(N_("Meta lets it send and receive"))
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
            LOOK_AGAIN,
            said=" ".join(filter(None, said)),
            code=problem.code if problem else None,
        )
    number.see(seen, state)
    number.connect()


@step(N_("Contacts and older messages asked for"))
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


@step(N_("Your first message arrived"))
def hello_seen(onboarding: Onboarding) -> None:
    if onboarding.phone_number.hello_seen_at is None:
        raise Trouble(N_("Now see it work."), N_("Send a message to this number from your own phone."), asks="hello")
