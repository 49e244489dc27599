import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.meta.contents import cards
from app.meta.events import (
    AccountUpdate,
    Context,
    InboundMessage,
    MessageEcho,
    OtherChange,
    Pricing,
    StatusUpdate,
    Unreadable,
    parse,
)
from app.meta.message_types import summary_of

from .bodies import NUMBER, PORTFOLIO, SHEENA, WABA, body, message, messages_value, status

ARRIVAL = datetime(2026, 11, 20, 12, tzinfo=UTC)


def events(raw: bytes) -> list[Any]:
    return list(parse(raw, ARRIVAL))


def one(raw: bytes) -> Any:
    (event,) = events(raw)
    return event


def test_a_text_comes_out_with_its_sender() -> None:
    incoming = one(body(messages_value(message(), contacts=[SHEENA])))
    assert isinstance(incoming, InboundMessage)
    assert (incoming.phone_number_id, incoming.waba_id, incoming.wamid) == (NUMBER, WABA, "wamid.A")
    assert (incoming.from_, incoming.user_id, incoming.username) == ("16505551234", "US.134", "sheena.n")
    assert (incoming.profile_name, incoming.type, incoming.text) == ("Sheena", "text", "Hello")
    assert incoming.timestamp.replace(microsecond=0) == datetime(2025, 6, 8, 20, 59, 43, tzinfo=UTC)


def test_contacts_are_matched_by_identity_and_never_by_order() -> None:
    other = {"profile": {"name": "Pablo"}, "wa_id": "34600", "user_id": "ES.1"}
    pablos = message() | {"id": "wamid.B", "from": "34600", "from_user_id": "ES.1"}
    incoming = events(body(messages_value(message(), pablos, contacts=[other, SHEENA])))
    assert [each.profile_name for each in incoming] == ["Sheena", "Pablo"]


def test_the_user_id_outweighs_the_phone_number() -> None:
    same_phone = {"profile": {"name": "Somebody"}, "wa_id": "16505551234", "user_id": "US.999"}
    incoming = one(body(messages_value(message(), contacts=[SHEENA, same_phone])))
    assert incoming.profile_name == "Sheena"


def test_a_person_without_a_phone_number_is_known_by_user_id() -> None:
    hidden = {name: value for name, value in message().items() if name != "from"}
    incoming = one(body(messages_value(hidden, contacts=[{"profile": {"name": "S"}, "user_id": "US.134"}])))
    assert (incoming.from_, incoming.user_id, incoming.profile_name) == (None, "US.134", "S")


def test_a_system_message_needs_no_contact_and_no_sender() -> None:
    system = {"type": "user_changed_user_id", "user_id": "US.NEW", "previous_user_id": "US.OLD"}
    raw = {"id": "wamid.S", "timestamp": "1749416383", "type": "system", "system": system}
    assert one(body(messages_value(raw))).content == system


@pytest.mark.parametrize(
    ("context", "read"),
    [
        ({"from": "1", "id": "wamid.X"}, Context("wamid.X", False)),
        ({"forwarded": True}, Context(None, True)),
        ({"frequently_forwarded": True}, Context(None, True)),
        ({}, None),
    ],
)
def test_a_message_says_what_it_answers_or_that_it_was_forwarded(context: Any, read: Any) -> None:
    assert one(body(messages_value(message() | {"context": context}))).context == read


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (message("image", image={"id": "1", "caption": "Look"}), "Look"),
        (message("button", button={"payload": "p", "text": "Stop"}), "Stop"),
        (
            message("interactive", interactive={"type": "list_reply", "list_reply": {"title": "Fast"}}),
            "Fast",
        ),
        (message("edit", edit={"message": {"type": "text", "text": {"body": "new"}}}), "new"),
        (message("interactive", errors=[{"code": 131000}]), None),
        (message("sticker", sticker={"id": "1"}), None),
    ],
)
def test_what_a_person_wrote_or_tapped_is_the_text(raw: Any, words: str) -> None:
    assert one(body(messages_value(raw))).text == words


