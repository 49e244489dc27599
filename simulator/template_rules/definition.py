from dataclasses import dataclass
from typing import Any

from simulator.template_rules import authentication, buttons, cards, headers
from simulator.template_rules.examples import check_examples
from simulator.template_rules.refusals import misplaced, without_example
from simulator.template_rules.texts import Wording, check_body, check_footer, check_label, is_blank

Json = dict[str, Any]
LONGEST_BODY, LONGEST_OFFER_BODY, LONGEST_OFFER = 1024, 600, 16
COMPONENTS = (
    "HEADER",
    "BODY",
    "FOOTER",
    "BUTTONS",
    "CAROUSEL",
    "LIMITED_TIME_OFFER",
    "CALL_PERMISSION_REQUEST",
)
OFFER = "LIMITED_TIME_OFFER"


@dataclass(frozen=True)
class Definition:
    """What somebody submits: the components with their types in capitals, and what they may refer to."""

    category: str
    components: list[Json]
    wording: Wording
    handles: headers.Handles
    flows: buttons.Flows

    @property
    def parts(self) -> dict[str, Json]:
        """The components by type."""
        return {part["type"]: part for part in self.components}


def check(definition: Definition) -> None:
    """Raises GraphError for the first rule of Meta's that the definition breaks."""
    parts = definition.parts
    if len(parts) != len(definition.components):
        raise misplaced("A template has each component once.")
    for kind in parts:
        if kind not in COMPONENTS:
            raise misplaced(f"A component of type {kind or 'unknown'} does not exist.")
    if definition.category == "AUTHENTICATION":
        authentication.check(parts)
        return
    if "CAROUSEL" in parts and set(parts) - {"BODY", "CAROUSEL"}:
        raise misplaced("A carousel template has only a body and the cards.")
    if "CAROUSEL" in parts and definition.category != "MARKETING":
        raise misplaced("Only marketing templates can have a carousel.")
    if OFFER in parts:
        _check_offer(definition)
    _check_texts(definition)
    if "CAROUSEL" in parts:
        cards.check(parts["CAROUSEL"], definition.wording, definition.handles, definition.flows)
    if "BUTTONS" in parts:
        buttons.check(parts["BUTTONS"].get("buttons"), buttons.OF_CATEGORY[definition.category], definition.flows)
    headers.check_products(parts)


def _check_texts(definition: Definition) -> None:
    parts, wording = definition.parts, definition.wording
    if "HEADER" in parts:
        headers.check(parts["HEADER"], headers.OF_CATEGORY[definition.category], wording, definition.handles)
    text = parts.get("BODY", {}).get("text")
    if not isinstance(text, str) or is_blank(text):
        raise without_example("BODY", "text")
    check_body(text, LONGEST_OFFER_BODY if OFFER in parts else LONGEST_BODY, wording)
    check_examples("BODY", parts["BODY"], wording.named)
    if "FOOTER" in parts:
        footer = parts["FOOTER"].get("text")
        if not isinstance(footer, str) or is_blank(footer):
            raise without_example("FOOTER", "text")
        check_footer(footer)


def _check_offer(definition: Definition) -> None:
    """Marketing, with a picture or video, no footer, and the code before the address."""
    parts, about = definition.parts, definition.parts[OFFER].get("limited_time_offer")
    if definition.category != "MARKETING":
        raise misplaced("Only marketing templates can have a limited-time offer.")
    if not isinstance(about, dict) or not str(about.get("text") or "").strip():
        raise without_example(OFFER, "text")
    check_label(str(about["text"]), LONGEST_OFFER)
    if "FOOTER" in parts:
        raise misplaced("A template with a limited-time offer can't have a footer.")
    if "HEADER" in parts and str(parts["HEADER"].get("format") or "").upper() not in ("IMAGE", "VIDEO"):
        raise misplaced("The header of a template with a limited-time offer is an image or a video.")
    given = parts.get("BUTTONS", {}).get("buttons") or []
    kinds = [str(one.get("type") or "").upper() for one in given if isinstance(one, dict)]
    wanted = [["COPY_CODE", "URL"]] if about.get("has_expiration") else [["COPY_CODE", "URL"], ["URL"]]
    if kinds not in wanted:
        raise misplaced("A template with a limited-time offer has a copy-code button first and then a URL button.")
