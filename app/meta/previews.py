"""A short, honest line for any message: what the list of conversations shows."""

from collections.abc import Callable
from typing import Any

from app.words import N_

from .event_types import InboundMessage, MessageEcho
from .payload import mapping, sequence, text

LENGTH = 160

_WORDS = {
    "text": N_("sent an empty message"),
    "edit": N_("edited a message"),
    "image": N_("sent a photo"),
    "video": N_("sent a video"),
    "sticker": N_("sent a sticker"),
    "document": N_("sent a file"),
    "order": N_("sent an order"),
    "revoke": N_("deleted a message"),
    "media_placeholder": N_("sent a photo, video or file that has not arrived yet"),
    "template": N_("sent a template"),
    "request_welcome": N_("opened the chat"),
}
_SYSTEM = {
    "user_changed_number": N_("changed their phone number"),
    "customer_changed_number": N_("changed their phone number"),
    "user_changed_user_id": N_("changed their phone number and does not show the new one"),
    "customer_identity_changed": N_("uses WhatsApp on a new device"),
}
_OTHER = N_("sent something this app cannot show yet ({type})")


def preview(message: InboundMessage | MessageEcho, translate: Callable[[str], str] = str) -> str:
    """One line of at most 160 characters, never blank. `translate` is gettext."""
    return line(message.type, message.text, message.content, translate)


def line(kind: str, said: str | None, content: dict[str, Any], translate: Callable[[str], str] = str) -> str:
    """The same of a message in pieces: its type, its words, and what stands under the type's name."""
    found = " ".join(_line(kind, (said or "").strip(), content, translate).split())
    return found if len(found) <= LENGTH else found[: LENGTH - 1] + "…"


def _line(kind: str, said: str, content: dict[str, Any], translate: Callable[[str], str]) -> str:
    if kind in ("text", "button", "interactive", "template") and said:
        return said
    special = _SPECIAL.get(kind)
    words, facts = special(content) if special else (_WORDS.get(kind), {})
    if words is None:
        words, facts = _OTHER, {"type": _unknown_type(kind, content)}
    done = translate(words).format(**facts)
    return f"{done}: {said}" if said else done


def _unknown_type(kind: str, content: dict[str, Any]) -> str:
    named = text(content.get("type"), 40) if kind == "unsupported" else kind
    return named or N_("unknown")


def _audio(content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return (N_("sent a voice note") if content.get("voice") is True else N_("sent an audio file")), {}


def _document(content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    name = text(content.get("filename"), 80)
    return (N_("sent a file ({name})"), {"name": name}) if name else (N_("sent a file"), {})


def _location(content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    name = text(content.get("name"), 80)
    return (N_("shared a location ({name})"), {"name": name}) if name else (N_("shared a location"), {})


def _contacts(content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    cards = [mapping(card) for card in sequence(content.get("contacts"))]
    if any(card.get("origin") == "contact_request" for card in cards):
        return N_("shared their phone number"), {}
    if len(cards) > 1:
        return N_("shared {count} contacts"), {"count": len(cards)}
    return N_("shared a contact"), {}


def _reaction(content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    emoji = text(content.get("emoji"), 40)
    return (N_("reacted {emoji}"), {"emoji": emoji}) if emoji else (N_("removed a reaction"), {})


def _interactive(content: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    if content.get("type") == "call_permission_reply":
        agreed = mapping(content.get("call_permission_reply")).get("response") == "accept"
        return (N_("agreed to be called") if agreed else N_("does not want to be called")), {}
    return (N_("answered a form") if content.get("type") == "nfm_reply" else None), {}


def _system(content: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    return _SYSTEM.get(text(content.get("type"), 40) or ""), {}


_SPECIAL: dict[str, Callable[[dict[str, Any]], tuple[str | None, dict[str, Any]]]] = {
    "audio": _audio,
    "document": _document,
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "interactive": _interactive,
    "system": _system,
}
