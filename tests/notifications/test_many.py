"""Many notifications at once are what each would be alone, and cost few statements."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import event, func, select

from app.contacts.consents import Consent
from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message, Refusal
from app.notifications.many import Wanted, send_many
from app.notifications.models import Notification, SentNotification
from app.notifications.refusals import SentLately, Unavailable
from app.tenancy import Actor, db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.notifications.notifications import GIVEN, notification
from tests.world import World, conversation

BY = Actor.system("reminders")


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


@pytest.fixture
def talks(number: PhoneNumber) -> list[Conversation]:
    return [conversation(number, wa_id=f"1650555{place:04}", name=f"Customer {place}") for place in range(6)]


def given(_variant: object, _talk: object) -> Mapping[str, str]:
    return GIVEN


def wanted(made: Notification, contact_ids: list[uuid.UUID], **more: Any) -> list[Wanted]:
    sent = Notification.get_or_404(made.id)
    people = [Contact.get_or_404(id) for id in contact_ids]
    return [Wanted(sent, one, uuid.uuid5(one.id, "x"), **{"values": given} | more) for one in people]


def put(number: PhoneNumber, made: Notification, contact_ids: list[uuid.UUID], **more: Any) -> list[Any]:
    with tenant_scope(number.tenant_id):
        orders = wanted(made, contact_ids, **more)
        outcomes = send_many(orders, by=BY)
        return [outcomes[one.client_id] for one in orders]


def ids(talks: list[Conversation]) -> list[uuid.UUID]:
    return [talk.contact_id for talk in talks]


def count(number: PhoneNumber, of: Any) -> int:
    with tenant_scope(number.tenant_id):
        return db.session.scalar(select(func.count()).select_from(of)) or 0


def test_each_gets_its_message_once(number: PhoneNumber, talks: list[Conversation]) -> None:
    made = notification(number)
    first, again = (put(number, made, ids(talks)) for _ in range(2))
    assert [one.id for one in first] == [one.id for one in again]
    assert count(number, Message) == count(number, SentNotification) == len(talks)


def test_more_of_them_cost_no_more_statements(number: PhoneNumber, talks: list[Conversation]) -> None:
    made, counts = notification(number), []
    for some in (talks[:2], talks[2:]):
        statements: list[str] = []
        with tenant_scope(number.tenant_id):
            orders, engine = wanted(made, ids(some)), db.session.get_bind()
            event.listen(engine, "before_cursor_execute", note := lambda *call, seen=statements: seen.append(call[2]))
            send_many(orders, by=BY)
            event.remove(engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[1] <= counts[0] < 25


def test_a_contact_without_a_conversation_gets_one(number: PhoneNumber) -> None:
    with tenant_scope(number.tenant_id):
        contact = Contact.create("Awa", "221771234567", by=BY)
    (message,) = put(number, notification(number), [contact.id])
    assert isinstance(message, Message) and count(number, Conversation) == 1


def test_none_is_opened_for_a_message_that_is_refused(number: PhoneNumber) -> None:
    with tenant_scope(number.tenant_id):
        contact = Contact.create("Awa", "221771234567", by=BY)
        Consent.record(contact.id, "utility", is_granted=False, source="phone")
    (refusal,) = put(number, notification(number), [contact.id])
    assert isinstance(refusal, Refusal) and count(number, Conversation) == 0


def test_the_pause_between_two_holds_within_one_batch(number: PhoneNumber, talks: list[Conversation]) -> None:
    made = notification(number, pause_minutes=60)
    with tenant_scope(number.tenant_id):
        (one,) = wanted(made, ids(talks[:1]))
        two = Wanted(one.notification, one.contact, uuid.uuid4(), given)
        outcomes = send_many([one, two], by=BY)
        assert isinstance(outcomes[one.client_id], Message) and isinstance(outcomes[two.client_id], SentLately)


def test_a_paused_one_sends_nothing(number: PhoneNumber, talks: list[Conversation]) -> None:
    made = notification(number)
    with tenant_scope(number.tenant_id):
        Notification.get_or_404(made.id).pause()
    assert {type(one) for one in put(number, made, ids(talks))} == {Unavailable}


def test_an_error_of_ours_in_one_holds_up_no_other(number: PhoneNumber, talks: list[Conversation]) -> None:
    def values(_variant: object, talk: Conversation) -> Mapping[str, str]:
        return {"name": 1 / 0} if talk.id == talks[0].id else GIVEN  # type: ignore[dict-item]

    broken, *others = put(number, notification(number), ids(talks), values=values)
    assert broken is None and all(isinstance(one, Message) for one in others)


def test_what_is_missing_is_named(number: PhoneNumber, talks: list[Conversation]) -> None:
    (problem,) = put(number, notification(number), ids(talks[:1]), values=lambda _variant, _talk: {"name": "Awa"})
    assert problem.names == ["amount"]
