from __future__ import annotations

from itertools import takewhile
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message
from app.meta.events import address_in
from app.tenancy import db, platform_scope, tenant_scope
from app.webhook_events.models import HeldChange, WebhookEvent
from app.webhooks import handlers, turns
from app.webhooks.drain import drain_batch
from tests.posts import change, message, post
from tests.world import BAKERY_NUMBER, SHOES_NUMBER, World


def arrive(*bodies: bytes) -> None:
    with platform_scope("tests"):
        db.session.add_all(WebhookEvent(body=body) for body in bodies)
    while drain_batch():
        pass


def held() -> list[tuple[str, str]]:
    with platform_scope("tests"):
        return [(row.kind, row.reason) for row in db.session.scalars(select(HeldChange))]


@pytest.fixture(autouse=True)
def numbers(world: World) -> None:
    world.connect_numbers()


def test_a_text_becomes_a_contact_a_conversation_and_a_message(world: World) -> None:
    arrive(post(message("Do you have rye bread?", name="Carla")))
    with tenant_scope(world.bakery.id):
        conversation = db.session.scalars(Conversation.newest_first()).one()
        assert conversation.contact.name == "Carla"
        assert (conversation.unread_count, conversation.last_message_preview) == (1, "Do you have rye bread?")
        assert db.session.scalars(conversation.thread()).one().body == "Do you have rye bread?"


def test_the_same_post_twice_changes_nothing(world: World) -> None:
    body = post(message(wamid="wamid.same"))
    arrive(body, body)
    arrive(body)
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(func.count()).select_from(Message)).one() == 1
        assert db.session.scalars(Conversation.newest_first()).one().unread_count == 1


def test_a_late_message_does_not_hide_a_newer_one(world: World) -> None:
    arrive(post(message("second", at=2_000_000_000 - 1e9)), post(message("first", at=2_000_000_000 - 1e9 - 60)))
    with tenant_scope(world.bakery.id):
        conversation = db.session.scalars(Conversation.newest_first()).one()
        assert conversation.last_message_preview == "second"
        assert [m.body for m in db.session.scalars(conversation.thread())] == ["second", "first"]


def test_a_message_that_is_drained_later_does_not_hide_a_newer_one(world: World) -> None:
    arrive(post(message("second", wamid="wamid.2", at=2_000_000_000 - 1e9)))
    arrive(post(message("first", at=2_000_000_000 - 1e9 - 60)))
    with tenant_scope(world.bakery.id):
        conversation = db.session.scalars(Conversation.newest_first()).one()
        assert conversation.last_message_preview == "second"
        assert conversation.last_message_at.timestamp() // 1 == 2_000_000_000 - 1e9


def test_each_tenant_gets_its_own_part_of_a_mixed_post(world: World) -> None:
    arrive(post(message("for bakery"), message("for shoes", number=SHOES_NUMBER)))
    for tenant, words in ((world.bakery, "for bakery"), (world.shoes, "for shoes")):
        with tenant_scope(tenant.id):
            assert db.session.scalars(select(Message.body)).all() == [words]


def test_two_messages_of_a_new_customer_in_one_batch_make_one_contact(world: World) -> None:
    arrive(post(message("one"), message("two")), post(message("three")))
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(func.count()).select_from(Contact)).one() == 1
        assert db.session.scalars(Conversation.newest_first()).one().unread_count == 3


def test_a_customer_without_a_phone_number_is_known_by_the_user_id(world: World) -> None:
    hidden = message("hidden number")
    for part in (hidden["value"]["messages"][0], hidden["value"]["contacts"][0]):
        part.pop("from", None), part.pop("wa_id", None)
    arrive(post(message("with number")), post(hidden))
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(Conversation.newest_first()).one().unread_count == 2


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ({"type": "image", "image": {"id": "1", "mime_type": "image/jpeg"}}, "Photo"),
        ({"type": "unsupported", "errors": [{"code": 131051, "title": "unknown"}]}, "cannot be shown"),
        ({"type": "location", "location": {"latitude": 1.0, "longitude": 2.0}}, "Location"),
        ({"type": "hologram", "hologram": {}}, "hologram"),
    ],
)
def test_every_type_says_what_it_is(world: World, content: dict[str, Any], shown: str) -> None:
    arrive(post(message(**content)))
    with tenant_scope(world.bakery.id):
        conversation = db.session.scalars(Conversation.newest_first()).one()
        assert shown in conversation.last_line
        assert shown in db.session.scalars(conversation.thread()).one().preview


