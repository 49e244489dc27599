"""Which app at Meta answers a customer: Meta's Business Agent or another one hands a thread to us, or takes it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from app.contacts.arrival import Sender, recognise
from app.inbox.conversations import Conversation
from app.meta.events import ThreadControl
from app.tenancy import OTHER_APP, Actor
from app.wabas.models import numbers_by_meta_id

from .placing import Pair, conversations_of


def apply_thread_control(changes: Sequence[ThreadControl]) -> None:
    """In Meta's order, each in its conversation, which is made where there is none. The same again changes nothing."""
    numbers = numbers_by_meta_id({one.phone_number_id for one in changes})
    mine = [one for one in changes if one.phone_number_id in numbers]
    contacts = recognise([Sender(one.wa_id, one.user_id, None, None, "") for one in mine])
    pairs = [Pair(str(numbers[one.phone_number_id].id), id) for one, id in zip(mine, contacts, strict=True)]
    ids = conversations_of(set(pairs), set())
    rows = {row.id: row for row in Conversation.lock_all(map(uuid.UUID, ids.values()))}
    for change, pair in sorted(zip(mine, pairs, strict=True), key=lambda each: each[0].timestamp):
        conversation = rows[uuid.UUID(ids[pair])]
        if not change.is_ours:
            conversation.leave_to_other_app(change.role, change.timestamp, has_taken=True)
        elif not any(stretch.started_at >= change.timestamp for stretch in conversation.stretches):
            conversation.hand_over(by=Actor.system(OTHER_APP), summary=change.summary)
