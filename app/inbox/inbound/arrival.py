"""What arrives from Meta for one tenant, set-wise, from top to bottom: recognised, placed, stored, moved up.

Every function here runs inside a tenant's scope, in the transaction that has claimed the posts. All of it may
happen twice: the second time changes nothing.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from app.contacts.arrival import recognise
from app.inbox.conversations import Conversation, Message
from app.meta.events import InboundMessage, MessageEcho
from app.tenancy import OTHER_APP, Actor, happened_each
from app.wabas.models import PhoneNumber, numbers_by_meta_id

from . import surveys
from .calls import settle_calls
from .incoming import Incoming
from .placing import Placed, place
from .rising import show
from .storing import Stored, store
from .touches import record_touches


def receive(messages: Sequence[InboundMessage | MessageEcho]) -> None:
    """New messages: contacts and conversations found or made, messages stored once, conversations moved up.

    Messages echoed from the WhatsApp Business app open no service window and are not unread.
    """
    numbers = numbers_by_meta_id({each.phone_number_id for each in messages})
    incoming = [Incoming.new(each) for each in messages if each.phone_number_id in numbers]
    greet(incoming, numbers)
    placed = place(incoming, numbers, recognise([one.person for one in incoming]))
    stored = store(placed)
    show(stored)
    record_happenings(stored)
    record_touches(stored.messages)
    take_for_phone(stored)
    leave_to_other_apps(stored)
    settle_calls(placed)
    follow_up_answers(placed)
    Message.release_parked([one.conversation_id for one in placed if one.incoming.is_answerable])


def greet(incoming: Sequence[Incoming], numbers: dict[str, PhoneNumber]) -> None:
    """Records the first message of a number: it proves that the number is connected."""
    greeting = {one.message.phone_number_id for one in incoming if one.is_live}
    for number in numbers.values():
        if number.meta_id in greeting:
            number.greet()


def record_happenings(stored: Stored) -> None:
    """Records messages from customers and from the business's phone; asides are not recorded."""
    new = [one for one in stored.messages if one.incoming.target is None]
    happened_each("message.received", [(one.id, facts_of(one)) for one in new if one.incoming.is_live])
    echoed = [one for one in new if one.incoming.state != "received"]
    actors = [Actor.system(OTHER_APP) if one.incoming.is_other_apps else Actor.phone() for one in echoed]
    facts = [
        {"conversation_id": one.conversation_id, "source": actor.source}
        for one, actor in zip(echoed, actors, strict=True)
    ]
    happened_each("message.sent", [(one.id, each) for one, each in zip(echoed, facts, strict=True)], actors=actors)


def facts_of(placed: Placed) -> dict[str, str]:
    return {
        "conversation_id": placed.conversation_id,
        "phone_number_id": placed.number_id,
        "type": placed.message.type,
    }


def take_for_phone(stored: Stored) -> None:
    """Somebody of the business wrote on the phone: a person has those conversations, as after a reply from here."""
    wrote: dict[str, str] = {}
    for one in stored.messages:
        if one.incoming.target is None and one.incoming.state != "received" and not one.incoming.is_other_apps:
            wrote[one.conversation_id] = max(one.at, wrote.get(one.conversation_id, ""))
    if wrote:
        for conversation in Conversation.lock_all(map(uuid.UUID, wrote)):
            conversation.take(by=Actor.phone(), at=dt.datetime.fromisoformat(wrote[str(conversation.id)]))


def leave_to_other_apps(stored: Stored) -> None:
    """Copies of a thread say that another app has it, unless the customer wrote to us since."""
    last = {one.conversation_id: one for one in sorted(stored.messages, key=lambda one: one.at)}
    copied = {id: one.at for id, one in last.items() if one.incoming.is_other_apps}
    if copied:
        for conversation in Conversation.lock_all(map(uuid.UUID, copied)):
            conversation.leave_to_other_app("", dt.datetime.fromisoformat(copied[str(conversation.id)]))


def follow_up_answers(placed: Sequence[Placed]) -> None:
    """Saves replies to the survey, and follows up on bad ratings."""
    unhappy = surveys.save_answers(
        (one.number_id, context.reply_to, one.incoming.score, one.at)
        for one in placed
        if one.incoming.score and (context := one.message.context) and context.reply_to
    )
    surveys.follow_up(unhappy)
