"""Direct Send: a utility message without a template, for which Meta finds or generates one."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

from simulator import template_events, template_reviews
from simulator.message_templates import GENERATED, MessageTemplate
from simulator.phone_numbers import PhoneNumber
from simulator.wabas import Waba
from simulator.webhooks import publishing

Json = dict[str, Any]
STATES = ("off", "on", "authentication", "blocked")
MOST_MISUSES, WEEK = 3, 7 * 86400
FALLBACK = "auto_generated_fallback"
GREETED = re.compile(
    r"\b(?P<greeting>Hi|Hello|Dear|Hey|Hola|Hallo|Bonjour|Ciao|Thanks|Thank you),? (?P<name>[A-Z][\w'\u2019-]+)"
)
REDACTED = re.compile(r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.]+|[#$\u20ac\u00a3]?\w*\d[\w.,:/-]*\w|\d")


@dataclass(frozen=True)
class Choice:
    """The template a message is attributed to; `clash` if its name belongs to another kind of template."""

    template: MessageTemplate | None
    clash: bool = False


def set_access(waba: Waba, state: str, media: bool) -> None:
    """Gives the account Direct Send, with Meta's fallback template, or takes it."""
    if state == "blocked" != waba.direct_send:
        block(waba)
    elif state != "off" and not _generated(waba):
        _add_fallback(waba)
    waba.update(direct_send=state, direct_send_media=int(media))


def choose(number: PhoneNumber, kind: str, content: Json, category: str, name: str | None) -> Choice:
    """The named template, one that matches the content, or the fallback while a new one is generated."""
    components = _components_of(kind, content)
    if name:
        return _by_name(number.waba, name, category, components)
    generated = _generated(number.waba)
    wanted = MessageTemplate.as_text(components)
    if match := next((one for one in generated if one.components == wanted and one.category == category), None):
        return Choice(match)
    fallback = next((one for one in generated if one.name.startswith(FALLBACK)), None) or _add_fallback(number.waba)
    _add(number.waba, f"auto_generated_{kind}_{_unique()}", category, components)
    return Choice(fallback)


def look_for_misuse(waba: Waba, kind: str, content: Json) -> None:
    """Reports promotional words after the message was sent; the third report blocks Direct Send for a week."""
    components = _components_of(kind, content)
    if not template_reviews.looks_promotional(components):
        return
    wanted = MessageTemplate.as_text(components)
    about = next((one for one in _generated(waba) if one.components == wanted), None)
    if about and about.correct_category != "MARKETING":
        report(waba, about)


def report(waba: Waba, template: MessageTemplate) -> None:
    """Reports to the business that the template advertises."""
    template_events.report_misuse(template, "MARKETING")
    if sum(one.correct_category == "MARKETING" for one in _generated(waba)) >= MOST_MISUSES:
        block(waba)


def block(waba: Waba) -> None:
    """Takes Direct Send from the account, with the webhook that says until when."""
    waba.update(direct_send="blocked")
    kind = {
        "restriction_type": "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES",
        "expiration": int(waba.world.clock.now()) + WEEK,
    }
    value = {"event": "ACCOUNT_RESTRICTION", "restriction_info": [kind]}
    publishing.publish_for_waba(waba, "account_update", value)


def _by_name(waba: Waba, name: str, category: str, components: list[Json]) -> Choice:
    """All messages of a name are attributed to its template."""
    existing = MessageTemplate.where(waba.world, "waba_id = ? and name = ?", waba.id, name)
    if any(one.source != GENERATED for one in existing):
        return Choice(None, clash=True)
    return Choice(existing[0] if existing else _add(waba, name, category, components))


def _generated(waba: Waba) -> list[MessageTemplate]:
    return MessageTemplate.where(waba.world, "waba_id = ? and source = ? order by created_at", waba.id, GENERATED)


def _add_fallback(waba: Waba) -> MessageTemplate:
    body = {"type": "BODY", "text": "{{1}}", "example": {"body_text": [["sample 1"]]}}
    return _add(waba, f"{FALLBACK}_{_unique()}", "UTILITY", [body])


def _add(waba: Waba, name: str, category: str, components: list[Json]) -> MessageTemplate:
    return MessageTemplate.save(
        waba.world,
        waba,
        name,
        "en_US",
        category=category,
        parameter_format="POSITIONAL",
        components=components,
        status="APPROVED",
        source=GENERATED,
        correct_category=category,
    )


def _unique() -> str:
    return str(uuid.uuid4()).replace("-", "_")


def _components_of(kind: str, content: Json) -> list[Json]:
    """The message as a template: names, numbers and addresses are replaced by variables."""
    if kind == "text":
        return [_body(str(content["body"]))]
    header, action = content.get("header"), content["action"]
    parts: list[Json] = []
    if header:
        format = str(header["type"]).upper()
        text = {"text": _redact(header["text"])[0]} if format == "TEXT" else {}
        parts.append({"type": "HEADER", "format": format} | text)
    parts.append(_body(str((content.get("body") or {}).get("text", ""))))
    if footer := (content.get("footer") or {}).get("text"):
        parts.append({"type": "FOOTER", "text": footer})
    parts.append({"type": "BUTTONS", "buttons": _buttons(content["type"], action)})
    return parts


def _body(text: str) -> Json:
    words, count = _redact(text)
    samples = {"example": {"body_text": [[f"sample {at + 1}" for at in range(count)]]}} if count else {}
    return {"type": "BODY", "text": words} | samples


def _redact(text: str) -> tuple[str, int]:
    """The text with what is personal replaced, and how often."""
    redacted = GREETED.sub(lambda match: f"{match['greeting']} \0", text)
    redacted = REDACTED.sub("\0", redacted)
    count = redacted.count("\0")
    for at in range(count):
        redacted = redacted.replace("\0", f"{{{{{at + 1}}}}}", 1)
    return redacted, count


def _buttons(kind: str, action: Json) -> list[Json]:
    if kind == "cta_url":
        return [_link(action["parameters"])]
    if kind == "voice_call":
        parameters = action.get("parameters") or {}
        return [{"type": "VOICE_CALL", "text": parameters.get("display_text", "Call on WhatsApp")}]
    return [
        _link(button["cta_url"])
        if button["type"] == "cta_url"
        else {"type": "QUICK_REPLY", "text": button["reply"]["title"]}
        for button in action["buttons"]
    ]


def _link(about: Json) -> Json:
    return {"type": "URL", "text": about["display_text"], "url": str(about["url"]).split("?")[0]}
