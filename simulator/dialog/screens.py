"""The context of each screen's template."""

import json
import secrets
from typing import Any

from simulator import dialing
from simulator.dialog import mishaps, personas
from simulator.dialog.signup import Signup
from simulator.dialog.steps import CURRENT_STEP
from simulator.phone_numbers import PhoneNumber
from simulator.wabas import Waba

CATEGORIES = [
    "Shopping and retail",
    "Apparel",
    "Restaurant",
    "Health",
    "Education",
    "Travel",
    "Professional services",
    "Other",
]
PROGRESS = ["portfolio", "profile", "number", "verify", "review"]


def screen(signup: Signup) -> dict[str, Any]:
    return {
        "signup": signup,
        "wabas_of": Waba.of_business,
        "numbers_of": PhoneNumber.of_waba,
        "app_name": signup.world.settings.app_name,
        "persona": personas.PERSONAS.get(signup.persona or ""),
        "personas": personas.PERSONAS,
        "portfolios": personas.portfolios(signup.world, signup.persona),
        "countries": sorted(dialing.CODE_BY_COUNTRY.items()),
        "categories": CATEGORIES,
        "setup": signup.setup,
        "chosen": default_choice(signup),
        "suggested": default_number(signup),
        "mishaps": mishaps.at(signup.step),
        "hand_over": json.dumps(opener_message(signup)),
        "progress": PROGRESS,
    }


def default_number(signup: Signup) -> dict[str, str]:
    if signup.persona == "taken":
        return {"code": "1", "number": personas.TAKEN_NUMBER[1:]}
    phone = (signup.setup.get("business") or {}).get("phone") or {}
    if phone.get("number"):
        return {"code": str(phone.get("code") or "1"), "number": str(phone["number"])}
    return {"code": "1", "number": _free_number(signup)}


def default_choice(signup: Signup) -> str | None:
    """The first number that can be used, or else the first account."""
    accounts = signup.wabas
    numbers = (number.id for account in accounts for number in PhoneNumber.of_waba(account) if usable(number))
    return next(numbers, None) or next((account.id for account in accounts), None)


def usable(number: PhoneNumber) -> bool:
    """False for a registered number of an account that was never shared: another provider uses it."""
    return not (number.registered and number.waba.shared_at is None) or bool(number.coexistence)


def opener_message(signup: Signup) -> dict[str, Any]:
    """The message to the page that opened the popup; empty if the page's origin is not allowed."""
    if signup.hosted or not signup.origin_allowed:
        return {}
    message: dict[str, Any] = {
        "origin": signup.origin,
        "channel": signup.channel,
        "step": CURRENT_STEP.get(signup.step),
    }
    if signup.step == "success" and signup.code_id:
        order = signup.world.happens("code_before_session_info")
        message |= {"session": signup.session_info(), "code": signup.code_id, "code_first": order}
        message |= {
            "no_code": signup.world.happens("code_missing"),
            "no_session": signup.world.happens("session_info_missing"),
        }
    else:
        message |= {"report_as": "ERROR" if signup.world.happens("report_as_error") else "CANCEL"}
    return message


def _free_number(signup: Signup) -> str:
    number = f"555{secrets.randbelow(10**7):07d}"
    return _free_number(signup) if PhoneNumber.where(signup.world, "digits = ?", f"1{number}") else number
