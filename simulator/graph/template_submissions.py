"""Reads a submitted template from a call and refuses what Meta refuses."""

import re
from typing import Any

from simulator import authentication_texts, template_languages, template_library
from simulator.errors import GraphError, invalid
from simulator.flows import Flow
from simulator.graph.call import Call
from simulator.graph.parameters import decode
from simulator.message_templates import CATEGORIES, GENERATED, MessageTemplate
from simulator.phone_numbers import PhoneNumber
from simulator.template_library import LibraryTemplate
from simulator.template_rules import Definition, check
from simulator.template_rules.refusals import (
    BAD_NAME,
    LANGUAGE_EXISTS,
    LANGUAGE_GOING,
    SAMPLE_NAME,
    TOO_MANY_TEMPLATES,
    refusal,
)
from simulator.template_rules.texts import Wording
from simulator.uploads import SampleFiles
from simulator.wabas import Waba

Json = dict[str, Any]
NAME = re.compile(r"[a-z0-9_]{1,512}")
SAMPLE_NAMES = re.compile(r"hello_world|sample_\w+")
HOUR = 3600
UNVERIFIED, VERIFIED = 250, 6000
DEFAULT_TTL = -1
TTLS = {"AUTHENTICATION": (30, 900), "UTILITY": (30, 43_200), "MARKETING": (43_200, 2_592_000)}
TOO_MANY_CALLS = 80007


class AccountFlows:
    """The flows that buttons of an account may open."""

    def __init__(self, waba: Waba) -> None:
        self.waba = waba

    def has(self, flow_id: str, name: str) -> bool:
        """True if the account has the flow."""
        flow = Flow.find(self.waba.world, flow_id) if flow_id else Flow.by_name(self.waba, name)
        return flow is not None and flow.waba_id == self.waba.id


def most_templates(waba: Waba) -> int:
    """How many templates the account may have; languages count separately."""
    if limit := int(waba.world.knobs["templates_per_account"]):
        return limit
    named = any(number.name_status == "APPROVED" for number in PhoneNumber.of_waba(waba))
    return VERIFIED if waba.business.verified and named else UNVERIFIED


def check_room(waba: Waba) -> None:
    """Refuses the 101st creation within an hour, and a template beyond the account's limit."""
    world = waba.world
    sql = "select count(*) from template_creations where waba_id = ? and at > ?"
    if world.store.value(sql, waba.id, world.clock.now() - HOUR) >= world.knobs["creations_per_hour"]:
        details = "There have been too many calls to create templates of this WhatsApp Business account."
        raise GraphError(TOO_MANY_CALLS, f"(#{TOO_MANY_CALLS}) {details} Wait a bit and try again.")
    own = "select count(*) from templates where waba_id = ? and source != ? and status != 'PENDING_DELETION'"
    counted = world.store.value(own, waba.id, GENERATED)
    if counted >= most_templates(waba):
        raise refusal(TOO_MANY_TEMPLATES, f"This account has reached its limit of {most_templates(waba)} templates.")


def note_creation(waba: Waba) -> None:
    """Counts a creation for the limit of the hour."""
    waba.world.store.insert("template_creations", waba_id=waba.id, at=waba.world.clock.now())


def name_in(call: Call) -> str:
    """A name of lowercase letters, digits and underscores that is none of Meta's samples."""
    name = str(call.require("name"))
    if not NAME.fullmatch(name):
        raise refusal(BAD_NAME, "The message template name can only have lowercase letters, digits and underscores.")
    if SAMPLE_NAMES.fullmatch(name):
        sentence = "This template is named after a sample template created by default. Please use a different name."
        raise refusal(SAMPLE_NAME, sentence)
    return name


def language_in(call: Call) -> str:
    """A language that templates can be in."""
    language = str(call.require("language"))
    if language not in template_languages.CODES:
        raise invalid(f"Param language must be one of {{{', '.join(sorted(template_languages.CODES))}}}")
    return language


def category_in(call: Call) -> str:
    """One of the three categories, whatever its case."""
    category = str(call.require("category")).upper()
    if category not in CATEGORIES:
        raise invalid(f"Param category must be one of {{{', '.join(CATEGORIES)}}}")
    return category