def test_content_that_is_a_list_is_stored_under_its_type() -> None:
    cards = [{"name": {"formatted_name": "B J"}}]
    assert one(body(messages_value(message("contacts", contacts=cards)))).content == {"contacts": cards}


def test_an_unsupported_message_has_its_errors() -> None:
    raw = message("unsupported", errors=[{"code": 131051, "title": "Unknown"}], unsupported={"type": "poll"})
    incoming = one(body(messages_value(raw)))
    assert incoming.content == {"type": "poll"}
    assert incoming.errors[0].code == 131051


def test_a_status_comes_out_with_its_price() -> None:
    pricing = {
        "billable": True,
        "pricing_model": "PMP",
        "category": "authentication-international",
        "type": "regular",
    }
    update = one(body(messages_value(statuses=[status(pricing=pricing, biz_opaque_callback_data="v1.x")])))
    assert isinstance(update, StatusUpdate)
    assert (update.wamid, update.status, update.callback_data) == ("wamid.A", "delivered", "v1.x")
    assert update.pricing == Pricing("authentication_international", "regular", None, True, "PMP")


def test_a_status_of_a_group_names_the_group_and_the_person() -> None:
    of_group = status(recipient_type="group", recipient_id="GROUP1", recipient_participant_id="16505551234")
    update = one(body(messages_value(statuses=[of_group])))
    assert isinstance(update, StatusUpdate)
    assert (update.group_id, update.recipient_id) == ("GROUP1", "16505551234")


def test_a_failed_status_explains_itself() -> None:
    failed = status(status="failed", errors=[{"code": 131047, "title": "Re-engagement message"}])
    (error,) = one(body(messages_value(statuses=[failed]))).errors
    assert error.explanation.kind == "final"


@pytest.mark.parametrize("key", ["parent_recipient_user_id", "recipient_parent_user_id"])
def test_both_spellings_of_the_recipients_parent_are_read(key: str) -> None:
    update = one(body(messages_value(statuses=[status(**{key: "US.ENT.1"})])))
    assert update.recipient_parent_user_id == "US.ENT.1"


def test_an_echo_is_what_the_business_sent_from_its_phone() -> None:
    echo = message() | {"to": "16505551234", "to_user_id": "US.134"}
    sent = one(body(messages_value(message_echoes=[echo]), field="smb_message_echoes"))
    assert isinstance(sent, MessageEcho)
    assert (sent.to, sent.to_user_id, sent.text) == ("16505551234", "US.134", "Hello")


@pytest.mark.parametrize("timestamp", ["1749416383", 1749416383, " 1749416383 ", 1749416383.9])
def test_a_timestamp_may_be_text_or_a_number(timestamp: Any) -> None:
    incoming = one(body(messages_value(message() | {"timestamp": timestamp})))
    assert incoming.timestamp.replace(microsecond=0) == datetime.fromtimestamp(1749416383, UTC)


@pytest.mark.parametrize(
    "timestamp", [None, "", "yesterday", [], {}, True, -1, 0, "9999999999", 1749416383000, "9" * 5_000]
)
def test_a_timestamp_without_sense_becomes_the_time_of_arrival(timestamp: Any) -> None:
    assert one(body(messages_value(message() | {"timestamp": timestamp}))).timestamp == ARRIVAL


def test_without_a_time_of_arrival_it_is_the_present() -> None:
    (incoming,) = parse(body(messages_value(message() | {"timestamp": "soon"})))
    assert isinstance(incoming, InboundMessage)
    assert abs(datetime.now(UTC) - incoming.timestamp) < timedelta(minutes=1)


def test_errors_of_the_whole_value_are_stored_beside_its_messages() -> None:
    incoming, rest = events(body(messages_value(message(), errors=[{"code": 130429}])))
    assert isinstance(incoming, InboundMessage)
    assert rest == OtherChange("messages", WABA, NUMBER, ARRIVAL, {"errors": [{"code": 130429}]})


def test_a_messages_change_with_nothing_in_it_is_held() -> None:
    assert isinstance(one(body(messages_value())), OtherChange)


