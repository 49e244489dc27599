"""A message that a person silences before it is claimed costs nothing and holds nothing."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from app.billing.holds import Hold, ReplyCount
from app.inbox.conversations import Conversation, Message
from app.inbox.outbound.lanes import Lane
from app.tenancy import Actor, db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.billing.books import balance, give_plan, problems
from tests.world import World, conversation


def test_silenced_messages_hold_nothing(world: World) -> None:
    """The one of the automation is dropped before prices are held; the person's is held."""
    bakery, _ = world.connect_numbers()
    talk, other = conversation(bakery), conversation(bakery, wa_id="16505554321", name="Dan")
    give_plan(world, micros=1_000_000)
    with tenant_scope(world.bakery.id):
        db.session.add(ReplyCount(phone_number_id=bakery.id, month=balance(world).month, free=1_000, charged=1))
    with tenant_scope(world.bakery.id):
        theirs, free = Conversation.get_or_404(talk.id), Conversation.get_or_404(other.id)
        bot = theirs.reply("I am a bot", by=Actor("automation", uuid.uuid4(), "Bot"), client_id=uuid.uuid4())
        assert theirs.take(by=Actor.agent(world.ann))
        paid = free.reply("I am Ann", by=Actor.agent(world.ann), client_id=uuid.uuid4())
    with tenant_scope(world.bakery.id):
        Lane(PhoneNumber.get_or_404(bakery.id)).claim_due(10)
    with tenant_scope(world.bakery.id):
        assert Message.get_or_404(bot.id).state == "cancelled"
        held = {row.id: row.micros for row in db.session.scalars(select(Hold))}
    assert list(held) == [paid.id] and balance(world).held_micros == held[paid.id] > 0
    assert problems(world) == []
