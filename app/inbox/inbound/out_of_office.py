"""Sends the out-of-office reply, at most once per customer and closing period."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence

from sqlalchemy import select

from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Message, Refusal
from app.meta.outgoing import LONGEST_TEXT
from app.tenancy import Actor, Happened, db, now

from .readers import read_by_features

# Who wrote longer ago gets no reply: the message came late.
FRESH = dt.timedelta(hours=1)
# Each gets messages of one tenant and returns those that something else answers by itself.
Answering = Callable[[Sequence[Message]], set[uuid.UUID]]
ANSWERING: list[Answering] = []


def answers_messages(find: Answering) -> Answering:
    """Registers a function that says which messages a feature answers: one message gets one automatic text."""
    ANSWERING.append(find)
    return find


def send_out_of_office_replies(received: list[Happened]) -> None:
    """To those who wrote and have not had it. The time of opening names the message, so it is sent once until then."""
    policy = ServicePolicy.current()
    opens = policy.closed_until(now())
    if opens is None:
        return
    query = select(Message).where(Message.id.in_([one.subject_id for one in received]))
    messages = list(db.session.scalars(query).unique())
    read = read_by_features(messages).union(*(answered(messages) for answered in ANSWERING))
    ids = {one.facts.conversation_id for one in received if one.subject_id not in read}
    for conversation, client_id in without_message({uuid.uuid5(id, f"away until {opens}"): id for id in ids}):
        # Values may be longer than the variables that they replace.
        text = conversation.fill_in(policy.away_text_in(conversation.customer_language))[:LONGEST_TEXT]
        if not text:
            continue
        try:
            conversation.reply(text, by=Actor.system("away"), client_id=client_id)
        except Refusal:
            continue


def without_message(ids: dict[uuid.UUID, uuid.UUID]) -> list[tuple[Conversation, uuid.UUID]]:
    """The conversations in which customers wrote lately and no message has its id (a key of `ids`) yet."""
    sent = select(Message.client_id).where(Message.conversation_id.in_(ids.values()), Message.client_id.in_(list(ids)))
    had = set(db.session.scalars(sent))
    missing = {id: client_id for client_id, id in ids.items() if client_id not in had}
    # Whoever answers an automation's question gets no out-of-office reply in between.
    unasked = Conversation.handled_by.is_distinct_from("automation")
    recent = Conversation.id.in_(list(missing)), Conversation.last_inbound_at > now() - FRESH, unasked
    conversations = db.session.scalars(select(Conversation).where(*recent).order_by(Conversation.id))
    return [(conversation, missing[conversation.id]) for conversation in conversations]