def test_any_other_field_is_stored_whole() -> None:
    value = {"event": "APPROVED", "message_template_id": 1689556908129832}
    change = one(body(value, field="message_template_status_update", time=1751247548))
    assert (change.field, change.waba_id, change.value) == ("message_template_status_update", WABA, value)
    assert change.timestamp.replace(microsecond=0) == datetime.fromtimestamp(1751247548, UTC)


@pytest.mark.parametrize(
    ("value", "waba_id", "owner"),
    [
        ({"event": "ACCOUNT_DELETED"}, PORTFOLIO, None),
        ({"event": "PARTNER_ADDED", "waba_info": {"waba_id": "98", "owner_business_id": "23"}}, "98", "23"),
        ({"event": "PARTNER_APP_UNINSTALLED"}, None, None),
        ({"event": "PARTNER_REMOVED", "phone_number": "1555", "disconnection_info": {}}, PORTFOLIO, None),
        ({"event": "MM_LITE_TERMS_SIGNED", "waba_info": {"waba_id": 98}}, "98", None),
        (
            {
                "event": "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
                "partner_client_certification_info": {"client_business_id": "27"},
            },
            None,
            "27",
        ),
    ],
)
def test_an_account_update_finds_its_waba_where_meta_put_it(value: Any, waba_id: Any, owner: Any) -> None:
    update = one(body(value, field="account_update", waba_id=PORTFOLIO))
    assert isinstance(update, AccountUpdate)
    assert (update.waba_id, update.owner_business_id, update.value) == (waba_id, owner, value)


def test_a_partner_solution_does_not_take_our_portfolio_for_a_waba() -> None:
    assert one(body({"event": "SOLUTION_CREATED"}, field="partner_solutions")).waba_id is None


@pytest.mark.parametrize(
    "entry",
    [
        {"id": PORTFOLIO, "changes": [{"value": {"field": "account_update", "event": "PARTNER_ADDED"}}]},
        {"id": PORTFOLIO, "field": "account_update", "changes": [{"value": {"event": "PARTNER_ADDED"}}]},
        {"id": PORTFOLIO, "field": "account_update", "value": {"event": "PARTNER_ADDED"}},
        {"id": PORTFOLIO, "changes": [{"value": {"event": "PARTNER_ADDED", "waba_info": {"waba_id": "98"}}}]},
    ],
)
def test_a_misplaced_or_missing_field_name_is_found(entry: Any) -> None:
    assert isinstance(one(json.dumps({"entry": [entry]}).encode()), AccountUpdate)


@pytest.mark.parametrize("key", ["id", "from", "metadata"])
def test_what_cannot_be_placed_is_unreadable_with_its_reason(key: str) -> None:
    broken = {name: value for name, value in message().items() if name not in (key, "from_user_id")}
    value = messages_value(broken)
    value.pop(key, None)
    event = one(body(value))
    assert isinstance(event, Unreadable)
    assert event.reason
    assert event.raw == broken


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'{"entry":{}}', b"\xff\x00", b"[" * 100_000])
def test_a_body_without_sense_is_one_unreadable(raw: Any) -> None:
    assert isinstance(one(raw), Unreadable)


def test_within_its_second_a_message_came_when_it_reached_us() -> None:
    arrival = datetime.fromtimestamp(1749416383.4, UTC)
    (soon,) = parse(body(messages_value(message())), arrival)
    (late,) = parse(body(messages_value(message())), arrival + timedelta(minutes=5))
    assert isinstance(soon, InboundMessage) and isinstance(late, InboundMessage)
    assert soon.timestamp == arrival
    assert late.timestamp == datetime.fromtimestamp(1749416383.999, UTC)


CARLA = {"profile": {"name": "Carla"}, "wa_id": "16505551234"}


@pytest.mark.parametrize(
    "contacts", [[CARLA], [CARLA, CARLA], CARLA, [{"profile": {"name": "Carla"}, "user_id": "US.1"}]]
)
def test_a_message_that_names_no_sender_comes_from_the_only_person_beside_it(contacts: Any) -> None:
    incoming = one(body(messages_value({"id": "wamid.1", "type": "text", "text": {"body": "Hi"}}, contacts=contacts)))
    assert isinstance(incoming, InboundMessage)
    assert incoming.profile_name == "Carla" and (incoming.from_ == "16505551234" or incoming.user_id == "US.1")