@pytest.mark.parametrize("body", ["a\x00b", "\ud800 alone", "🎉" * 3000, "مرحبا", "<script>alert(1)</script>"])
def test_no_text_is_too_strange_to_store(world: World, body: str) -> None:
    arrive(post(message(body, name="<b>\x00 مريم")))
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(Message)).one().body


def test_what_cannot_be_read_is_held_and_its_neighbours_go_on(world: World) -> None:
    broken = change("106540352242922", messages=["nonsense"])
    arrive(post(broken, message("fine")), b"not json at all")
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(Message.body)).all() == ["fine"]
    assert [kind for kind, _ in held()] == ["unreadable", "unreadable"]


def test_a_change_that_fails_in_the_database_does_not_block_the_rest(world: World) -> None:
    nameless = message("nobody", type="system", system={"body": "?"})
    item = nameless["value"]["messages"][0]
    item.pop("from"), item.pop("from_user_id"), nameless["value"].pop("contacts")
    arrive(post(message("before"), nameless, message("after")))
    with tenant_scope(world.bakery.id):
        assert sorted(db.session.scalars(select(Message.body))) == ["after", "before"]
    assert [kind for kind, _ in held()] == ["failed"]


def test_messages_for_an_unassigned_number_wait_for_its_owner(world: World) -> None:

    from app.webhooks.jobs import release_from_quarantine
    from tests.world import number

    arrive(post(message("early bird", number="999"), waba="888"))
    assert [kind for kind, _ in held()] == ["unrouted"]
    number(world.shoes, "888", "999", "+1 555 000 0000")
    release_from_quarantine()
    arrive()
    with tenant_scope(world.shoes.id):
        assert db.session.scalars(select(Message.body)).all() == ["early bird"]


def test_a_deadlock_holds_nothing_back_for_good(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(group: object) -> None:
        db.session.execute(text("do $$ begin raise exception using errcode = '40P01'; end $$"))

    monkeypatch.setattr(handlers, "HANDLERS", [(object, broken_off)])
    with pytest.raises(DBAPIError):
        arrive(post(message("patience")))
    monkeypatch.undo()
    arrive()
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(Message.body)).all() == ["patience"]
    assert held() == []


def backlog(number: str, count: int) -> list[WebhookEvent]:
    bodies = [post(message(f"Message {n}", number=number, wa_id=f"1650{n % 50:07}")) for n in range(count)]
    return [WebhookEvent(body=body, address=address_in(body)) for body in bodies]


def test_who_comes_later_does_not_wait_behind_the_backlog_of_another_business(world: World) -> None:
    body = post(message("only one", number=SHOES_NUMBER))
    with platform_scope("tests"):
        db.session.add_all([*backlog(BAKERY_NUMBER, 1_200), WebhookEvent(body=body, address=address_in(body))])
    assert 0 < drain_batch() < 1_200
    with tenant_scope(world.shoes.id):
        assert db.session.scalars(select(Message.body)).all() == ["only one"]


def test_who_has_little_shares_no_batch_with_who_has_much_and_they_take_turns(world: World) -> None:
    bodies = [post(message("only one", number=SHOES_NUMBER)) for _ in range(2)]
    with platform_scope("tests"):
        db.session.add_all(backlog(BAKERY_NUMBER, 1_200))
        db.session.add(WebhookEvent(body=bodies[0], address=SHOES_NUMBER))
    assert drain_batch() == 1
    with platform_scope("tests"):
        db.session.add(WebhookEvent(body=bodies[1], address=SHOES_NUMBER))
    assert drain_batch(little_first=False) > 100
    assert drain_batch(little_first=True) == 1


def test_a_batch_ends_at_its_size_and_takes_at_least_one(world: World) -> None:
    large = post(*(message("x" * 3000, wa_id=f"1650{n:07}") for n in range(150)))
    assert len(large) > turns.BATCH_BYTES
    with platform_scope("tests"):
        db.session.add_all(WebhookEvent(body=large, address=BAKERY_NUMBER) for _ in range(2))
    assert (drain_batch(), drain_batch(), drain_batch()) == (1, 1, 0)


