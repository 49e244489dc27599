"""Every type of message in one table: how it is read, called, shown and found, and what of ours sends it.

A type that is not in the table is shown by its name with what it holds, so that nothing is ever blank.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import contents
from .contents import Content
from .payload import identifier, mapping, sequence, text
from .previews import SENTENCES, Summary

Raw = dict[str, Any]


def _no_words(_content: Raw) -> str | None:
    return None


def _field(name: str) -> Callable[[Raw], str | None]:
    return lambda content: text(content.get(name))


def _called(kind: str) -> Callable[[Raw], Summary]:
    return lambda _content: Summary(kind)


@dataclass(frozen=True, slots=True)
class MessageType:
    """`shape` is the partial of templates/message/ that shows it; `words` finds what the person wrote or tapped.

    `sent_by` names what sends one from here: forms of the composer, or `composer`, `file`, `template`, `reaction`. With
    none, `not_sent` says why. `is_all_words`: the words are the line. `about` is the key of the message it is about.
    """

    name: str
    shape: str
    summary: Callable[[Raw], Summary]
    reader: Callable[[Raw], Content] | None = None
    words: Callable[[Raw], str | None] = _no_words
    is_all_words: bool = False
    is_searchable: bool = False
    about: str = ""
    sent_by: tuple[str, ...] = ()
    not_sent: str = ""


def type_named(name: str) -> MessageType | None:
    return TYPES.get(name)


def words_of(name: str, content: Raw) -> str | None:
    """What the person wrote or tapped."""
    type = TYPES.get(name)
    return type.words(content) if type else None


def read(name: str, raw: Any) -> Content:
    """What a message of this type holds, or None where it makes no sense or there is nothing to read."""
    type = TYPES.get(name)
    if type is None:
        return contents.facts("", raw)
    return type.reader(mapping(raw)) if type.reader else None


def shape_of(name: str) -> str:
    return TYPES[name].shape if name in TYPES else "other"


def summary_of(name: str, words: str | None, content: Raw) -> Summary | None:
    """The kind and facts of its line. None for plain words, which are their own line."""
    type, is_worded = TYPES.get(name), bool((words or "").strip())
    if type is None:
        return Summary("unsupported_named", {"type": name[:40]}) if name else Summary("unsupported")
    return None if type.is_all_words and is_worded else type.summary(content)


def reaction_to(emoji: str, target_type: str, target_words: str) -> tuple[Summary, str]:
    """The line of a reaction to a message that is here, with that message's words."""
    if not emoji:
        return Summary("reaction_removed"), target_words
    if target_words.strip():
        return Summary("reaction", {"emoji": emoji}), target_words
    kind = f"reaction_to_{target_type}"
    return Summary(kind if kind in SENTENCES else "reaction_to_message", {"emoji": emoji}), ""


def is_aside(name: str) -> bool:
    """Whether it is about another message: a reaction, an edit, a deletion."""
    return name in TYPES and bool(TYPES[name].about)


def target_of(name: str, content: Raw) -> str | None:
    """The message that an aside is about."""
    type = TYPES.get(name)
    return identifier(content.get(type.about)) if type and type.about else None


UNKNOWN = "unknown"
# Their name alone says what they are about.
WITHOUT_CONTENT = ("unsupported", "media_placeholder", "request_welcome", "system")


def content_under(item: Mapping[str, Any], name: str) -> Raw:
    """The content of a message: the value under its type's name."""
    content = item.get(name)
    if isinstance(content, dict):
        is_one_card = name == "contacts" and "contacts" not in content
        return {name: [content]} if is_one_card else content
    if name == "text" and isinstance(content, str):
        return {"body": content}
    if name == UNKNOWN and content is None:
        return {known: item[known] for known in TYPES if item.get(known) is not None}
    return {} if content is None else {name: content}


def type_in(item: Mapping[str, Any]) -> str:
    """The type a message names, or else that of the only content in it that is known."""
    named = text(item.get("type"), 64) or ""
    named = named.lower() if named.lower() in TYPES else named
    held = [name for name in TYPES if isinstance(item.get(name), dict | list | str)]
    if named and (item.get(named) is not None or named not in TYPES or named in WITHOUT_CONTENT or len(held) != 1):
        return named
    return held[0] if len(held) == 1 else UNKNOWN


def _audio(content: Raw) -> Summary:
    return Summary("voice" if content.get("voice") is True else "audio")


def _named(kind: str, key: str) -> Callable[[Raw], Summary]:
    def summary(content: Raw) -> Summary:
        name = text(content.get(key), 80)
        return Summary(f"{kind}_named", {"name": name}) if name else Summary(kind)

    return summary


def _contacts(content: Raw) -> Summary:
    cards = list(map(mapping, sequence(content.get("contacts"))))
    if any(card.get("origin") == "contact_request" for card in cards):
        return Summary("own_number")
    if len(cards) > 1:
        return Summary("contacts", {"count": len(cards)})
    name = text(contents.name_of(cards[0]), 80) if cards else None
    return Summary("contact_named", {"name": name}) if name else Summary("contact")


def _reaction(content: Raw) -> Summary:
    if not content:
        return Summary("unsupported_named", {"type": "reaction"})
    emoji = text(content.get("emoji"), 40)
    return Summary("reaction", {"emoji": emoji}) if emoji else Summary("reaction_removed")


