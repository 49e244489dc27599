"""One line for any message: what is stored of it is a kind and facts; the sentence is made for whoever reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.words import ENGLISH, N_, Language, nN_

LENGTH = 160


@dataclass(frozen=True, slots=True)
class Summary:
    """What a line says beside the sender's own words: a key of SENTENCES, and the facts that its sentence names."""

    kind: str
    facts: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, **self.facts}


@dataclass(frozen=True, slots=True)
class Sentence:
    """Whole sentences of one kind: single, with the sender's {words}, and the plural of the first by {count}."""

    single: str
    with_words: str = ""
    many: str = ""


def _plural(forms: tuple[str, str]) -> Sentence:
    one, many = forms
    return Sentence(one, many=many)


SENTENCES: dict[str, Sentence] = {
    "empty": Sentence(N_("Message without text")),
    "image": Sentence(N_("Photo"), N_("Photo: {words}")),
    "video": Sentence(N_("Video"), N_("Video: {words}")),
    "sticker": Sentence(N_("Sticker")),
    "voice": Sentence(N_("Voice message")),
    "audio": Sentence(N_("Audio file")),
    "document": Sentence(N_("File"), N_("File: {words}")),
    "document_named": Sentence(N_("File {name}"), N_("File {name}: {words}")),
    "location": Sentence(N_("Location")),
    "location_named": Sentence(N_("Location: {name}")),
    "contact": Sentence(N_("Contact card")),
    "contact_named": Sentence(N_("Contact card: {name}")),
    "contacts": _plural(nN_("{count} contact card", "{count} contact cards")),
    "own_number": Sentence(N_("Shared their phone number")),
    "order": Sentence(N_("Order"), N_("Order: {words}")),
    "order_items": _plural(nN_("Order of {count} product", "Order of {count} products")),
    "form": Sentence(N_("Form filled in")),
    "address_form": Sentence(N_("Address filled in")),
    "calls_allowed": Sentence(N_("Calls allowed")),
    "calls_refused": Sentence(N_("Calls not allowed")),
    "template": Sentence(N_("Template"), "{words}"),
    "media_placeholder": Sentence(N_("Photo, video or file that has not arrived yet")),
    "request_welcome": Sentence(N_("Opened the chat")),
    "edit": Sentence(N_("Edited a message"), N_("Edited a message: {words}")),
    "revoke": Sentence(N_("Deleted message")),
    "erased": Sentence(N_("Erased message")),
    "number_changed": Sentence(N_("Changed their phone number")),
    "number_hidden": Sentence(N_("Changed their phone number and does not show the new one")),
    "new_device": Sentence(N_("Uses WhatsApp on a new device")),
    "system": Sentence(N_("Message from WhatsApp"), N_("Message from WhatsApp: {words}")),
    "call": Sentence(N_("Incoming call")),
    "call_missed": Sentence(N_("Missed call")),
    "call_answered": Sentence(N_("Call answered")),
    "call_made": Sentence(N_("Outgoing call")),
    "call_not_answered": Sentence(N_("Outgoing call, not answered")),
    "reaction": Sentence(N_("Reacted {emoji}"), N_("Reacted {emoji} to “{words}”")),
    "reaction_removed": Sentence(N_("Removed a reaction"), N_("Removed the reaction to “{words}”")),
    "reaction_to_audio": Sentence(N_("Reacted {emoji} to a voice message")),
    "reaction_to_contacts": Sentence(N_("Reacted {emoji} to a contact card")),
    "reaction_to_document": Sentence(N_("Reacted {emoji} to a file")),
    "reaction_to_image": Sentence(N_("Reacted {emoji} to a photo")),
    "reaction_to_location": Sentence(N_("Reacted {emoji} to a location")),
    "reaction_to_order": Sentence(N_("Reacted {emoji} to an order")),
    "reaction_to_sticker": Sentence(N_("Reacted {emoji} to a sticker")),
    "reaction_to_template": Sentence(N_("Reacted {emoji} to a template")),
    "reaction_to_video": Sentence(N_("Reacted {emoji} to a video")),
    "reaction_to_message": Sentence(N_("Reacted {emoji} to a message")),
    "unsupported": Sentence(N_("Message of a kind that cannot be shown")),
    "unsupported_named": Sentence(
        N_("Message of a kind that cannot be shown ({type})"), N_("Message of a kind that cannot be shown: {words}")
    ),
}


def line(stored: Mapping[str, Any] | None, words: str, language: Language = ENGLISH) -> str:
    """At most 160 characters, never blank. `stored` is a summary as it is stored; without one the words are all."""
    shortened = cut(_sentence(stored, cut(words), language))
    return shortened or language.gettext(SENTENCES["empty"].single)


def cut(words: str) -> str:
    """On one line, and no longer than a preview."""
    joined = " ".join(words[: LENGTH * 10].split())
    return joined if len(joined) <= LENGTH else joined[: LENGTH - 1] + "…"


def _sentence(stored: Mapping[str, Any] | None, words: str, language: Language) -> str:
    if not stored:
        return words
    if stored.get("kind") == "plain":
        # A line from before kinds were stored, in whatever language it was written.
        return str(stored.get("line") or words)
    sentence = SENTENCES.get(str(stored.get("kind")), SENTENCES["unsupported"])
    facts = {name: str(fact) for name, fact in stored.items()}
    if words and sentence.with_words:
        return filled(language.gettext(sentence.with_words), facts | {"words": words})
    if sentence.many:
        count = stored.get("count")
        number = count if isinstance(count, int) else 0
        return filled(language.ngettext(sentence.single, sentence.many, number), facts)
    return filled(language.gettext(sentence.single), facts)


def filled(sentence: str, facts: Mapping[str, str]) -> str:
    """With its facts in place. One that a translator or an old row lacks stays out, and breaks nothing."""
    try:
        return sentence.format_map(_Facts(facts))
    except (ValueError, IndexError, AttributeError, KeyError):
        return sentence


class _Facts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""
