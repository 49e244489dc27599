"""The gallery: templates to begin with, by trade, each in six languages (`starters/<trade>.toml`)."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.meta.message_templates import Template
from app.words import N_

LANGUAGES = ("en_US", "fr", "es", "pt_BR", "de", "ar")
TRADES = {
    "property": N_("Property"),
    "clinic": N_("Clinic"),
    "shop": N_("Shop"),
    "restaurant": N_("Restaurant"),
    "courier": N_("Courier"),
    "school": N_("School"),
    "saas": N_("Software"),
    "general": N_("Any business"),
}
USES = {
    "appointment_confirmation": N_("Appointment confirmation"),
    "appointment_reminder": N_("Appointment reminder"),
    "appointment_change": N_("Appointment change"),
    "order_confirmation": N_("Order confirmation"),
    "order_update": N_("Order update"),
    "delivery": N_("Delivery"),
    "payment_received": N_("Payment received"),
    "payment_failed": N_("Payment failed"),
    "subscription_ending": N_("Subscription ending"),
    "document": N_("Document"),
    "status_update": N_("Status update"),
    "feedback": N_("Feedback"),
    "one_time_code": N_("One-time code"),
    "opt_in": N_("Opt-in"),
    "welcome": N_("Welcome"),
    "invitation": N_("Invitation"),
    "inquiry": N_("Inquiry"),
    "new_listing": N_("New listing"),
    "product_news": N_("Product news"),
    "offer": N_("Offer"),
}
_FILES = Path(__file__).with_suffix("")
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Starter:
    """A template to begin with: its form is the same in every language, `texts` are by language."""

    key: str
    trade: str
    category: str
    uses: tuple[str, ...]
    texts: Mapping[str, Mapping[str, Any]]
    # The format of a header that is no text.
    header: str = ""
    buttons: tuple[Mapping[str, Any], ...] = ()
    card_buttons: tuple[Mapping[str, Any], ...] = ()
    code_expiration_minutes: int = 0
    # The name of Meta's own library template for the same purpose.
    library: str = ""

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.texts)

    def title(self, language: str) -> str:
        return str(self.texts[self._nearest(language)]["title"])

    def summary(self, language: str) -> str:
        return str(self.texts[self._nearest(language)]["summary"])

    def definition(self, language: str) -> Template:
        """The template in Meta's shape; media headers have no sample yet. Raises KeyError without that language."""
        words = self.texts[language]
        is_code = self.category == "AUTHENTICATION"
        components = list(self._code(words) if is_code else self._components(words))
        return Template(
            name=self.key,
            language=language,
            category=self.category,
            status="",
            is_named=not is_code,
            components=components,
        )

    def _nearest(self, language: str) -> str:
        """A reader's language may have another region, or none."""
        spoken = language.replace("-", "_").partition("_")[0]
        near = (one for one in self.texts if one.partition("_")[0] == spoken)
        return language if language in self.texts else next(near, LANGUAGES[0])

    def _code(self, words: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The text of an authentication template is Meta's."""
        yield {"type": "BODY", "add_security_recommendation": True}
        yield {"type": "FOOTER", "code_expiration_minutes": self.code_expiration_minutes}
        yield _buttons(self.buttons, words["labels"])

    def _components(self, words: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        examples = words.get("examples", {})
        if self.header:
            yield {"type": "HEADER", "format": self.header}
        elif "header" in words:
            yield {"type": "HEADER", "format": "TEXT"} | _text("header", words["header"], examples)
        if "offer" in words:
            yield {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": words["offer"], "has_expiration": True}}
        yield {"type": "BODY"} | _text("body", words["body"], examples)
        if "footer" in words:
            yield {"type": "FOOTER", "text": words["footer"]}
        if self.buttons:
            yield _buttons(self.buttons, words.get("labels", []))
        if "cards" in words:
            yield {"type": "CAROUSEL", "cards": [{"components": card} for card in self._cards(words)]}

    def _cards(self, words: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """All cards have one text; its variables are numbered, so that a name is used once in the template."""
        for number, examples in enumerate(words["cards"], 1):
            text = _VARIABLE.sub(rf"{{{{\g<1>_{number}}}}}", words["card"])
            numbered = {f"{name}_{number}": example for name, example in examples.items()}
            body = {"type": "BODY"} | _text("body", text, numbered)
            yield [{"type": "HEADER", "format": "IMAGE"}, body, _buttons(self.card_buttons, words["card_labels"])]


def starter_named(key: str) -> Starter | None:
    return _BY_KEY.get(key)


def _text(place: str, text: str, examples: Mapping[str, str]) -> dict[str, Any]:
    names = dict.fromkeys(_VARIABLE.findall(text))
    named = [{"param_name": name, "example": examples[name]} for name in names]
    return {"text": text} | ({"example": {f"{place}_text_named_params": named}} if named else {})


def _buttons(buttons: tuple[Mapping[str, Any], ...], labels: list[str]) -> dict[str, Any]:
    """Labels go to the buttons in order; WhatsApp itself labels the one that copies a coupon."""
    rest = iter(labels)
    return {"type": "BUTTONS", "buttons": [_button(each, rest) for each in buttons]}


def _button(button: Mapping[str, Any], labels: Iterator[str]) -> dict[str, Any]:
    label = {} if button["type"] == "COPY_CODE" else {"text": next(labels)}
    return {"type": button["type"], **label, **deepcopy(button)}


def _read(trade: str) -> Iterator[Starter]:
    for raw in tomllib.loads((_FILES / f"{trade}.toml").read_text(encoding="utf-8"))["starter"]:
        texts = {language: raw.pop(language) for language in LANGUAGES}
        form: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}
        yield Starter(trade=trade, texts=texts, **form)


STARTERS = tuple(starter for trade in TRADES for starter in _read(trade))
_BY_KEY = {starter.key: starter for starter in STARTERS}
