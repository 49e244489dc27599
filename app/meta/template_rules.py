"""Meta's rules for a template's definition, checked before it is submitted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .message_templates import HEADERS, LONGEST_BODY, MEDIA, PARTS, Template
from .payload import mapping, sequence, text
from .template_button_rules import problems_of_buttons, problems_of_code_button
from .template_languages import LANGUAGES, is_written_in
from .template_policy import request_for_secret, threat_in
from .template_problems import Problem, too_long
from .template_promotion import lint_promotion
from .template_text_rules import LONGEST_OFFER, body_text, footer_text, header_text, label_text
from .template_variables import examples_of, is_one_time_code

__all__ = ["CATEGORIES", "LONGEST_NAME", "Problem", "problems_of"]

CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
LONGEST_NAME = 512
FEWEST_CARDS, MOST_CARDS = 2, 10
# Seconds; -1 means 30 days.
VALIDITY = {"AUTHENTICATION": (30, 900), "UTILITY": (30, 43_200), "MARKETING": (43_200, 2_592_000)}
UNLIMITED = -1
LONGEST_VALIDITY_OF_CODE = 90
# Only in marketing templates.
MARKETING_BUTTONS = ("CATALOG", "MPM", "SPM")
_NAME = re.compile(r"[a-z0-9_]+")
_SEPARATE = ("LIMITED_TIME_OFFER", "CAROUSEL", "CALL_PERMISSION_REQUEST")


def problems_of(template: Template) -> list[Problem]:
    """All that Meta would refuse, and what it may refuse (`is_warning`). Takes linear time."""
    problems = [*identity(template), *validity(template), *arrangement(template)]
    if template.is_code:
        problems += authentication(template)
    else:
        problems += [*content(template), *wording(template)]
    return problems


def identity(template: Template) -> Iterator[Problem]:
    if not template.name:
        yield Problem("name", "name_missing")
    elif not _NAME.fullmatch(template.name):
        yield Problem("name", "name_form")
    yield from too_long("name", template.name, LONGEST_NAME)
    if template.language not in LANGUAGES:
        yield Problem("language", "language_unknown", {"language": template.language[:40]})
    if template.category.upper() not in CATEGORIES:
        yield Problem("category", "category_unknown")


def validity(template: Template) -> Iterator[Problem]:
    category, ttl = template.category.upper(), template.ttl
    if ttl is None or category not in CATEGORIES:
        return
    least, most = VALIDITY[category]
    if not (least <= ttl <= most or (ttl == UNLIMITED and category != "MARKETING")):
        yield Problem("ttl", "ttl_range", {"least": least, "most": most})
    elif category == "MARKETING":
        yield Problem("ttl", "ttl_marketing")


def path_of(part: str) -> str:
    return {"CAROUSEL": "cards", "BUTTONS": "buttons"}.get(part, part.lower()[:60])


def arrangement(template: Template) -> Iterator[Problem]:
    """Each part is one that WhatsApp has, and there once."""
    seen: set[str] = set()
    for part in template.components:
        kind = str(mapping(part).get("type") or "").upper()
        if kind in seen:
            yield Problem(path_of(kind), "part_twice")
        elif kind not in PARTS:
            yield Problem(path_of(kind) or "body", "part_unknown", {"part": kind[:40]})
        seen.add(kind)


def content(template: Template) -> Iterator[Problem]:
    """Of marketing and utility templates."""
    yield from header(template, "header")
    yield from body(template, "body")
    if "FOOTER" in template.parts:
        yield from footer_text("footer", text(template.part("FOOTER").get("text")) or "")
    if "BUTTONS" in template.parts:
        yield from problems_of_buttons(template, "buttons")
    yield from products(template)
    if "LIMITED_TIME_OFFER" in template.parts:
        yield from offer(template)
    if "CAROUSEL" in template.parts:
        yield from carousel(template)
    if template.category.upper() != "MARKETING":
        yield from only_marketing(template)


def header(template: Template, path: str) -> Iterator[Problem]:
    format, part = template.header_format, template.part("HEADER")
    if format == "TEXT":
        examples = examples_of(part, "header")
        yield from header_text(f"{path}.text", template.header, examples, is_named=template.is_named)
    elif format == "GIF":
        yield Problem(path, "header_gif")
    elif format and format not in HEADERS:
        yield Problem(path, "header_format")
    elif format in MEDIA:
        handles = sequence(mapping(part.get("example")).get("header_handle"))
        if not (handles and isinstance(handles[0], str) and handles[0].strip()):
            yield Problem(f"{path}.example", "sample_missing")


def body(template: Template, path: str) -> Iterator[Problem]:
    part = template.part("BODY")
    words = text(part.get("text")) or ""
    if "BODY" not in template.parts and template.card is not None:
        return
    examples = examples_of(part, "body")
    yield from body_text(path, words, examples, is_named=template.is_named, most=template.longest_body)


def products(template: Template) -> Iterator[Problem]:
    kinds = template.button_kinds
    if ("SPM" in kinds) != (template.header_format == "PRODUCT"):
        yield Problem("header" if "SPM" in kinds else "buttons", "product_header")
    if "CATALOG" in kinds and template.header_format:
        yield Problem("header", "part_not_here")
    if "MPM" in kinds and template.header_format not in ("", "TEXT"):
        yield Problem("header", "part_not_here")


def offer(template: Template) -> Iterator[Problem]:
    kinds = template.button_kinds
    yield from label_text("limited_time_offer.text", text(template.offer.get("text")) or "", LONGEST_OFFER)
    if template.header_format not in ("", "IMAGE", "VIDEO"):
        yield Problem("header", "offer_header")
    if "FOOTER" in template.parts:
        yield Problem("footer", "part_not_here")
    if "COPY_CODE" in kinds and kinds[0] != "COPY_CODE":
        yield Problem("buttons", "offer_code_first")
    elif "COPY_CODE" not in kinds and template.offer.get("has_expiration"):
        yield Problem("buttons", "offer_needs_code")
    if "URL" not in kinds:
        yield Problem("buttons", "offer_needs_link")
    elif (over := kinds.count("URL") - 1) > 0:
        yield Problem("buttons", "buttons_of_kind", {"most": 1, "over": over})
    yield from (
        Problem(f"buttons.{index}", "button_not_here")
        for index, kind in enumerate(kinds[:20])
        if kind not in ("URL", "COPY_CODE")
    )


def carousel(template: Template) -> Iterator[Problem]:
    """A text with cards below it, all of one shape."""
    yield from (
        Problem(path_of(part), "part_not_here")
        for part in ("HEADER", "FOOTER", "BUTTONS", "LIMITED_TIME_OFFER", "CALL_PERMISSION_REQUEST")
        if part in template.parts
    )
    cards = template.cards
    is_of_products = bool(cards) and cards[0].header_format == "PRODUCT"
    if is_of_products and len(cards) != FEWEST_CARDS:
        yield Problem("cards", "product_cards_count", {"count": len(cards)})
    elif not FEWEST_CARDS <= len(cards) <= MOST_CARDS:
        yield Problem("cards", "cards_count", {"count": len(cards)})
    for index, one in enumerate(cards[:MOST_CARDS]):
        if shape(one) != shape(cards[0]):
            yield Problem(f"cards.{index}", "card_shape")
        yield from card(one, f"cards.{index}")


def card(one: Template, path: str) -> Iterator[Problem]:
    for part in arrangement(one):
        yield Problem(f"{path}.{part.path}", part.kind, part.facts)
    yield from (
        Problem(f"{path}.{path_of(part)}", "part_not_here") for part in ("FOOTER", *_SEPARATE) if part in one.parts
    )
    if one.header_format not in ("IMAGE", "VIDEO", "PRODUCT"):
        yield Problem(f"{path}.header", "card_header")
    elif (one.header_format == "PRODUCT") != ("SPM" in one.button_kinds):
        yield Problem(f"{path}.header", "product_header")
    else:
        yield from header(one, f"{path}.header")
    yield from body(one, f"{path}.body")
    yield from problems_of_buttons(one, f"{path}.buttons")


def shape(one: Template) -> tuple[Any, ...]:
    return sorted(one.parts), one.header_format, one.button_kinds


def only_marketing(template: Template) -> Iterator[Problem]:
    yield from (
        Problem(path_of(part), "needs_marketing")
        for part in ("LIMITED_TIME_OFFER", "CAROUSEL")
        if part in template.parts
    )
    yield from (
        Problem(f"buttons.{index}", "needs_marketing")
        for index, kind in enumerate(template.button_kinds[:20])
        if kind in MARKETING_BUTTONS
    )


def authentication(template: Template) -> Iterator[Problem]:
    """Meta writes the words; one may choose advice, validity and the button."""
    # What Meta gives back holds its own words.
    is_from_meta = any(map(is_one_time_code, template.buttons)) and "OTP" not in template.button_kinds
    part, minutes = template.part("BODY"), template.part("FOOTER").get("code_expiration_minutes")
    yield from (
        Problem(path_of(name), "part_not_here")
        for name in template.parts
        if name in PARTS and name not in ("BODY", "FOOTER", "BUTTONS")
    )
    if "BODY" not in template.parts:
        yield Problem("body", "text_missing")
    if part.get("text") and not is_from_meta:
        yield Problem("body", "otp_text")
    if not isinstance(part.get("add_security_recommendation", False), bool):
        yield Problem("body.add_security_recommendation", "otp_flag")
    if template.part("FOOTER").get("text") and not is_from_meta:
        yield Problem("footer", "otp_text")
    elif "FOOTER" in template.parts and not is_from_meta and not is_minutes(minutes):
        yield Problem("footer.code_expiration_minutes", "otp_minutes")
    yield from problems_of_code_button(template, "buttons")


def is_minutes(value: Any) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and 1 <= value <= LONGEST_VALIDITY_OF_CODE


def wording(template: Template) -> Iterator[Problem]:
    """What Meta's reviewers may object to. They never see a text that is too long, so its end is not looked at."""
    if template.language in LANGUAGES and not is_written_in(template.body, template.language):
        yield Problem("body", "language_mismatch", {"language": LANGUAGES[template.language]})
    for path, whole in texts_of(template):
        words = whole[:LONGEST_BODY]
        if secret := request_for_secret(words):
            yield Problem(path, "asks_for_secret", {"secret": secret})
        if threat := threat_in(words):
            yield Problem(path, "threatening", {"threat": threat})
        if template.category.upper() == "UTILITY" and (promotion := lint_promotion(words, template.language)):
            yield Problem(path, "promotional", {"found": "”, “".join(promotion[:5])})


def texts_of(template: Template) -> Iterator[tuple[str, str]]:
    yield from (("header.text", template.header), ("body", template.body), ("footer", template.footer))
    for index, button in enumerate(template.buttons[:20]):
        yield f"buttons.{index}.text", text(button.get("text")) or ""
    for index, one in enumerate(template.cards[:MOST_CARDS]):
        yield from ((f"cards.{index}.{path}", words) for path, words in texts_of(one))