def test_what_another_drain_has_locked_is_left_to_it(world: World, superuser_url: str) -> None:
    with platform_scope("tests"):
        db.session.add_all(backlog(BAKERY_NUMBER, 30))
    with psycopg.connect(superuser_url) as other:
        other.execute("select id from webhook_events order by id limit 10 for update")
        assert drain_batch() == 20
    assert drain_batch() == 10


def test_posts_without_an_address_are_drained_too(world: World) -> None:
    arrive(post(message("before addresses were stored")), b"{}", b"not json")
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(Message.body)).all() == ["before addresses were stored"]
    assert len(held()) == 2


@pytest.mark.parametrize(
    ("body", "address"),
    [
        (post(message(number="111222")), "111222"),
        (b'{"entry":[{"id":"987","changes":[]}]}', "987"),
        (b"not json", ""),
        (post(message('"phone_number_id":"666"', number="111222")), "111222"),
    ],
)
def test_the_number_a_post_is_for_is_read_without_parsing_it(body: bytes, address: str) -> None:
    assert address_in(body) == address


def test_tenants_take_turns_and_so_do_the_numbers_of_one(world: World) -> None:
    waiting = {
        BAKERY_NUMBER: [turns.Waiting(n, 2) for n in (1, 2, 3)],
        "stranger": [turns.Waiting(4, 1)],
        SHOES_NUMBER: [turns.Waiting(n, turns.BATCH_BYTES - 4) for n in (5, 6)],
    }
    with platform_scope("tests"):
        assert turns.choose(turns.by_tenant(waiting).values()) == [1, 4, 5]


def test_a_post_that_fits_into_no_batch_holds_up_no_other_number() -> None:
    large, small = turns.BATCH_BYTES + 1, [turns.Waiting(n, 700) for n in range(10, 30)]
    behind_it = [turns.Waiting(1, 700), turns.Waiting(2, large), turns.Waiting(3, 700)]
    assert turns.choose([[small], [behind_it]]) == [1, *range(10, 30)]
    assert turns.choose([[behind_it[1:]], [small]]) == [2]


def test_a_large_post_does_not_shorten_the_batches_of_another_business(world: World) -> None:
    large = post(*(message("x" * 3000, number=SHOES_NUMBER, wa_id=f"1650{n:07}") for n in range(150)))
    small = backlog(BAKERY_NUMBER, 200)
    for row in small:
        row.body = row.body.ljust(turns.BATCH_BYTES // 50)
    with platform_scope("tests"):
        db.session.add_all([*small, WebhookEvent(body=large, address=SHOES_NUMBER)])
    counts = list(takewhile(bool, (drain_batch() for _ in range(30))))
    assert sum(counts) == 201 and len(counts) <= 6


def test_who_is_first_is_left_to_chance(world: World) -> None:
    with platform_scope("tests"):
        db.session.add_all([*backlog(BAKERY_NUMBER, 3), *backlog(SHOES_NUMBER, 3)])
        firsts = {next(iter(turns.waiting_by_address())) for _ in range(60)}
    assert firsts == {BAKERY_NUMBER, SHOES_NUMBER}


def lock(connection: psycopg.Connection, tenant_id: object) -> None:
    connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('drain', 0) # hashtextextended(%s, 0))", [str(tenant_id)]
    )


def test_while_another_drain_is_busy_with_one_tenant_the_messages_of_others_come_in(
    world: World, superuser_url: str
) -> None:
    with platform_scope("tests"):
        db.session.add_all([*backlog(BAKERY_NUMBER, 3), *backlog(SHOES_NUMBER, 2)])
    with psycopg.connect(superuser_url) as other:
        lock(other, world.bakery.id)
        assert (drain_batch(), drain_batch()) == (2, 0)
    assert drain_batch() == 3


def test_a_post_for_two_tenants_waits_while_one_of_them_is_busy(world: World, superuser_url: str) -> None:
    with platform_scope("tests"):
        body = post(message("for bakery"), message("for shoes", number=SHOES_NUMBER))
        db.session.add(WebhookEvent(body=body, address=address_in(body)))
    with psycopg.connect(superuser_url) as other:
        lock(other, world.shoes.id)
        assert drain_batch() == 0
    assert drain_batch() == 1
    for tenant, words in ((world.bakery, "for bakery"), (world.shoes, "for shoes")):
        with tenant_scope(tenant.id):
            assert db.session.scalars(select(Message.body)).all() == [words]