def _interactive(content: Raw) -> Summary:
    kind = contents.interactive_kind(content)
    if kind == "call_permission_reply":
        has_agreed = mapping(content.get(kind)).get("response") == "accept"
        return Summary("calls_allowed" if has_agreed else "calls_refused")
    if kind == "nfm_reply":
        is_address = mapping(content.get(kind)).get("name") == "address_message"
        return Summary("address_form" if is_address else "form")
    return Summary("unsupported_named", {"type": kind.replace("_", " ") or "interactive"})


def _interactive_words(content: Raw) -> str | None:
    kind = contents.interactive_kind(content)
    return text(mapping(content.get(kind)).get("title")) if kind != "nfm_reply" else None


def _order(content: Raw) -> Summary:
    count = len(sequence(content.get("product_items")))
    return Summary("order_items", {"count": count}) if count and not text(content.get("text")) else Summary("order")


_RENAMED = ("user_changed_number", "customer_changed_number")


def _system(content: Raw) -> Summary:
    kind = text(content.get("type"), 40)
    if kind in _RENAMED:
        return Summary("number_changed")
    names = {"user_changed_user_id": "number_hidden", "customer_identity_changed": "new_device"}
    return Summary(names.get(kind or "", "system"))


def _system_words(content: Raw) -> str | None:
    """WhatsApp's own sentence, where we have none for the kind."""
    return text(content.get("body"), 1_000) if _system(content).kind == "system" else None


def _call(content: Raw) -> Summary:
    held = contents.call(content)
    if held.is_ours:
        return Summary("call_not_answered" if held.outcome == "missed" else "call_made")
    return Summary({"missed": "call_missed", "answered": "call_answered"}.get(held.outcome, "call"))


def _unsupported(content: Raw) -> Summary:
    kind = text(content.get("type"), 40)
    return Summary("unsupported_named", {"type": kind.replace("_", " ")}) if kind else Summary("unsupported")


def _edited_words(content: Raw) -> str | None:
    edited = mapping(content.get("message"))
    kind = type_in(edited)
    return words_of(kind, content_under(edited, kind)) if kind != "edit" else None


_ONLY_CUSTOMERS = "WhatsApp has it from customers only."
_ONLY_WHATSAPP = "WhatsApp itself says it."

TYPES: dict[str, MessageType] = {
    one.name: one
    for one in (
        MessageType(
            "text",
            "text",
            _called("empty"),
            words=_field("body"),
            is_all_words=True,
            is_searchable=True,
            sent_by=("composer", "direct-send"),
        ),
        MessageType("image", "image", _called("image"), words=_field("caption"), is_searchable=True, sent_by=("file",)),
        MessageType("video", "video", _called("video"), words=_field("caption"), is_searchable=True, sent_by=("file",)),
        MessageType("sticker", "sticker", _called("sticker"), sent_by=("file",)),
        MessageType("audio", "audio", _audio, is_searchable=True, sent_by=("file",)),
        MessageType(
            "document",
            "document",
            _named("document", "filename"),
            words=_field("caption"),
            is_searchable=True,
            sent_by=("file",),
        ),
        MessageType(
            "location",
            "location",
            _named("location", "name"),
            reader=contents.place,
            is_searchable=True,
            sent_by=("location",),
        ),
        MessageType("contacts", "contacts", _contacts, reader=contents.cards, is_searchable=True, sent_by=("contact",)),
        MessageType(
            "interactive",
            "interactive",
            _interactive,
            reader=contents.interactive,
            words=_interactive_words,
            is_all_words=True,
            is_searchable=True,
            sent_by=("buttons", "list", "link", "location-request", "flow", "direct-send"),
        ),
        MessageType(
            "button",
            "choice",
            _called("empty"),
            reader=contents.button,
            words=_field("text"),
            is_all_words=True,
            not_sent="A tap on a button of a template.",
        ),
        MessageType(
            "order",
            "order",
            _order,
            reader=contents.order,
            words=_field("text"),
            is_searchable=True,
            not_sent=_ONLY_CUSTOMERS,
        ),
        MessageType(
            "template",
            "template",
            _called("template"),
            reader=contents.template,
            is_all_words=True,
            sent_by=("template",),
        ),
        MessageType("reaction", "other", _reaction, about="message_id", sent_by=("reaction",)),
        MessageType(
            "edit",
            "edit",
            _called("edit"),
            words=_edited_words,
            about="original_message_id",
            not_sent="Businesses cannot change what they sent.",
        ),
        MessageType(
            "revoke",
            "other",
            _called("revoke"),
            about="original_message_id",
            not_sent="Businesses cannot delete what they sent.",
        ),
        MessageType(
            "system", "system", _system, reader=contents.renaming, words=_system_words, not_sent=_ONLY_WHATSAPP
        ),
        MessageType("call", "call", _call, reader=contents.call, not_sent="Calls cannot be made from here."),
        MessageType("request_welcome", "other", _called("request_welcome"), not_sent=_ONLY_CUSTOMERS),
        MessageType("media_placeholder", "placeholder", _called("media_placeholder"), not_sent=_ONLY_WHATSAPP),
        MessageType("unsupported", "unsupported", _unsupported, not_sent=_ONLY_WHATSAPP),
    )
}
SEARCHABLE = tuple(one.name for one in TYPES.values() if one.is_searchable)
