from typing import Any

import pytest

from app.meta.events import InboundMessage, parse
from app.meta.message_types import SEARCHABLE, TYPES, summary_of
from app.meta.previews import SENTENCES, line
from app.words import Language

from .bodies import body, message, messages_value


def seen(*, type: str = "text", language: Language | None = None, **content: Any) -> str:
    (event,) = parse(body(messages_value(message(type, **content))))
    assert isinstance(event, InboundMessage)
    summary = summary_of(event.type, event.text, event.content)
    return line(summary.as_dict() if summary else None, event.text or "", *filter(None, [language]))


@pytest.mark.parametrize(
    ("type", "content", "line"),
    [
        ("text", {"body": "Hello\n  there"}, "Hello there"),
        ("text", {"body": "  "}, "Message without text"),
        ("image", {"id": "1"}, "Photo"),
        ("image", {"caption": "Look"}, "Photo: Look"),
        ("audio", {"voice": True}, "Voice message"),
        ("audio", {}, "Audio file"),
        ("document", {"filename": "a.pdf"}, "File a.pdf"),
        ("location", {"name": "HQ"}, "Location: HQ"),
        ("location", {}, "Location"),
        ("contacts", [{"origin": "contact_request"}], "Shared their phone number"),
        ("contacts", [{}, {}], "2 contact cards"),
        ("contacts", [{}], "Contact card"),
        ("reaction", {"emoji": "👍"}, "Reacted 👍"),
        ("reaction", {"emoji": ""}, "Removed a reaction"),
        ("button", {"text": "Stop"}, "Stop"),
        ("interactive", {"type": "button_reply", "button_reply": {"title": "Yes"}}, "Yes"),
        ("interactive", {"type": "nfm_reply", "nfm_reply": {"body": "Sent"}}, "Form filled in"),
        (
            "interactive",
            {"type": "call_permission_reply", "call_permission_reply": {"response": "accept"}},
            "Calls allowed",
        ),
        ("interactive", {}, "Message of a kind that cannot be shown (interactive)"),
        ("system", {"type": "user_changed_number"}, "Changed their phone number"),
        ("edit", {"message": {"type": "text", "text": {"body": "new"}}}, "Edited a message: new"),
        ("revoke", {}, "Deleted message"),
        ("unsupported", {"type": "poll"}, "Message of a kind that cannot be shown (poll)"),
        ("unsupported", {}, "Message of a kind that cannot be shown"),
        ("hologram", {}, "Message of a kind that cannot be shown (hologram)"),
    ],
)
def test_every_type_has_an_honest_line(type: str, content: Any, line: str) -> None:
    assert seen(type=type, **{type: content}) == line


def test_a_long_text_is_cut() -> None:
    line = seen(text={"body": "x" * 1_000})
    assert len(line) == 160
    assert line.endswith("…")


GERMAN = Language(
    {"Location: {name}": "Standort: {name}"}.__getitem__,
    lambda one, many, count: "eine Karte" if count == 1 else "{count} Karten",
)


def test_a_line_is_made_in_the_readers_language() -> None:
    assert seen(type="location", location={"name": "HQ"}, language=GERMAN) == "Standort: HQ"
    assert seen(type="contacts", contacts=[{}, {}, {}], language=GERMAN) == "3 Karten"


def test_a_translation_that_names_a_fact_wrongly_breaks_nothing() -> None:
    broken = Language(lambda words: "{nom} {", lambda one, many, count: one)
    assert seen(type="location", location={"name": "HQ"}, language=broken) == "{nom} {"


def test_a_line_from_before_kinds_were_stored_stays_as_it_was() -> None:
    assert line({"kind": "plain", "line": "hat etwas geschickt"}, "") == "hat etwas geschickt"


def test_every_type_has_words_and_a_sender_or_a_reason_for_having_none() -> None:
    for existing in TYPES.values():
        assert existing.summary({}).kind in SENTENCES, f"{existing.name}: its line has no sentence"
        assert bool(existing.sent_by) != bool(existing.not_sent), (
            f"{existing.name}: say what sends it, or why nothing does"
        )
        assert existing.shape, f"{existing.name}: say which partial shows it"
    assert SEARCHABLE
