"""Handles the input of each screen and returns the name of the next one."""

import secrets
from collections.abc import Callable, Mapping

from simulator import dialing
from simulator.businesses import Business
from simulator.customers import Customer
from simulator.dialog import personas
from simulator.dialog.signup import Signup
from simulator.phone_numbers import PhoneNumber
from simulator.wabas import Waba

Form = Mapping[str, str]
Step = Callable[[Signup, Form], str]

# Meta's names for the screens, as CANCEL reports them.
CURRENT_STEP = {
    "login": "BUSINESS_ACCOUNT_SELECTION",
    "authorize": "BUSINESS_ACCOUNT_SELECTION",
    "portfolio": "BUSINESS_ACCOUNT_SELECTION",
    "account": "WABA_PHONE_PROFILE_PICKER",
    "profile": "WHATSAPP_BUSINESS_PROFILE_SETUP",
    "number": "PHONE_NUMBER_SETUP",
    "verify": "PHONE_NUMBER_VERIFICATION",
    "review": "PERMISSIONS",
}


ON_APP = (
    "This number is registered in the WhatsApp Business app. Disconnect it there first, or connect it together with"
    " the app."
)


class EntryError(Exception):
    """The input is not valid; the screen is shown again with the reason."""


def login(signup: Signup, form: Form) -> str:
    key = form.get("persona", "")
    if key not in personas.PERSONAS:
        raise EntryError("Choose who you are.")
    personas.log_in(signup.world, key)
    signup.update(persona=key)
    return "authorize"


def authorize(_signup: Signup, _form: Form) -> str:
    return "portfolio"


def portfolio(signup: Signup, form: Form) -> str:
    chosen = form.get("portfolio", "new")
    business = _own_portfolio(signup, chosen) if chosen != "new" else _new_portfolio(signup, form)
    signup.update(business_id=business.id, waba_id=None, phone_number_id=None)
    return "account" if Waba.of_business(business) else "profile"


def account(signup: Signup, form: Form) -> str:
    kind, _, node_id = form.get("choice", "").partition(":")
    if kind == "new":
        return "profile"
    if kind == "waba":
        signup.update(waba_id=_own_waba(signup, node_id).id, phone_number_id=None)
        return "number"
    return _use_existing(signup, node_id)


def profile(signup: Signup, form: Form) -> str:
    name = _require_text(form, "name", "Give the account a name.")
    if signup.business is None:
        raise EntryError("Choose a portfolio first.")
    signup.update(waba_id=Waba.open(signup.business, name).id, phone_number_id=None)
    return "number"


def number(signup: Signup, form: Form) -> str:
    if "without" in form:
        signup.update(phone_number_id=None)
        return "review"
    added = _add_number(signup, form)
    signup.update(phone_number_id=added.id, verification_code=f"{secrets.randbelow(10**6):06d}")
    return "verify"


def verify(signup: Signup, form: Form) -> str:
    """Verifies the number, or leaves it unverified."""
    if "later" not in form:
        if dialing.digits_of(form.get("code", "")) != signup.verification_code:
            raise EntryError("That is not the code we sent. Check it and try again.")
        assert signup.number
        signup.number.verify()
    return "review"


def review(signup: Signup, _form: Form) -> str:
    signup.complete()
    return "success"


STEPS: dict[str, Step] = {
    step.__name__: step for step in (login, authorize, portfolio, account, profile, number, verify, review)
}


def _own_portfolio(signup: Signup, business_id: str) -> Business:
    owned = personas.portfolios(signup.world, signup.persona)
    chosen = next((business for business in owned if business.id == business_id), None)
    if chosen is None:
        raise EntryError("Choose one of your portfolios.")
    return chosen


def _new_portfolio(signup: Signup, form: Form) -> Business:
    name = _require_text(form, "name", "Give the portfolio a name.")
    country = form.get("country", "US")
    return Business.open(signup.world, name, country, signup.persona)


def _own_waba(signup: Signup, waba_id: str) -> Waba:
    waba = Waba.find(signup.world, waba_id)
    if waba is None or waba.business_id != signup.business_id:
        raise EntryError("Choose one of your accounts.")
    return waba


def _use_existing(signup: Signup, number_id: str) -> str:
    chosen = PhoneNumber.find(signup.world, number_id)
    if chosen is None:
        raise EntryError("Choose an account, or create one.")
    if chosen.coexistence and not signup.together_with_app:
        raise EntryError(ON_APP)
    signup.update(waba_id=_own_waba(signup, chosen.waba_id).id, phone_number_id=chosen.id)
    if chosen.verified:
        return "review"
    signup.update(verification_code=f"{secrets.randbelow(10**6):06d}")
    return "verify"


def _add_number(signup: Signup, form: Form) -> PhoneNumber:
    name = _require_text(form, "display_name", "Give the number a name that customers will see.")
    typed = form.get("number", "").strip()
    digits = dialing.digits_of(typed) if typed.startswith("+") else form.get("code", "1") + dialing.digits_of(typed)
    waba = signup.waba
    if personas.over_limit(signup.persona):
        raise EntryError("You have reached the maximum of phone numbers. Verify your business to add more.")
    if waba is None or not 8 <= len(digits) <= 15:
        raise EntryError("The phone number does not look valid. Check it and try again.")
    _check_free(signup, waba, digits)
    return PhoneNumber.add(waba, digits, name)


def _check_free(signup: Signup, waba: Waba, digits: str) -> None:
    existing = PhoneNumber.where(signup.world, "digits = ?", digits)
    if existing and existing[0].waba_id == waba.id:
        raise EntryError("This number is already in your list. Go back and pick it there.")
    if existing or Customer.by_number(signup.world, digits):
        raise EntryError(
            "This number is already registered on WhatsApp. Disconnect it there first; that may take up to 3 minutes."
        )


def _require_text(form: Form, name: str, complaint: str) -> str:
    value = form.get(name, "").strip()
    if not value:
        raise EntryError(complaint)
    return value
