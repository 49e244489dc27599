"""Whether the assistant may act in a conversation now. The reason why not is a key of `words.REASONS`.

What may be sent at all is the inbox's gate (`app.inbox.conversations.gate`), which it passes too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

from sqlalchemy import select

from app.contacts.models import Contact
from app.folding import fold
from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Message
from app.meta.spellings import other_spellings
from app.tenancy import Membership, db, now, online

from .assistant import Setup
from .engagements import FRESH
from .turns import AssistantTurn

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
# So many replies in a row that come so soon after ours, or say the same, are a machine's.
LOOP, SOON = 3, dt.timedelta(seconds=2)


def is_elsewhere(conversation: Conversation, setup: Setup) -> str:
    """Whether it is an automation's at the moment, or not for this number, team, entry point or contact."""
    if conversation.handled_by == "automation":
        return "automation"
    if conversation.handled_by == "other_app":
        return "other_app"
    if conversation.is_group:
        return "group"
    if setup.numbers and conversation.phone_number_id not in setup.numbers:
        return "other_number"
    if setup.teams and conversation.team_id not in setup.teams:
        return "other_team"
    if setup.entry_points and conversation.entry_point_id not in setup.entry_points:
        return "other_entry_point"
    if setup.contacts and not is_listed(conversation.contact, setup.contacts):
        return "not_listed"
    # By the contact, so that a person is always in or always out.
    if conversation.contact_id.int % 100 >= setup.percentage:
        return "not_in_percentage"
    return ""


def is_listed(contact: Contact, listed: Sequence[str]) -> bool:
    numbers = {number.lstrip("+") for number in listed}
    mine = [identity.value for identity in contact.identities if identity.kind == "wa_id"]
    return any(spelling in numbers for value in mine for spelling in (value, *other_spellings(value)))


def is_out_of_hours(setup: Setup) -> str:
    """Whether people are to answer at this time."""
    if setup.hours == "closed" and ServicePolicy.current().hours.is_open(now()):
        return "business_hours"
    if setup.hours == "nobody_online":
        members = db.session.scalars(select(Membership.user_id).where(Membership.is_away.is_(False))).all()
        if online(list(members)):
            return "somebody_online"
    return ""


def is_over_budget(setup: Setup) -> str:
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    return "budget" if AssistantTurn.cost_since(today) >= setup.money_per_day else ""


def is_over_budget_here(conversation: Conversation, setup: Setup, since: dt.datetime) -> str:
    """Whether this conversation has cost as much as one may, since it was last resolved."""
    most = setup.money_per_conversation
    if most is None:
        return ""
    return "conversation_budget" if AssistantTurn.cost_since(since, conversation.id) >= most else ""


def is_over_limits(conversation: Conversation, setup: Setup, since: dt.datetime, messages: Sequence[Message]) -> str:
    """Too many answers here, or somebody on the other side who is a machine too."""
    if AssistantTurn.sent_in(conversation.id, max(since, now() - DAY)) >= setup.most_turns:
        return "turns"
    if AssistantTurn.sent_in(conversation.id, now() - HOUR) >= setup.most_per_hour:
        return "hourly"
    return "loop" if is_loop(messages) else ""


def is_loop(messages: Sequence[Message]) -> bool:
    """Whether the last replies each came at once after ours, or are all the same. Oldest first."""
    replies: list[tuple[Message, Message]] = []
    for before, after in pairwise(messages):
        if before.is_outbound and before.author_kind == "assistant" and not after.is_outbound:
            replies.append((before, after))
    last = replies[-LOOP:]
    if len(last) < LOOP:
        return False
    at_once = all(after.occurred_at - before.occurred_at < SOON for before, after in last)
    return at_once or len({fold(after.words) or after.id for _before, after in last}) == 1


def is_old(message: Message) -> bool:
    return message.occurred_at < now() - FRESH
