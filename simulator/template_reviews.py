"""The verdict on a submitted template: by its name, else by the rules of content that a reviewer applies."""

import re
from dataclasses import dataclass, field
from typing import Any

from simulator import template_languages, template_magic
from simulator.message_templates import MessageTemplate

Json = dict[str, Any]
WHATSAPP = re.compile(r"(?<![\w.-])(www\.)?(wa\.me|(api|chat|web|go)\.whatsapp\.com)(?![\w-]|\.\w)", re.IGNORECASE)
SHORTENED = re.compile(
    r"(?<![\w.-])(www\.)?(bit\.ly|tinyurl\.com|goo\.gl|t\.co|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly|rb\.gy|t\.ly"
    r"|shorturl\.at|wa\.link)(?![\w-]|\.\w)",
    re.IGNORECASE,
)
# To warn of it is no request, and a part of a number may be asked for.
SENSITIVE = re.compile(
    r"(?<!not )(?<!n't )(?<!n\u2019t )(?<!never )\b(send|enter|provide|reply with|share|give|confirm|tell)\b"
    r"(?![^.!?\n]{0,60}\b(last|first) )[^.!?\n]{0,60}"
    r"\b(card number|cvv|cvc|pin code|password|passport number|social security|national id|bank account number)\b",
    re.IGNORECASE,
)
THREAT = re.compile(r"\b(legal action|we will sue|press charges|report you to the police|or else)\b", re.IGNORECASE)
PROMOTION = re.compile(
    r"\d\s?% (off|discount)|\b(discount|coupon|promo(tion|tional)?|special offer|limited[- ]time|buy now|shop now"
    r"|on sale|flash sale|clearance|best price|don't miss|exclusive (deal|offer)|free gift|black friday|save up to)\b"
    r"|\b(descuento|oferta especial|rebajas|compra ahora|promoci\u00f3n|cup\u00f3n)\b"
    r"|\b(rabatt|sonderangebot|schlussverkauf|jetzt kaufen|gutschein)\b"
    r"|\b(remise|soldes|offre sp\u00e9ciale|achetez maintenant|code promo)\b"
    r"|\b(desconto|promo\u00e7\u00e3o|compre agora|cupom|oferta especial)\b"
    r"|\u062e\u0635\u0645|\u0639\u0631\u0636 \u062e\u0627\u0635|\u062a\u062e\u0641\u064a\u0636",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Verdict:
    """What the review decides; `advice` is shown with a rejection for its format."""

    status: str = "APPROVED"
    reason: str | None = None
    category: str | None = None
    advice: Json = field(default_factory=dict)


def verdict_on(template: MessageTemplate) -> Verdict:
    """The name decides first, then the content."""
    return _by_name(template) or _by_rule(template)


def looks_promotional(components: list[Json]) -> bool:
    """True if the texts advertise something; a utility template like that becomes a marketing one."""
    return PROMOTION.search(text_in(components)) is not None


def text_in(components: list[Json]) -> str:
    """All texts and addresses of the components, those of cards and buttons too."""
    texts = []
    for part in components:
        texts += [str(part.get("text") or ""), str((part.get("limited_time_offer") or {}).get("text") or "")]
        texts += [f"{button.get('text') or ''} {button.get('url') or ''}" for button in part.get("buttons") or []]
        texts += [text_in(card.get("components") or []) for card in part.get("cards") or []]
    return "\n".join(filter(None, texts))


def _by_name(template: MessageTemplate) -> Verdict | None:
    if reason := template_magic.reason_of(template.name):
        return _rejected(reason)
    match template_magic.ending_of(template.name):
        case "_limit":
            return Verdict("LIMIT_EXCEEDED")
        case "_marketing":
            return Verdict(category="MARKETING")
        case "":
            return None
    return Verdict()


def _by_rule(template: MessageTemplate) -> Verdict:
    text = text_in(template.parts)
    if WHATSAPP.search(text) or SHORTENED.search(text):
        return _rejected("INVALID_FORMAT", "The template holds a WhatsApp or shortened link.", "Use full links.")
    if template.category == "AUTHENTICATION":
        return Verdict()
    if SENSITIVE.search(text):
        return _rejected("SCAM")
    if THREAT.search(text):
        return _rejected("ABUSIVE_CONTENT")
    if not template_languages.fits(template.text_of("BODY"), template.language):
        return _rejected("TAG_CONTENT_MISMATCH")
    if other := _twin_of(template):
        advice = "Change the body or the footer, or use the template that exists."
        return _rejected("INVALID_FORMAT", f"The template has the same body and footer as {other}.", advice)
    return Verdict(category="MARKETING" if looks_promotional(template.parts) else None)


def _rejected(reason: str, why: str = "", advice: str = "") -> Verdict:
    info = {"reason": why, "recommendation": advice} if why else {}
    return Verdict("REJECTED", reason, advice=info)


def _twin_of(template: MessageTemplate) -> str | None:
    """The name of another template of the account with the same body and footer."""
    others = MessageTemplate.where(template.world, "waba_id = ? and id != ?", template.waba_id, template.id)
    wanted = _wording(template)
    return next((other.name for other in others if _counts(other) and _wording(other) == wanted), None)


def _counts(other: MessageTemplate) -> bool:
    return other.status not in ("REJECTED", "PENDING_DELETION") and other.category != "AUTHENTICATION"


def _wording(template: MessageTemplate) -> tuple[str, ...]:
    """Body and footer without regard to case and spaces; a carousel's cards belong to it."""
    cards = template.by_type.get("CAROUSEL", {}).get("cards") or []
    texts = (template.text_of("BODY"), template.text_of("FOOTER"), *(text_in(card["components"]) for card in cards))
    return tuple(" ".join(text.casefold().split()) for text in texts)
