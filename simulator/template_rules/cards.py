"""Carousels: two to ten cards of the same shape."""

from typing import Any

from simulator.template_rules import buttons, headers
from simulator.template_rules.examples import check_examples
from simulator.template_rules.headers import Handles
from simulator.template_rules.refusals import misplaced, without_example
from simulator.template_rules.texts import Wording, check_body, is_blank

Json = dict[str, Any]
Shape = tuple[str, bool, tuple[str, ...]]
FEWEST, MOST, LONGEST_BODY, MOST_BUTTONS = 2, 10, 160, 2
HEADERS, BUTTONS = ("IMAGE", "VIDEO", "PRODUCT"), ("QUICK_REPLY", "URL", "PHONE_NUMBER", "SPM")


def check(part: Json, wording: Wording, handles: Handles, flows: buttons.Flows) -> None:
    """Every card has a header, perhaps a body, and the same buttons as the others."""
    cards = part.get("cards")
    if not isinstance(cards, list) or not FEWEST <= len(cards) <= MOST:
        raise misplaced(f"A carousel has {FEWEST} to {MOST} cards.")
    shapes = [_check_card(card, wording, handles, flows) for card in cards]
    if len(set(shapes)) > 1:
        raise misplaced("All cards of a carousel must have the same components and buttons in the same order.")
    if shapes[0][0] == "PRODUCT" and len(cards) != FEWEST:
        raise misplaced("A carousel of products is defined with exactly 2 cards.")


def _check_card(card: Any, wording: Wording, handles: Handles, flows: buttons.Flows) -> Shape:
    components = card.get("components") if isinstance(card, dict) else None
    if not isinstance(components, list):
        raise without_example("CAROUSEL", "components")
    parts = {str(one.get("type") or "").upper(): one for one in components if isinstance(one, dict)}
    if len(parts) != len(components) or set(parts) - {"HEADER", "BODY", "BUTTONS"}:
        raise misplaced("A card has one header, perhaps one body, and buttons.")
    if "HEADER" not in parts:
        raise without_example("CAROUSEL", "HEADER")
    format = headers.check(parts["HEADER"], HEADERS, wording, handles)
    if "BODY" in parts:
        text = str(parts["BODY"].get("text") or "")
        if is_blank(text):
            raise without_example("BODY", "text")
        check_body(text, LONGEST_BODY, wording)
        check_examples("BODY", parts["BODY"], wording.named)
    given = parts.get("BUTTONS", {}).get("buttons") or []
    if not 1 <= len(given) <= MOST_BUTTONS:
        raise misplaced(f"A card has 1 to {MOST_BUTTONS} buttons.")
    kinds = buttons.check(given, BUTTONS, flows)
    if format == "PRODUCT" or "SPM" in kinds:
        headers.check_products(parts)
    return format, "BODY" in parts, tuple(kinds)
