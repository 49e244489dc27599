"""Changing the state of a conversation, the block that goes with it included."""

from __future__ import annotations

import datetime as dt

from app.inbox.conversations import Conversation
from app.inbox.conversations.assignment import CONVERSATION_STATES
from app.tenancy import Actor, later

from .blocks import Block

# The states that an agent sets without giving a reason: not `blocked` (see `Block.put`), nor `merged`.
SETTABLE = tuple(state for state in CONVERSATION_STATES if state not in ("blocked", "merged"))


def change_state(
    conversation: Conversation, state: str, *, by: Actor, until: dt.datetime | None = None, asks: bool = True
) -> bool:
    """Changes the state; somebody who was blocked is unblocked first. Returns whether anything changed.

    `until` is the end of a snooze, None: until the customer writes. `asks`: whether a customer may be asked at once
    how it went.
    """
    if conversation.state == "blocked" and (block := Block.of(conversation)):
        block.lift(by=by)
        later("desk.sync_block", conversation.id)
    return conversation.put(state, by=by, until=until, asks=asks)
