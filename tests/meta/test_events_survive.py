"""Poisonous bodies: nothing raises, what comes out can be stored, and a good neighbour always comes out."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.meta.events import InboundMessage, StatusUpdate, Unreadable, parse
from app.meta.message_types import summary_of
from app.meta.previews import line

from .bodies import NUMBER, WABA, body, message, messages_value, status

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(["\x00", "\ud800", "text", "image", "delivered", "x" * 600]),
)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
KEYS = ["id", "from", "from_user_id", "timestamp", "type", "text", "context", "errors", "interactive"]
KEYS += ["status", "pricing", "image", "edit", "referral", "system", "contacts", "unsupported"]
ITEMS = st.dictionaries(st.sampled_from(KEYS), JSON) | JSON
CHANGES = st.fixed_dictionaries(
    {"value": st.dictionaries(st.sampled_from(["messages", "statuses", "contacts", "metadata"]), JSON)},
    optional={"field": st.sampled_from(["messages", "account_update", "smb_message_echoes"]) | JSON},
)


def storable(event: Any) -> bool:
    stored = json.dumps(asdict(event), default=str, allow_nan=False, ensure_ascii=False).encode()
    return b"\\u0000" not in stored


def survivors(raw: bytes) -> list[Any]:
    events = list(parse(raw))
    assert all(map(storable, events))
    assert not any(isinstance(event, Unreadable) and "unexpected" in event.reason for event in events)
    return events


@given(st.binary(max_size=200))
def test_no_bytes_raise(raw: Any) -> None:
    survivors(raw)


@given(JSON)
def test_no_json_raises(value: Any) -> None:
    survivors(json.dumps(value).encode())


@given(st.lists(ITEMS), st.lists(ITEMS))
def test_a_good_item_survives_any_bad_neighbour(before: Any, after: Any) -> None:
    value = messages_value(*before, message(), *after, statuses=[*before, status(), *after])
    events = survivors(body(value))
    assert any(isinstance(event, InboundMessage) and event.text == "Hello" for event in events)
    assert any(isinstance(event, StatusUpdate) and event.wamid == "wamid.A" for event in events)


@given(st.lists(CHANGES | JSON), st.lists(JSON))
def test_a_good_change_survives_any_bad_neighbour(changes: Any, entries: Any) -> None:
    good = {"field": "messages", "value": messages_value(message())}
    entry = {"id": "1", "changes": [*changes, good]}
    events = survivors(json.dumps({"entry": [*entries, entry]}).encode())
    assert any(isinstance(event, InboundMessage) and event.text == "Hello" for event in events)


@given(JSON)
def test_every_message_has_a_preview(content: Any) -> None:
    for kind in ("text", "interactive", "contacts", "unsupported", "reaction", "system", "poll"):
        for event in parse(body(messages_value(message(kind, **{kind: content})))):
            assert isinstance(event, InboundMessage)
            summary = summary_of(event.type, event.text, event.content)
            assert line(summary.as_dict() if summary else None, event.text or "").strip()


@pytest.mark.parametrize(
    "poison",
    [
        "[" * 5_000 + "]" * 5_000,
        '{"a":' * 900 + "1" + "}" * 900,
        '["]",' * 500 + "1" + "]" * 500,
        '["]",' * 5_000 + "1" + ',"["]' * 5_000,
        '{"id":"wamid.B","type":' + "[" * 200_000 + "]" * 200_000 + "}",
        "9" * 10_000,
        "1e999",
        "-Infinity",
        "NaN",
        r'"\ud800"',
        r'"\\\ude00"',
        r'"\u0000"',
        '"\x00"',
    ],
)
def test_a_good_message_survives_poison_in_the_same_list(poison: Any) -> None:
    raw = body(messages_value("POISON", message())).replace(b'"POISON"', poison.encode())
    events = survivors(raw)
    assert [event.text for event in events if isinstance(event, InboundMessage)] == ["Hello"]
    assert len(events) == 2


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"a\u0000b", "a\ufffdb"),
        (r"a\ud800b", "a\ufffdb"),
        (r"a\udc00b", "a\ufffdb"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (r"\\ud83d\ude00", "\\ud83d\ufffd"),
        (r"\\u0000", r"\u0000"),
        (r"caf\u00e9 \/", "café /"),
    ],
)
def test_text_is_stored_but_for_what_no_database_can_hold(written: Any, read: Any) -> None:
    raw = body(messages_value(message())).replace(b"Hello", written.encode())
    (incoming,) = parse(raw)
    assert isinstance(incoming, InboundMessage)
    assert incoming.text == read


def test_a_mistake_of_ours_in_one_item_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.meta.events.read_status", lambda raw, place: 1 / 0)
    incoming, mistaken = parse(body(messages_value(message(), statuses=[status()])))
    assert isinstance(incoming, InboundMessage)
    assert incoming.text == "Hello"
    assert mistaken == Unreadable("unexpected", status(), WABA, NUMBER, "ZeroDivisionError")


def test_an_id_too_long_to_be_one_is_not_cut_into_another() -> None:
    (event,) = parse(body(messages_value(message() | {"id": "wamid." + "A" * 600})))
    assert isinstance(event, Unreadable)


def test_a_hundred_thousand_changes_come_out_one_by_one() -> None:
    raw = body(*[messages_value(statuses=[status()])] * 100_000)
    assert sum(1 for _ in parse(raw)) == 100_000
