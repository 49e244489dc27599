"""The list of conversations: which of them, in which order, and how many."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, text, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from app.contacts.models import Contact
from app.contacts.tags import ContactTag
from app.inbox.conversations import CUSTOMER_SERVICE_WINDOW, SENDERS, WINDOW_MARGIN, Conversation, Cursor, Message
from app.tenancy import Membership, db, now

from .notes import Mention
from .read_pointers import MANY, ReadPointer

PAGE = 25
CLOSING_SOON = dt.timedelta(hours=4)
# Among how many of a view's newest what is new to an agent is looked for.
NEWS_DEPTH = 1000

VIEWS = (
    "mine",
    "unassigned",
    "all",
    "mentions",
    "unreplied",
    "closing",
    "pending",
    "snoozed",
    "resolved",
    "archived",
    "spam",
    "blocked",
)
# Of these nobody needs to know how many there are.
UNCOUNTED = ("resolved", "archived", "spam", "blocked")
# As text: an index is only used where the statement says the same words as its definition.
ACTIVE = "conversations.state in ('open', 'pending')"
IN_STATE = {
    "pending": "conversations.state = 'pending'",
    "snoozed": "conversations.state = 'snoozed'",
    "resolved": "conversations.state = 'resolved'",
    "archived": "conversations.state = 'archived'",
    "spam": "conversations.state = 'spam'",
    "blocked": "conversations.state = 'blocked'",
}
SORTS = ("newest", "waiting", "closing")


@dataclass(frozen=True, slots=True)
class Listing:
    """What an address of the inbox asks for. The same words make the address again (`arguments`)."""

    reader: Membership
    view: str = "all"
    number: uuid.UUID | None = None
    team: uuid.UUID | None = None
    agent: uuid.UUID | None = None
    tag: uuid.UUID | None = None
    # Who sent the last message: one of SENDERS.
    sender: str = ""
    unread: bool = False
    sort: str = "newest"

    @classmethod
    def read(cls, arguments: Mapping[str, Any], reader: Membership, first_view: str = "all") -> Listing:
        """What is garbage, or names a view that we do not have, is passed over."""
        view, sort = str(arguments.get("view") or first_view), str(arguments.get("sort") or "")
        view = view if view in VIEWS else "all"
        return cls(
            reader,
            view,
            number=as_uuid(arguments.get("number")),
            team=as_uuid(arguments.get("team")),
            agent=as_uuid(arguments.get("agent")),
            tag=as_uuid(arguments.get("tag")),
            sender=sender if (sender := str(arguments.get("sender") or "")) in SENDERS else "",
            unread=arguments.get("filter") == "unread",
            sort=sort if sort in SORTS else usual_sort(view),
        )

    @property
    def arguments(self) -> dict[str, Any]:
        found = {"view": self.view, "number": self.number, "team": self.team, "agent": self.agent, "tag": self.tag}
        found["sender"] = self.sender
        told: dict[str, Any] = {name: str(value) for name, value in found.items() if value}
        if self.unread:
            told["filter"] = "unread"
        if self.sort != usual_sort(self.view):
            told["sort"] = self.sort
        return told

    def but(self, **changes: Any) -> dict[str, Any]:
        """The address of the same with something changed."""
        if "view" in changes and "sort" not in changes:
            changes["sort"] = usual_sort(changes["view"])
        return replace(self, **changes).arguments

    @property
    def is_filtered(self) -> bool:
        return any((self.number, self.team, self.agent, self.tag, self.sender, self.unread))

    def matching(self) -> Select[Conversation]:
        query = select(Conversation).where(*self.conditions())
        if self.sort == "waiting":
            query = query.where(Conversation.waiting_since.is_not(None))
        if self.sort == "closing":
            query = query.where(*window_is_open())
        return query

    def conditions(self) -> list[ColumnElement[bool]]:
        found = [*self.of_view()]
        for column, value in (
            (Conversation.phone_number_id, self.number),
            (Conversation.team_id, self.team),
            (Conversation.assignee_id, self.agent),
        ):
            if value:
                found.append(column == value)
        if self.tag:
            tagged = select(ContactTag.contact_id).where(ContactTag.tag_id == self.tag)
            found.append(Conversation.contact_id.in_(tagged))
        if self.sender:
            last = select(Message.id).where(Message.id == Conversation.last_message_id)
            found.append(last.where(Message.sender_kind.in_(SENDERS[self.sender])).exists())
        return found

    def of_view(self) -> list[ColumnElement[bool]]:
        if self.view in IN_STATE:
            return [sql(IN_STATE[self.view])]
        found = [sql(ACTIVE)]
        match self.view:
            case "mine":
                found.append(Conversation.assignee_id == self.reader.user_id)
            case "unassigned":
                found.append(Conversation.assignee_id.is_(None))
            case "mentions":
                mine = select(Mention.conversation_id).where(Mention.user_id == self.reader.user_id)
                found.append(Conversation.id.in_(mine.order_by(Mention.created_at.desc()).limit(NEWS_DEPTH)))
            case "unreplied":
                found.append(Conversation.waiting_since.is_not(None))
            case "closing":
                found += window_closes_soon()
        return found

    def page(self, before: Cursor | None, limit: int = PAGE) -> Sequence[Conversation]:
        """A page from the beginning or from `before` on, and one more if there is one (keyset)."""
        column, newest_first = self.order
        query = self.matching()
        if self.unread:
            query = self.new_ones(query)
        if before:
            here, there = tuple_(column, Conversation.id), tuple_(*before.values)
            query = query.where(here < there if newest_first else here > there)
        order = (column.desc(), Conversation.id.desc()) if newest_first else (column, Conversation.id)
        query = query.options(
            joinedload(Conversation.contact).selectinload(Contact.tags), joinedload(Conversation.phone_number)
        )
        return db.session.scalars(query.order_by(*order).limit(limit + 1)).all()

    def new_ones(self, query: Select[Conversation]) -> Select[Conversation]:
        """Those of its newest that hold something new to the reader."""
        recent = query.with_only_columns(Conversation.id).order_by(
            Conversation.last_message_at.desc(), Conversation.id.desc()
        )
        mine = and_(
            ReadPointer.user_id == self.reader.user_id,
            ReadPointer.conversation_id == Conversation.id,
            ReadPointer.read_at >= Conversation.news_at,
        )
        return select(Conversation).where(
            Conversation.id.in_(recent.limit(NEWS_DEPTH)),
            Conversation.news_at > self.reader.news_since,
            ~select(ReadPointer.id).where(mine).exists(),
        )

    @property
    def order(self) -> tuple[InstrumentedAttribute[dt.datetime], bool]:
        columns = {"waiting": Conversation.waiting_since, "closing": Conversation.last_inbound_at}
        column = columns.get(self.sort, Conversation.last_message_at)
        return cast("InstrumentedAttribute[dt.datetime]", column), self.sort == "newest"

    def cursor(self, row: Conversation) -> Cursor:
        return Cursor(getattr(row, self.order[0].key), row.id)


def usual_sort(view: str) -> str:
    return {"unreplied": "waiting", "closing": "closing"}.get(view, "newest")


def window_is_open() -> list[ColumnElement[bool]]:
    return [Conversation.last_inbound_at > now() - CUSTOMER_SERVICE_WINDOW + WINDOW_MARGIN]


def window_closes_soon() -> list[ColumnElement[bool]]:
    return [*window_is_open(), Conversation.last_inbound_at <= now() - CUSTOMER_SERVICE_WINDOW + CLOSING_SOON]


def count(listings: Mapping[str, Listing]) -> dict[str, int]:
    """How many each of these holds, counted up to MANY: nobody reads past that. One statement for all of them."""
    parts = []
    for name, listing in listings.items():
        some = listing.matching().with_only_columns(Conversation.id).order_by(None).limit(MANY).subquery()
        parts.append(select(literal(name), select(func.count()).select_from(some).scalar_subquery()))
    return {row[0]: row[1] for row in db.session.execute(union_all(*parts))} if parts else {}


def count_views(reader: Membership) -> dict[str, int]:
    counts = count({view: Listing(reader, view) for view in VIEWS if view not in (*UNCOUNTED, "mentions")})
    unseen = select(Mention.id).where(Mention.user_id == reader.user_id, Mention.seen_at.is_(None)).limit(MANY)
    counts["mentions"] = db.session.scalars(select(func.count()).select_from(unseen.subquery())).one()
    return counts


def sql(words: str) -> ColumnElement[bool]:
    """Words of ours that an index is defined by."""
    return cast("ColumnElement[bool]", text(words))


def as_uuid(value: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(value)) if value else None
    except ValueError:
        return None
