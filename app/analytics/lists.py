"""What a figure counts, one by one: facts with their conversations, or messages."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Select, func, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import joinedload, selectinload

from app.contacts.tags import ContactTag
from app.inbox.conversations import Conversation, Message
from app.tenancy import as_uuid

from .figures import WHO, Report
from .models import KINDS, SCORES, SENDERS, Fact
from .periods import read_day
from .statements import IMPORTED_AFTER, LOST, NO_MESSAGES

PAGE = 50
REACHED = {
    "accepted": None,
    "sent": ("sent", "delivered", "read", "played"),
    "delivered": ("delivered", "read", "played"),
    "read": ("read", "played"),
    "failed": LOST,
    "unsettled": ("queued", "dispatching", "unknown"),
}


def id_of(value: str | None) -> uuid.UUID | None:
    try:
        return as_uuid(value) if value else None
    except ValueError:
        return None


@dataclass(frozen=True)
class FactList:
    """`missed`: target times that were missed, or resolutions that did not hold. An empty id: those without one."""

    report: Report
    kinds: tuple[str, ...]
    arguments: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, report: Report, given: Mapping[str, str]) -> Self:
        kind = given.get("kind", "")
        names = ("kind", "agent", "team", "number", "tag", "entry_point", "score", "who", "missed", "day", "sort")
        kinds = (kind,) if kind in KINDS else ("first_response", "next_response")
        return cls(report, kinds, {name: given[name].replace("\x00", "")[:100] for name in names if name in given})

    @property
    def is_slowest_first(self) -> bool:
        return self.arguments.get("sort") == "slowest"

    @property
    def figure(self) -> str:
        """What these are facts of, as TITLES names it."""
        return self.kinds[0] if len(self.kinds) == 1 else "conversations"

    @property
    def query(self) -> Select[Fact, Conversation]:
        """Of several kinds each conversation is listed once, with the newest (or slowest) fact, as it is counted."""
        period, given = self.report.period, self.arguments
        start, end = period.start, min(period.end, period.now)
        if (day := read_day(given.get("day"))) and period.first <= day <= period.last:
            start, end = period.begins(day), min(period.begins(day + dt.timedelta(days=1)), end)
        query = select(Fact, Conversation).join(
            Conversation, (Conversation.tenant_id == Fact.tenant_id) & (Conversation.id == Fact.conversation_id)
        )
        query = query.options(joinedload(Conversation.contact))
        query = query.where(Fact.kind.in_(self.kinds), Fact.at >= start, Fact.at < end, *self.conditions)
        order: tuple[Any, ...] = (
            (Fact.seconds.desc().nulls_last(), Fact.id) if self.is_slowest_first else (Fact.at.desc(), Fact.id)
        )
        if len(self.kinds) > 1:
            each = query.with_only_columns(Fact.id, maintain_column_froms=True)
            each = each.ext(distinct_on(Fact.conversation_id)).order_by(Fact.conversation_id, *order)
            query = query.where(Fact.id.in_(select(each.subquery().c.id)))
        return query.order_by(*order)

    @property
    def conditions(self) -> list[Any]:
        given, found = self.arguments, []
        if self.report.who:
            found += [Fact.actor_kind == "agent", Fact.actor_id == self.report.who]
        elif "agent" in given:
            agent = id_of(given["agent"])
            is_agents = (Fact.actor_kind == "agent") & (Fact.actor_id == agent)
            found.append(is_agents if agent else Fact.actor_kind.is_distinct_from("agent"))
        if "team" in given:
            found.append(Fact.team_id.is_not_distinct_from(id_of(given["team"])))
        if "number" in given:
            found.append(Fact.phone_number_id == id_of(given["number"]))
        if given.get("who") in WHO:
            found.append(Fact.actor_kind.in_(WHO[given["who"]]))
        if given.get("score") in SCORES:
            found.append(Fact.score == given["score"])
        if given.get("missed"):
            found.append(Fact.is_met.is_(False))
        if "entry_point" in given:
            found.append(Conversation.entry_point_id == id_of(given["entry_point"]))
        if "tag" in given:
            tagged = select(ContactTag.id).where(
                ContactTag.tenant_id == Conversation.tenant_id,
                ContactTag.contact_id == Conversation.contact_id,
                ContactTag.tag_id == id_of(given["tag"]),
            )
            found.append(tagged.exists())
        return found


@dataclass(frozen=True)
class MessageList:
    report: Report
    arguments: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, report: Report, given: Mapping[str, str]) -> Self:
        names = ("direction", "sender", "who", "agent", "template", "number", "reached", "day", "weekday", "hour")
        return cls(report, {name: given[name].replace("\x00", "")[:100] for name in names if name in given})

    @property
    def figure(self) -> str:
        """What is listed, as TITLES names it; "" where it is no figure of the overview."""
        if self.arguments.get("direction") == "inbound":
            return "received"
        return "sent" if self.arguments.get("reached") == "accepted" else ""

    @property
    def query(self) -> Select[Any]:
        period, given = self.report.period, self.arguments
        start, end = period.start, period.end
        if (day := read_day(given.get("day"))) and period.first <= day <= period.last:
            start, end = period.begins(day), period.begins(day + dt.timedelta(days=1))
        query = select(Message).options(selectinload(Message.changes), joinedload(Message.conversation))
        query = query.where(Message.occurred_at >= start, Message.occurred_at < end, *counted(), *self.conditions)
        return query.order_by(Message.occurred_at.desc(), Message.id.desc())

    @property
    def conditions(self) -> list[Any]:
        given, found = self.arguments, []
        if given.get("direction") in ("inbound", "outbound"):
            found.append(Message.direction == given["direction"])
        if agent := self.report.who or id_of(given.get("agent")):
            found += [Message.sender_kind == "agent", Message.author_id == agent]
        if given.get("sender") in SENDERS:
            found.append(Message.sender_kind == given["sender"])
        if given.get("who") in WHO:
            found.append(Message.sender_kind.in_(WHO[given["who"]]))
        if "template" in given:
            found.append(Message.template_id == id_of(given["template"]))
        if "number" in given:
            found.append(Message.phone_number_id == id_of(given["number"]))
        if given.get("reached") in REACHED:
            found.append(has_reached(given["reached"]))
        local = func.timezone(self.report.period.zone.key, Message.occurred_at)
        for name, part, most in (("weekday", "isodow", 6), ("hour", "hour", 23)):
            if given.get(name, "").isascii() and given.get(name, "").isdigit() and int(given[name]) <= most:
                found.append(func.extract(part, local) == int(given[name]) + (part == "isodow"))
        return found


def has_reached(step: str) -> Any:
    states = REACHED[step]
    if states is None:
        taken = Message.state.in_(("accepted", "sent", "delivered", "read", "played"))
        return (Message.direction == "outbound") & (Message.wamid.is_not(None) | taken)
    return Message.state.in_(states)


def counted() -> tuple[Any, ...]:
    """As COUNTED says, without calls."""
    return (
        Message.type.not_in((*NO_MESSAGES, "call")),
        Message.state.not_in(("scheduled", "cancelled")),
        Message.content.has_key("merged_into").is_not(true()),
        Message.content.has_key("history").is_not(true()),
        Message.created_at - Message.occurred_at < IMPORTED_AFTER,
    )
