"""A number that the business also uses on its phone: what it writes there, wrote before, and whom it knows."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import select

from app.tenancy import db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.arrivals import arrive, conversation, conversations, failures, files, messages, of_field
from tests.client import Browser
from tests.posts import message, status
from tests.world import World

NOW = time.time()
CARLA, BAKERY = "16505551234", "15550783881"


@pytest.fixture(autouse=True)
def numbers(world: World) -> None:
    world.connect_numbers()


def written(body: str, *, to: str = CARLA, wamid: str = "", at: float = NOW, **more: Any) -> dict[str, Any]:
    item = {"from": BAKERY, "to": to, "id": wamid or f"wamid.{body}", "timestamp": str(int(at))}
    return item | (more or {"type": "text", "text": {"body": body}})


def echo(body: str = "Come at six", **more: Any) -> dict[str, Any]:
    return of_field("smb_message_echoes", message_echoes=[written(body, **more)])


def test_what_was_written_on_the_phone_is_shown_as_that(ann: Browser, world: World) -> None:
    arrive(message("When?", at=NOW - 60))
    arrive(echo())
    incoming = messages(world)[-1]
    assert (incoming.direction, incoming.state, incoming.body) == ("outbound", "sent", "Come at six")
    assert "Sent from the phone" in ann.get(f"~/inbox/{conversation(world).id}").text


def test_what_was_written_on_the_phone_is_no_news_and_opens_no_window(world: World) -> None:
    arrive(echo())
    talk = conversation(world)
    assert (talk.unread_count, talk.last_inbound_at, talk.last_message_state) == (0, None, "sent")
    assert talk.last_message_preview == "Come at six"


def test_its_ticks_climb_too(world: World) -> None:
    arrive(echo(wamid="wamid.e"))
    arrive(status("wamid.e", "read"))
    assert messages(world)[0].state == "read"


def test_one_that_failed_is_not_sent_again_from_here(world: World) -> None:
    arrive(echo(wamid="wamid.e"))
    arrive(status("wamid.e", "failed", errors=[{"code": 131000}]))
    assert messages(world)[0].state == "failed"
    assert not messages(world)[0].can_be_retried


def test_the_same_echo_twice_is_one_message(world: World) -> None:
    arrive(echo(), echo())
    arrive(echo())
    assert len(messages(world)) == 1


def test_a_photo_sent_from_the_phone_has_its_file(world: World) -> None:
    arrive(echo("", wamid="wamid.p", type="image", image={"id": "10", "mime_type": "image/jpeg"}))
    assert [file.state for file in files(world)] == ["waiting"]


def test_a_reaction_from_the_phone_is_ours(world: World) -> None:
    arrive(message("Thank you", wamid="wamid.t", at=NOW - 60))
    arrive(echo("", wamid="wamid.r", type="reaction", reaction={"message_id": "wamid.t", "emoji": "❤️"}))
    assert [(chip.direction, chip.emoji) for chip in messages(world)[0].chips] == [("outbound", "❤️")]
    assert conversation(world).last_line == "Reacted ❤️ to “Thank you”"


def test_a_message_deleted_on_the_phone_says_so(ann: Browser, world: World) -> None:
    arrive(echo("oops", wamid="wamid.e"))
    arrive(echo("", wamid="wamid.d", type="revoke", revoke={"original_message_id": "wamid.e"}))
    page = ann.get(f"~/inbox/{conversation(world).id}").text
    assert "Deleted on the phone it was sent from" in page and "oops" not in page


def history(*items: dict[str, Any], customer: str = CARLA, progress: int = 55) -> dict[str, Any]:
    chunk = {"metadata": {"phase": 0, "chunk_order": 1, "progress": progress}}
    return of_field("history", history=[chunk | {"threads": [{"id": customer, "messages": list(items)}]}])


def received(body: str, at: float, **more: Any) -> dict[str, Any]:
    return written(body, at=at, **more) | {"from": CARLA, "to": BAKERY}


def past(item: dict[str, Any], state: str = "READ") -> dict[str, Any]:
    return item | {"history_context": {"status": state}}


def test_older_messages_come_quietly_and_in_both_directions(world: World) -> None:
    arrive(history(past(received("Open on Sunday?", NOW - 3600)), past(written("Until noon", at=NOW - 3500))))
    assert [(m.direction, m.state, m.body) for m in messages(world)] == [
        ("inbound", "received", "Open on Sunday?"),
        ("outbound", "read", "Until noon"),
    ]
    talk = conversation(world)
    assert (talk.unread_count, talk.last_inbound_at, talk.last_message_preview) == (0, None, "Until noon")


def test_older_messages_hide_nothing_newer(world: World) -> None:
    arrive(message("new", at=NOW - 10))
    before = conversation(world)
    arrive(history(past(received("old", NOW - 3600))))
    after = conversation(world)
    assert (after.last_message_preview, after.last_message_at, after.unread_count) == ("new", before.last_message_at, 1)
    assert after.last_inbound_at == before.last_inbound_at


def test_the_order_of_the_list_stays(world: World) -> None:
    arrive(message("first", wa_id="16505550001", at=NOW - 20), message("second", wa_id="16505550002", at=NOW - 10))
    arrive(history(past(received("old", NOW - 3600)), customer="16505550001"))
    assert [talk.last_message_preview for talk in conversations(world)][:2] == ["second", "first"]


def test_what_failed_on_the_phone_is_not_sent_again_from_here(world: World) -> None:
    arrive(history(past(written("lost", at=NOW - 60), "ERROR")))
    (incoming,) = messages(world)
    assert incoming.state == "failed" and not incoming.can_be_retried


def test_a_file_of_history_comes_after_its_message(world: World) -> None:
    arrive(history(past(received("", NOW - 60, wamid="wamid.m", type="media_placeholder"))))
    assert (messages(world)[0].type, files(world)) == ("media_placeholder", [])
    image = {"id": "12", "mime_type": "image/jpeg", "caption": "the oven"}
    arrive(of_field("history", messages=[received("", NOW - 60, wamid="wamid.m", type="image", image=image)]))
    (incoming,) = messages(world)
    assert (incoming.type, incoming.body) == ("image", "the oven")
    assert [file.meta_id for file in files(world)] == ["12"]


def number(world: World) -> PhoneNumber:
    with tenant_scope(world.bakery.id):
        return db.session.scalars(select(PhoneNumber)).one()


def test_progress_only_grows(ann: Browser, world: World) -> None:
    for percent in (20, 80, 55):
        arrive(history(progress=percent))
    assert number(world).history_percent == 80
    assert "80 %" in ann.get("~/numbers").text


def test_a_business_that_shares_no_history_reads_so(ann: Browser, world: World) -> None:
    refusal = {"code": 2593109, "title": "off", "error_data": {"details": "History sharing is turned off"}}
    arrive(of_field("history", history=[{"errors": [refusal]}]))
    assert "History sharing is turned off" in ann.get("~/numbers").text


def entry(name: str, action: str = "add", at: float = NOW, **contact: Any) -> dict[str, Any]:
    contact = contact or {"phone_number": CARLA}
    facts = {"type": "contact", "action": action, "contact": contact | {"full_name": name}}
    return of_field("smb_app_state_sync", state_sync=[facts | {"metadata": {"timestamp": str(int(at))}}])


def name(world: World) -> str:
    with tenant_scope(world.bakery.id):
        return conversation(world).contact.name


def test_the_name_in_the_address_book_is_what_counts(world: World) -> None:
    arrive(message(name="carla 🎀"), entry("Carla from the market"))
    arrive(message(name="carla 🎀🎀"))
    assert name(world) == "Carla from the market"


def test_a_name_may_be_there_before_its_first_message(world: World) -> None:
    arrive(entry("Carla from the market", phone_number="+1 650-555-1234"))
    assert conversations(world) == []
    arrive(message(name="carla"))
    assert name(world) == "Carla from the market"


def test_who_is_taken_out_of_the_address_book_names_themselves(world: World) -> None:
    arrive(message(name="carla"), entry("Carla from the market", at=NOW - 10))
    arrive(entry("Carla from the market", "remove"))
    arrive(message(name="Carla C."))
    assert name(world) == "Carla C."


@pytest.mark.parametrize("nonsense", [None, [], {}, "x", [None], [{"threads": 3}], [{"threads": [{"messages": [7]}]}]])
@pytest.mark.parametrize("field", ["history", "smb_app_state_sync", "smb_message_echoes"])
def test_nonsense_is_held_and_breaks_nothing(world: World, field: str, nonsense: Any) -> None:
    keys = ("history", "state_sync", "message_echoes", "messages")
    arrive(of_field(field, **dict.fromkeys(keys, nonsense)), message("fine"))
    assert [incoming.body for incoming in messages(world)] == ["fine"]
    assert failures() == []
