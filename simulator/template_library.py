"""Meta's own template library: fixed texts of a fixed category that need no review."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from simulator import authentication_texts
from simulator.template_rules import buttons
from simulator.template_rules.refusals import NO_EXAMPLE, refusal

Json = dict[str, Any]
FILE = Path(__file__).parent / "template_library.json"
SEARCHED = ("name", "header", "body", "footer")
FILTERS = ("topic", "usecase", "language", "category", "name")
CONTACT = " If you have any questions, call us."
TYPES = {
    "AMOUNT": re.compile(r"[A-Za-z\u20a0-\u20bf$\u00a3\u00a5 ]*[\d.,]+[A-Za-z\u20a0-\u20bf$\u00a3\u00a5 ]*"),
    "NUMBER": re.compile(r"\d+"),
    "PHONE NUMBER": re.compile(r"[+\d\s()\-]+"),
    "EMAIL": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "DATE": re.compile(r".*\d.*"),
}


@dataclass(frozen=True)
class LibraryTemplate:
    """One template of the library, in one language."""

    about: Json

    @property
    def name(self) -> str:
        """The name to give as `library_template_name`."""
        return str(self.about["name"])

    def matches(self, wanted: Json) -> bool:
        """Every filter that is given, without regard to case."""
        search = str(wanted.get("search") or "").strip('"').lower()
        words = "\n".join(str(self.about.get(field, "")) for field in SEARCHED).lower()
        exact = all(str(self.about[name]).lower() == str(wanted[name]).lower() for name in FILTERS if wanted.get(name))
        industry = str(wanted.get("industry") or "").upper()
        return search in words and exact and (not industry or industry in self.about["industry"])

    def components(self, body_inputs: Json, button_inputs: list[Json]) -> list[Json]:
        """What becomes of it in an account, with the account's addresses and numbers."""
        if self.about["category"] == "AUTHENTICATION":
            return self._of_codes(body_inputs, button_inputs)
        made: list[Json] = []
        if header := self.about.get("header"):
            made.append({"type": "HEADER", "format": "TEXT", "text": header})
        contact = CONTACT if body_inputs.get("add_contact_number") else ""
        body: Json = {"type": "BODY", "text": self.about["body"] + contact}
        if self.about["body_params"]:
            body["example"] = {"body_text": [self.about["body_params"]]}
        made.append(body)
        if footer := self.about.get("footer"):
            made.append({"type": "FOOTER", "text": footer})
        if given := self._buttons(button_inputs):
            made.append({"type": "BUTTONS", "buttons": given})
        return made

    def _of_codes(self, body_inputs: Json, button_inputs: list[Json]) -> list[Json]:
        parts: dict[str, Json] = {
            "BODY": {"add_security_recommendation": bool(body_inputs.get("add_security_recommendation"))},
            "BUTTONS": {"buttons": [{"otp_type": "COPY_CODE"} | (button_inputs[0] if button_inputs else {})]},
        }
        if minutes := body_inputs.get("code_expiration_minutes"):
            parts["FOOTER"] = {"code_expiration_minutes": minutes}
        return authentication_texts.components_of(parts, str(self.about["language"]))

    def _buttons(self, inputs: list[Json]) -> list[Json]:
        """The library's buttons, each address and number replaced by the account's own."""
        waiting = [dict(one) for one in inputs]
        made = []
        for button in self.about.get("buttons", []):
            if button["type"] in ("URL", "PHONE_NUMBER"):
                given = next((one for one in waiting if str(one.get("type")).upper() == button["type"]), None)
                if given is None:
                    raise refusal(NO_EXAMPLE, f"library_template_button_inputs needs an entry of type {button['type']}")
                waiting.remove(given)
                made.append(_with_input(button, given))
            else:
                made.append(button)
        return made


def _with_input(button: Json, given: Json) -> Json:
    """A button with the address or number of the account."""
    if button["type"] == "PHONE_NUMBER":
        filled = button | {"phone_number": str(given.get("phone_number") or "")}
    else:
        url = given.get("url") or {}
        filled = button | {"url": str(url.get("base_url") or "")}
        if "{{" in filled["url"]:
            filled["example"] = [str(url.get("url_suffix_example") or "")]
    buttons.check([filled], (button["type"],), NoFlows())
    return filled


class NoFlows:
    """Library templates of this program open no flows."""

    def has(self, *_: str) -> bool:
        """Never."""
        return False


@cache
def everything() -> list[LibraryTemplate]:
    """Every template of the library in every language."""
    return [LibraryTemplate(about) for about in json.loads(FILE.read_text())]


def find(name: str, language: str) -> LibraryTemplate | None:
    """The template with the name in the language, or None."""
    matching = (one for one in everything() if one.name == name and one.about["language"] == language)
    return next(matching, None)


def misfit(name: str, values: list[str]) -> str | None:
    """What is wrong with the first value that is not of its parameter's type, or None."""
    about = next((one.about for one in everything() if one.name == name), None)
    kinds = about.get("body_param_types", []) if about else []
    for at, (kind, value) in enumerate(zip(kinds, values, strict=False), start=1):
        if kind in TYPES and not TYPES[kind].fullmatch(value.strip()):
            return f"Parameter {at} must be of type {kind}"
    return None