def test_thousands_of_messages_beside_thousands_of_people_are_read_in_linear_time() -> None:
    people = [CARLA | {"wa_id": f"1650555{n:04}"} for n in range(3_000)]
    text = {"type": "text", "text": {"body": "Hi"}}
    messages = [text | {"id": f"wamid.{n}", "from": f"1650555{n:04}"} for n in range(3_000)]
    started = time.process_time()
    assert len(list(parse(body(messages_value(*messages, contacts=people))))) == 3_000
    assert time.process_time() - started < 2


def test_a_plus_before_a_number_makes_no_one_else_of_its_sender() -> None:
    item = {"from": "+16505551234", "id": "wamid.1", "type": "text", "text": {"body": "Hi"}}
    incoming = one(body(messages_value(item, contacts=[CARLA])))
    assert isinstance(incoming, InboundMessage) and (incoming.from_, incoming.profile_name) == ("16505551234", "Carla")


@pytest.mark.parametrize(
    ("item", "type", "words"),
    [
        ({"type": "TEXT", "text": {"body": "Hi"}}, "text", "Hi"),
        ({"type": "text", "text": "Hi"}, "text", "Hi"),
        ({"text": "Hi"}, "text", "Hi"),
        ({"type": None, "text": {"body": "Hi"}}, "text", "Hi"),
        ({"type": "image", "document": {"id": "1", "caption": "Hi"}}, "document", "Hi"),
        ({"type": "image", "errors": [{"code": 131052}]}, "image", None),
        ({"type": "unsupported", "text": {"body": "Hi"}}, "unsupported", None),
        ({"type": "new_kind", "text": {"body": "Hi"}}, "new_kind", None),
    ],
)
def test_the_content_names_the_type_where_the_type_does_not_fit(
    item: dict[str, Any], type: str, words: str | None
) -> None:
    incoming = one(body(messages_value({"from": "16505551234", "id": "wamid.1", **item}, contacts=[CARLA])))
    assert isinstance(incoming, InboundMessage) and (incoming.type, incoming.text) == (type, words)


def test_of_two_contents_without_a_type_nothing_is_lost() -> None:
    item = {"from": "16505551234", "id": "wamid.1", "image": {"id": "9"}, "text": {"body": "Hi"}}
    incoming = one(body(messages_value(item, contacts=[CARLA])))
    assert isinstance(incoming, InboundMessage)
    assert (incoming.type, incoming.content) == ("unknown", {"text": {"body": "Hi"}, "image": {"id": "9"}})


@pytest.mark.parametrize(
    "errors",
    [
        [{"code": 131052, "title": "No download", "error_data": {"details": "gone"}}],
        {"code": 131052, "title": "No download", "error_data": {"details": "gone"}},
        [{"code": "131052", "title": "No download", "details": "gone"}],
    ],
)
def test_an_error_is_read_however_it_is_put(errors: Any) -> None:
    item = {"from": "16505551234", "id": "wamid.1", "type": "image", "errors": errors}
    incoming = one(body(messages_value(item, contacts=[CARLA])))
    assert isinstance(incoming, InboundMessage)
    (error,) = incoming.errors
    assert (error.code, error.summary, error.details) == (131052, "No download", "gone")


def test_a_shared_contact_that_is_no_list_is_one() -> None:
    item = {"from": "16505551234", "id": "wamid.1", "type": "contacts", "contacts": {"name": {"first_name": "Rosa"}}}
    incoming = one(body(messages_value(item, contacts=[CARLA])))
    (card,) = cards(incoming.content)
    assert card.name == "Rosa"
    summary = summary_of("contacts", None, incoming.content)
    assert summary and summary.facts == {"name": "Rosa"}


def test_a_reaction_without_content_says_nothing_that_no_one_did() -> None:
    summary = summary_of("reaction", None, {})
    assert summary and summary.kind == "unsupported_named"
