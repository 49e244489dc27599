"""Sending and following messages by program."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import delete

from app.api import ApiKey, pages
from app.api.idempotency import IdempotentRequest
from app.contacts.consents import Consent
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.number_desks import NumberDesk
from app.team.models import Team
from app.tenancy import db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import Caller, MakeCaller, statements_of, text_to
from tests.enqueued import Enqueued
from tests.inbox.test_first_messages import template
from tests.world import World, conversation


def test_a_text_is_answered_once_it_is_stored(shop: Caller, carla: Conversation, enqueued: Enqueued) -> None:
    answer = shop.post("/messages", text_to(carla))
    assert answer.status_code == 202 and answer.json
    assert (answer.json["state"], answer.json["text"]) == ("queued", "Your bread is ready.")
    assert answer.json["by"] == {"kind": "api", "id": str(shop.key.id), "name": "Shop"}
    assert "outbound.deliver" in enqueued.names


def test_a_message_is_read_back(shop: Caller, carla: Conversation) -> None:
    sent = shop.post("/messages", text_to(carla)).json
    assert sent and shop.get(f"/messages/{sent['id']}").json == sent


def test_a_number_that_never_wrote_gets_a_template(shop: Caller, world: World, number: PhoneNumber) -> None:
    hello = template(world, number.waba_id)
    body = {"type": "template", "to": {"phone": "+49 151 12345678", "name": "Hanna"}}
    part = {"name": hello.name, "language": "en", "variables": {"1": "Hanna"}}
    answer = shop.post("/messages", body | {"template": part})
    assert answer.status_code == 202, answer.json
    assert answer.json and answer.json["text"] == "Hello Hanna, your bread is ready."


@pytest.mark.parametrize(
    ("variables", "pointer"),
    [({}, "/template/variables/body-0-1"), ({"1": "a", "2": "b"}, "/template/variables/2"), ({"1": "a\nb"}, None)],
)
def test_a_template_filled_in_wrongly_is_refused(
    shop: Caller, world: World, carla: Conversation, variables: dict[str, str], pointer: str | None
) -> None:
    with tenant_scope(world.bakery.id):
        number = db.session.get_one(PhoneNumber, (world.bakery.id, carla.phone_number_id))
    part = {"id": str(template(world, number.waba_id).id), "variables": variables}
    body = {"type": "template", "to": {"conversation_id": str(carla.id)}, "template": part}
    answer = shop.post("/messages", body)
    assert answer.status_code == 422
    problem = answer.get_json(force=True)
    assert problem["errors"][0]["pointer"].startswith("/template")
    assert pointer is None or problem["errors"][0]["pointer"] == pointer


def test_a_closed_window_is_shown(shop: Caller, carla: Conversation, world: World) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).last_inbound_at = now() - dt.timedelta(hours=25)
    problem = shop.post("/messages", text_to(carla)).get_json(force=True)
    assert (problem["status"], problem["code"]) == (409, "window_closed")
    assert problem["type"].endswith("/developers/problems/window_closed")


def test_the_same_message_is_answered_when_it_would_be_refused_by_now(
    shop: Caller, carla: Conversation, world: World
) -> None:
    first = shop.post("/messages", text_to(carla), Idempotency_Key="bread").json
    with tenant_scope(world.bakery.id):
        db.session.execute(delete(IdempotentRequest))
        Conversation.get_or_404(carla.id).last_inbound_at = now() - dt.timedelta(hours=25)
    again = shop.post("/messages", text_to(carla), Idempotency_Key="bread")
    assert again.status_code == 202 and again.json and first and again.json["id"] == first["id"]
    assert shop.post("/messages", text_to(carla), Idempotency_Key="cake").status_code == 409


def test_a_text_takes_few_statements(app: Flask, shop: Caller, carla: Conversation) -> None:
    for _ in range(2):
        assert shop.post("/messages", text_to(carla)).status_code == 202
    # The tenant, the key, the conversation with all around it; the message, the conversation, what happened.
    assert statements_of(app, lambda: shop.post("/messages", text_to(carla))) == 6


def test_a_text_to_a_contact_takes_few_statements(app: Flask, shop: Caller, carla: Conversation) -> None:
    wanted = text_to(carla) | {"to": {"contact_id": str(carla.contact_id)}}
    for _ in range(2):
        assert shop.post("/messages", wanted).status_code == 202
    # As above, and the contact, their conversations, our number.
    assert statements_of(app, lambda: shop.post("/messages", wanted)) == 9


def test_who_has_opted_out_gets_no_marketing(shop: Caller, world: World, carla: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        number = db.session.get_one(PhoneNumber, (world.bakery.id, carla.phone_number_id))
        Consent.record(carla.contact_id, "marketing", is_granted=False, source="form")
    offer = template(world, number.waba_id, "MARKETING")
    part = {"id": str(offer.id), "variables": {"1": "Carla"}}
    answer = shop.post("/messages", {"type": "template", "to": {"contact_id": str(carla.contact_id)}, "template": part})
    assert answer.get_json(force=True)["code"] == "unsubscribed"


def test_twenty_times_at_once_with_one_key_is_one_message(shop: Caller, carla: Conversation, world: World) -> None:
    def send(_: int) -> tuple[int, bytes]:
        answer = shop.post("/messages", text_to(carla), Idempotency_Key="order-17")
        return answer.status_code, answer.data

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(send, range(20)))
    assert len(answers) == 1 and answers.pop()[0] == 202
    with tenant_scope(world.bakery.id):
        assert db.session.query(Message).filter_by(direction="outbound").count() == 1


def test_the_same_key_with_another_body_is_refused(shop: Caller, carla: Conversation) -> None:
    shop.post("/messages", text_to(carla), Idempotency_Key="k")
    answer = shop.post("/messages", text_to(carla, "Something else"), Idempotency_Key="k")
    assert answer.get_json(force=True)["code"] == "idempotency_key_reused"


def test_a_replayed_answer_says_so(shop: Caller, carla: Conversation) -> None:
    first, second = (shop.post("/messages", text_to(carla), Idempotency_Key="k") for _ in range(2))
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true" and second.data == first.data


def test_what_was_refused_may_be_sent_again_with_its_key(shop: Caller, carla: Conversation, world: World) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).last_inbound_at = now() - dt.timedelta(hours=25)
    assert shop.post("/messages", text_to(carla), Idempotency_Key="k").status_code == 409
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).last_inbound_at = now()
    assert shop.post("/messages", text_to(carla), Idempotency_Key="k").status_code == 202


def test_a_scheduled_message_waits_and_can_be_cancelled(shop: Caller, carla: Conversation) -> None:
    at = (now() + dt.timedelta(hours=3)).isoformat()
    sent = shop.post("/messages", text_to(carla) | {"send_at": at}).json
    assert sent and sent["state"] == "scheduled"
    assert shop.post(f"/messages/{sent['id']}/cancel").json["state"] == "cancelled"  # type: ignore[index]
    assert shop.post(f"/messages/{sent['id']}/cancel").status_code == 200


def test_what_is_gone_out_is_not_cancelled(shop: Caller, carla: Conversation, world: World) -> None:
    sent = shop.post("/messages", text_to(carla)).json
    assert sent
    with tenant_scope(world.bakery.id):
        Message.get_or_404(sent["id"]).state = "delivered"
    assert shop.post(f"/messages/{sent['id']}/cancel").get_json(force=True)["code"] == "not_waiting"


def test_a_page_stays_right_while_messages_arrive(shop: Caller, carla: Conversation) -> None:
    ids = [shop.post("/messages", text_to(carla, f"No. {place}")).json["id"] for place in range(5)]  # type: ignore[index]
    first = shop.get("/messages?limit=2").json
    shop.post("/messages", text_to(carla, "newer"))
    assert first
    second = shop.get(f"/messages?limit=2&after={first['next']}")
    third = shop.get(f"/messages?limit=2&after={second.json['next']}").json  # type: ignore[index]
    read = [one["id"] for page in (first, second.json, third) for one in page["data"]]  # type: ignore[index]
    assert read == ids[::-1] and third and third["next"] is None
    assert 'rel="next"' in second.headers["Link"]


@pytest.mark.parametrize("place", ["/messages", "/conversations/{}/messages"])
def test_a_page_in_which_nothing_matches_leads_on(
    shop: Caller, carla: Conversation, monkeypatch: pytest.MonkeyPatch, place: str, world: World
) -> None:
    monkeypatch.setattr(pages, "SCANNED", 2)
    ids = [shop.post("/messages", text_to(carla, f"No. {place}")).json["id"] for place in range(5)]  # type: ignore[index]
    with tenant_scope(world.bakery.id):
        Message.get_or_404(ids[0]).type = "image"
        for id in ids[1:4]:
            Message.get_or_404(id).type, Message.get_or_404(id).content = "reaction", {"raw": {}}
    address, read, sizes = place.format(carla.id), [], []
    cursor = ""
    while cursor is not None:
        page = shop.get(f"{address}?limit=2{cursor and '&after=' + cursor}").json
        assert page
        sizes.append(len(page["data"]))
        read += [one["id"] for one in page["data"]]
        cursor = page["next"]
    assert read == [ids[4], ids[0]] and sizes == [1, 0, 1]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "after=x",
        "after=bnVsbA",
        "nope=1",
        "limit=1&limit=2",
        "created_after=3000-01-01",
    ],
)
def test_parameters_that_make_no_sense_are_named(shop: Caller, query: str) -> None:
    answer = shop.get(f"/messages?{query}")
    assert answer.status_code == 422
    assert answer.get_json(force=True)["errors"][0]["parameter"] == query.partition("=")[0]


def test_messages_are_filtered(shop: Caller, carla: Conversation) -> None:
    sent = shop.post("/messages", text_to(carla)).json
    for query, results in (("filter[state]=queued", 1), ("filter[direction]=inbound", 0), (f"filter[wamid]={'x'}", 0)):
        assert len(shop.get(f"/messages?{query}").json["data"]) == results, query  # type: ignore[index]
    assert sent and shop.get(f"/messages?filter[conversation_id]={carla.id}").json["data"] == [sent]  # type: ignore[index]


def test_messages_are_sorted_either_way_page_by_page(shop: Caller, carla: Conversation) -> None:
    sent = [shop.post("/messages", text_to(carla, f"No. {n}")).get_json()["id"] for n in range(3)]
    for path in ("/messages", f"/conversations/{carla.id}/messages"):
        for sort, expected in (("created_at", sent), ("-created_at", sent[::-1])):
            read, after = [], ""
            while after is not None:
                page = shop.get(f"{path}?limit=1&sort={sort}{after and f'&after={after}'}").get_json()
                read += [one["id"] for one in page["data"]]
                after = page["next"]
            assert [id for id in read if id in sent] == expected


def test_a_state_that_there_is_not_is_refused(shop: Caller) -> None:
    assert shop.get("/messages?filter[state]=deliverd").status_code == 422
    assert shop.get("/messages?filter[state]=sent,delivered").status_code == 200


NONSENSE = [
    b"",
    b"[]",
    b"null",
    b'"text"',
    b"{",
    b'{"type":"text","type":"text"}',
    b'{"type":"text","text":{"body":"a","b\\u006fdy":"b"}}',
    "{}".encode("utf-16"),
    b"\xef\xbb\xbf{}",
    b'{"x":NaN}',
    b'{"x":1e999}',
    b"\xff\xfe{",
    b'{"x":"\\u0000"}',
    b'{"x":"\\ud800"}',
    b"[" * 5000,
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b'{"x":' + b"9" * 5000 + b"}",
]


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_refused_in_words(shop: Caller, body: bytes) -> None:
    answer = shop.call("POST", "/messages", body or b" ")
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


def test_a_body_too_large_or_of_another_type_is_refused(shop: Caller) -> None:
    assert shop.call("POST", "/messages", b'{"x":"' + b"x" * 1_100_000 + b'"}').status_code == 413
    assert shop.call("POST", "/messages", b"a=b", Content_Type="text/plain").status_code == 415


def test_a_compressed_body_is_refused_as_such(shop: Caller, carla: Conversation) -> None:
    body = gzip.compress(json.dumps(text_to(carla)).encode())
    for path, type in (("/messages", "application/json"), ("/media", "image/png")):
        answer = shop.call("POST", path, body, Content_Type=type, Content_Encoding="gzip")
        assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "identity")
        assert "Content-Encoding" in answer.get_json(force=True)["detail"]


def test_a_body_too_deep_to_be_parsed_is_refused_as_such(shop: Caller) -> None:
    for deep in (40, 100_000):
        answer = shop.call("POST", "/messages", b'{"a":' * deep + b"1" + b"}" * deep)
        assert answer.get_json(force=True)["detail"] == "The body may be at most 32 levels deep."


def test_a_body_too_large_that_says_no_length_is_refused_as_such(shop: Caller) -> None:
    headers = {"Authorization": f"Bearer {shop.secret}", "Content-Type": "application/json"}
    body = io.BytesIO(b'{"x":"' + b"x" * 1_100_000 + b'"}')
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = shop.client.post("/api/v1/messages", input_stream=body, headers=headers, environ_overrides=chunked)
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (413, "too_large")


def test_a_key_that_is_revoked_between_two_pages_reads_no_further(shop: Caller, carla: Conversation) -> None:
    for number in range(2):
        shop.post("/messages", text_to(carla, f"No. {number}"))
    cursor = shop.get("/messages?limit=1").json["next"]  # type: ignore[index]
    with tenant_scope(shop.key.tenant_id):
        ApiKey.get_or_404(shop.key.id).revoke()
    answer = shop.get(f"/messages?limit=1&after={cursor}")
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (401, "key_revoked")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"text": {}}, "/text/body"),
        ({"text": {"body": ""}}, "/text/body"),
        ({"text": {"body": 7}}, "/text/body"),
        ({"text": {"body": "x" * 4097}}, "/text/body"),
        ({"extra": 1}, "/extra"),
        ({"to": {}}, "/to"),
        ({"to": {"phone": "+49 151 12345678", "contact_id": str(uuid.uuid4())}}, "/to"),
        ({"to": {"conversation_id": str(uuid.uuid4())}}, "/to/conversation_id"),
        ({"to": {"phone": "0151"}}, "/to/phone"),
        ({"type": "nonsense"}, "/type"),
        ({"from": str(uuid.uuid4()), "to": {"phone": "+49 151 12345678"}}, "/from"),
        ({"from": str(uuid.uuid4())}, "/from"),
        ({"reply_to": str(uuid.uuid4())}, "/reply_to"),
    ],
)
def test_each_part_that_is_wrong_is_pointed_at(
    shop: Caller, carla: Conversation, change: dict[str, object], pointer: str
) -> None:
    answer = shop.post("/messages", text_to(carla) | change)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json(force=True)["errors"]] == [pointer]


def test_a_conversation_is_not_written_in_from_another_number(
    shop: Caller, carla: Conversation, world: World, number: PhoneNumber
) -> None:
    with tenant_scope(world.bakery.id):
        second = PhoneNumber(waba_id=number.waba_id, meta_id="777", display_number="+1 555 1", state="connected")
        db.session.add(second)
        db.session.flush()
    answer = shop.post("/messages", text_to(carla) | {"from": str(second.id)})
    assert [fault["code"] for fault in answer.get_json(force=True)["errors"]] == ["other_number"]
    assert shop.post("/messages", text_to(carla) | {"from": str(number.id)}).status_code == 202


def test_what_says_no_type_gets_an_error_with_all_types(shop: Caller) -> None:
    (missing,) = shop.post("/messages", {}).get_json(force=True)["errors"]
    assert missing == {"code": "required", "detail": "Field required", "pointer": "/type"}
    (wrong,) = shop.post("/messages", {"type": "x" * 5_000}).get_json(force=True)["errors"]
    assert wrong["detail"].startswith("Input should be one of 'text', 'image'")


def test_the_neighbour_reaches_nothing(caller: MakeCaller, world: World, carla: Conversation, shop: Caller) -> None:
    sent, theirs = shop.post("/messages", text_to(carla)).json, caller(world.shoes)
    assert sent
    for method, path in (("GET", ""), ("POST", "/retry"), ("POST", "/cancel"), ("POST", "/read")):
        assert theirs.call(method, f"/messages/{sent['id']}{path}").status_code == 404
    assert theirs.get("/messages").json == {"data": [], "next": None}
    assert theirs.post("/messages", text_to(carla)).status_code == 422


def test_a_teams_key_reaches_its_numbers_only(caller: MakeCaller, world: World, carla: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        bread, cakes = Team(name="Bread"), Team(name="Cakes")
        db.session.add_all([bread, cakes])
        db.session.flush()
        NumberDesk.change(carla.phone_number_id, team=bread, read_receipts="always")
    ours, others = (caller(kind="team", team_id=team.id) for team in (bread, cakes))
    assert ours.post("/messages", text_to(carla)).status_code == 202
    assert others.post("/messages", text_to(carla)).status_code == 422
    assert others.get(f"/conversations/{carla.id}").status_code == 404
    assert [len(each.get("/messages").json["data"]) for each in (ours, others)] == [1, 0]  # type: ignore[index]


def test_every_type_of_message_is_sent(shop: Caller, carla: Conversation) -> None:
    parts: dict[str, dict[str, object]] = {
        "location": {"latitude": 52.52, "longitude": 13.4, "name": "Bakery"},
        "contact": {"name": "Ben", "phone": "+49 30 901820"},
        "buttons": {"body": "Bread?", "buttons": ["Yes", "No"]},
        "list": {"body": "Which?", "button": "Choose", "choices": [{"title": "Rye"}]},
        "link": {"body": "Menu", "title": "Open", "url": "https://bakery.example/menu"},
        "location_request": {"body": "Where?"},
        "flow": {"flow_id": "1", "body": "Please order", "button": "Open"},
        "raw": {"type": "interactive", "content": {"type": "flow"}, "text": "A flow"},
    }
    for type, part in parts.items():
        answer = shop.post("/messages", {"type": type, "to": {"conversation_id": str(carla.id)}, type: part})
        assert answer.status_code == 202, (type, answer.json)


def test_meta_s_own_format_needs_its_own_scope(caller: MakeCaller, carla: Conversation) -> None:
    sender = caller(scopes=["messages:write"])
    raw = {"type": "interactive", "content": {"type": "flow"}}
    answer = sender.post("/messages", {"type": "raw", "to": {"conversation_id": str(carla.id)}, "raw": raw})
    assert answer.status_code == 403


def test_a_message_is_quoted_and_reacted_to(shop: Caller, carla: Conversation, world: World) -> None:
    with tenant_scope(world.bakery.id):
        requested = Message(conversation_id=carla.id, phone_number_id=carla.phone_number_id, direction="inbound")
        requested.state, requested.body, requested.wamid = "received", "Rye?", "wamid.1"
        db.session.add(requested)
    quoted = shop.post("/messages", text_to(carla) | {"reply_to": str(requested.id)})
    assert quoted.json and quoted.json["reply_to"] == "wamid.1"
    reaction = {"type": "reaction", "reaction": {"message_id": str(requested.id), "emoji": "👍"}}
    assert shop.post("/messages", reaction | {"to": {"conversation_id": str(carla.id)}}).status_code == 202


def test_with_two_numbers_one_says_which(shop: Caller, world: World, number: PhoneNumber) -> None:
    with tenant_scope(world.bakery.id):
        second = PhoneNumber(waba_id=number.waba_id, meta_id="777", display_number="+1 555 1", state="connected")
        db.session.add(second)
    body = {"type": "text", "to": {"phone": "+49 151 12345678"}, "text": {"body": "x"}}
    assert shop.post("/messages", body).get_json(force=True)["errors"][0]["pointer"] == "/from"
    talk = conversation(number, wa_id="4915112345678")
    answer = shop.post("/messages", body | {"from": str(number.id)})
    assert answer.json and answer.json["conversation_id"] == str(talk.id)