def check_free(waba: Waba, name: str, language: str, category: str) -> None:
    """The name must be free in the language, and of the same category in the others."""
    spoken = template_languages.name_of(language)
    if existing := MessageTemplate.by_name(waba.world, waba.id, name, language):
        if existing.status == "PENDING_DELETION":
            sentence = (
                f"New {spoken} content can't be added while the existing {spoken} content is being deleted."
                " Try again in 4 weeks or consider creating a new message template."
            )
            raise refusal(LANGUAGE_GOING, sentence)
        sentence = f"There is already {spoken} content for this template. You can create a new template and try again."
        raise refusal(LANGUAGE_EXISTS, sentence)
    others = MessageTemplate.where(waba.world, "waba_id = ? and name = ?", waba.id, name)
    if other := next((one for one in others if one.category != category), None):
        sentence = (
            f"The category {category} doesn't match the one that's already associated with this template,"
            f" {other.category}."
        )
        raise refusal(None, sentence)


def format_in(call: Call, usual: str = "POSITIONAL") -> str:
    """POSITIONAL or NAMED."""
    format = str(call.params.get("parameter_format") or usual).upper()
    if format not in ("POSITIONAL", "NAMED"):
        raise invalid("Param parameter_format must be one of {POSITIONAL, NAMED}")
    return format


def components_in(call: Call, waba: Waba, category: str, language: str, parameter_format: str) -> list[Json]:
    """The components as Meta stores them."""
    components = [_in_capitals(part) for part in _objects(call.require_list("components"), "components")]
    wording = Wording(parameter_format == "NAMED", call.world.happens("punctuation_after_variable"))
    definition = Definition(category, components, wording, SampleFiles(call.world), AccountFlows(waba))
    check(definition)
    if category == "AUTHENTICATION":
        return authentication_texts.components_of(definition.parts, language)
    return components


def from_library(call: Call, category: str, language: str) -> tuple[LibraryTemplate, list[Json]]:
    """The library's template and what becomes of it here."""
    name = str(call.params["library_template_name"])
    template = template_library.find(name, language)
    if template is None:
        raise refusal(None, f"The library has no template {name} in {template_languages.name_of(language)}.")
    if template.about["category"] != category:
        raise refusal(None, f"The library template {name} is of the category {template.about['category']}.")
    body, buttons = (decode(call.params.get(f"library_template_{part}_inputs")) for part in ("body", "button"))
    inputs = [one for one in buttons if isinstance(one, dict)] if isinstance(buttons, list) else []
    return template, template.components(body if isinstance(body, dict) else {}, inputs)


def ttl_in(call: Call, category: str) -> int | None:
    """How long Meta tries to deliver, within the limits of the category; -1 is 30 days."""
    given = call.params.get("message_send_ttl_seconds")
    if given in (None, ""):
        return None
    least, most = TTLS[category]
    if str(given) == str(DEFAULT_TTL) and category != "MARKETING":
        return DEFAULT_TTL
    if not str(given).isdecimal() or not least <= int(given) <= most:
        sentence = f"message_send_ttl_seconds of a {category.lower()} template must be between {least} and {most}."
        raise refusal(None, sentence)
    return int(given)


def _objects(given: Any, path: str) -> list[Json]:
    """A list of objects, each of which may be JSON text."""
    if not isinstance(given, list):
        raise invalid(f"Param {path} must be an array.")
    objects = [decode(one) for one in given]
    for at, one in enumerate(objects):
        if not isinstance(one, dict):
            raise invalid(f"Param {path}[{at}] must be a JSON object.")
    return objects


def _in_capitals(part: Json) -> Json:
    """The component with its type, format and buttons' types in capitals, as Meta gives it back."""
    made = part | {"type": str(part.get("type") or "").upper()}
    if isinstance(part.get("format"), str):
        made["format"] = part["format"].upper()
    if part.get("text") is not None and not isinstance(part["text"], str):
        raise invalid("Param text of a component must be a string.")
    if part.get("buttons") is not None:
        made["buttons"] = [_button(button) for button in _objects(part["buttons"], "buttons")]
    if part.get("cards") is not None:
        made["cards"] = [_card(card) for card in _objects(part["cards"], "cards")]
    return made


def _button(button: Json) -> Json:
    names = [name for name in ("type", "otp_type") if isinstance(button.get(name), str)]
    made = button | {name: button[name].upper() for name in names}
    if button.get("supported_apps") is not None:
        made["supported_apps"] = _objects(button["supported_apps"], "supported_apps")
    return made


def _card(card: Json) -> Json:
    return card | {"components": [_in_capitals(part) for part in _objects(card.get("components"), "components")]}
