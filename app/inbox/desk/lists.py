"""The list of conversations: which ones, in which order, and how many there are."""

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
from app.tenancy import Membership, as_uuid, db, now

from .notes import Mention
from .read_pointers import MANY, ReadPointer

PAGE = 25
LONGEST_ABOUT = 250
CLOSING_SOON = dt.timedelta(hours=4)
# Only so many of a view's newest conversations are searched for what is unread or mentions the reader.
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
# The number of conversations in these is not shown.
UNCOUNTED = ("resolved", "archived", "spam", "blocked")
# As text: Postgres uses a partial index only where the statement has the literal condition of its definition.
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
class ConversationList:
    """What the address of a list asks for: a view, filters and a sort. `arguments` are the address again."""

    reader: Membership
    view: str = "all"
    number: uuid.UUID | None = None
    team: uuid.UUID | None = None
    agent: uuid.UUID | None = None
    tag: uuid.UUID | None = None
    # By which entry point the customer first came, and what it is about: a type, or “type:external id”.
    entry: uuid.UUID | None = None
    about: str = ""
    # Who sent the last message: one of SENDERS.
    sender: str = ""
    unread: bool = False
    sort: str = "newest"

    @classmethod
    def from_arguments(
        cls, arguments: Mapping[str, Any], reader: Membership, first_view: str = "all"
    ) -> ConversationList:
        """Parses an address. Values that are malformed or unknown are ignored."""
        view, sort = str(arguments.get("view") or first_view), str(arguments.get("sort") or "")
        view = view if view in VIEWS else "all"
        return cls(
            reader,
            view,
            number=as_uuid(arguments.get("number")),
            team=as_uuid(arguments.get("team")),
            agent=as_uuid(arguments.get("agent")),
            tag=as_uuid(arguments.get("tag")),
            entry=as_uuid(arguments.get("entry")),
            about=str(arguments.get("about") or "").replace("\x00", "")[:LONGEST_ABOUT],
            sender=sender if (sender := str(arguments.get("sender") or "")) in SENDERS else "",
            unread=arguments.get("filter") == "unread",
            sort=sort if sort in SORTS else default_sort(view),
        )

    @property
    def arguments(self) -> dict[str, Any]:
        filters = {"view": self.view, "number": self.number, "team": self.team, "agent": self.agent, "tag": self.tag}
        filters |= {"entry": self.entry, "about": self.about, "sender": self.sender}
        arguments: dict[str, Any] = {name: str(value) for name, value in filters.items() if value}
        if self.unread:
            arguments["filter"] = "unread"
        if self.sort != default_sort(self.view):
            arguments["sort"] = self.sort
        return arguments

    def but(self, **changes: Any) -> dict[str, Any]:
        """The address of the same list with something changed."""
        if "view" in changes and "sort" not in changes:
            changes["sort"] = default_sort(changes["view"])
        return replace(self, **changes).arguments

    @property
    def is_filtered(self) -> bool:
        chosen = self.number, self.team, self.agent, self.tag, self.entry, self.about, self.sender, self.unread
        return any(chosen)

    @property
    def about_type(self) -> str:
        return self.about.partition(":")[0]

    @property
    def about_id(self) -> str:
        return self.about.partition(":")[2]

    def matching(self) -> Select[Conversation]:
        """The conversations of the list, without order and page, and not narrowed to unread ones."""
        query = select(Conversation).where(*self.conditions())
        if self.sort == "waiting":
            query = query.where(Conversation.waiting_since.is_not(None))
        if self.sort == "closing":
            query = query.where(*window_is_open())
        return query

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions = [*self.view_conditions()]
        for column, value in (
            (Conversation.phone_number_id, self.number),
            (Conversation.team_id, self.team),
            (Conversation.assignee_id, self.agent),
            (Conversation.entry_point_id, self.entry),
            (Conversation.subject_type, self.about_type),
            (Conversation.subject_external_id, self.about_id),
        ):
            if value:
                conditions.append(column == value)
        if self.tag:
            tagged = select(ContactTag.contact_id).where(ContactTag.tag_id == self.tag)
            conditions.append(Conversation.contact_id.in_(tagged))
        if self.sender:
            last = select(Message.id).where(Message.id == Conversation.last_message_id)
            conditions.append(last.where(Message.sender_kind.in_(SENDERS[self.sender])).exists())
        return conditions

    def view_conditions(self) -> list[ColumnElement[bool]]:
        if self.view in IN_STATE:
            return [sql(IN_STATE[self.view])]
        conditions = [sql(ACTIVE)]
        match self.view:
            case "mine":
                conditions.append(Conversation.assignee_id == self.reader.user_id)
            case "unassigned":
                conditions.append(Conversation.assignee_id.is_(None))
            case "mentions":
                mine = select(Mention.conversation_id).where(Mention.user_id == self.reader.user_id)
                conditions.append(Conversation.id.in_(mine.order_by(Mention.created_at.desc()).limit(NEWS_DEPTH)))
            case "unreplied":
                conditions.append(Conversation.waiting_since.is_not(None))
            case "closing":
                conditions += window_closes_soon()
        return conditions

    def page(self, before: Cursor | None, limit: int = PAGE) -> Sequence[Conversation]:
        """The first `limit` conversations, or those after `before` (keyset), and one more if there is a next page."""
        column, newest_first = self.order
        query = self.matching()
        if self.unread:
            query = self.only_unread(query)
        if before:
            here, there = tuple_(column, Conversation.id), tuple_(*before.values)
            query = query.where(here < there if newest_first else here > there)
        order = (column.desc(), Conversation.id.desc()) if newest_first else (column, Conversation.id)
        query = query.options(
            joinedload(Conversation.contact).selectinload(Contact.tags), joinedload(Conversation.phone_number)
        )
        return db.session.scalars(query.order_by(*order).limit(limit + 1)).all()

    def only_unread(self, query: Select[Conversation]) -> Select[Conversation]:
        """Those among its newest `NEWS_DEPTH` that have something the reader has not read."""
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


def default_sort(view: str) -> str:
    return {"unreplied": "waiting", "closing": "closing"}.get(view, "newest")


def window_is_open() -> list[ColumnElement[bool]]:
    return [Conversation.last_inbound_at > now() - CUSTOMER_SERVICE_WINDOW + WINDOW_MARGIN]


def window_closes_soon() -> list[ColumnElement[bool]]:
    return [*window_is_open(), Conversation.last_inbound_at <= now() - CUSTOMER_SERVICE_WINDOW + CLOSING_SOON]


def count(inbox_lists: Mapping[str, ConversationList]) -> dict[str, int]:
    """How many conversations each of these lists has, counted up to MANY.

    One statement, `union all` over the lists; each part stops at MANY rows of the view's own partial index.
    """
    parts = []
    for name, inbox_list in inbox_lists.items():
        some = inbox_list.matching().with_only_columns(Conversation.id).order_by(None).limit(MANY).subquery()
        parts.append(select(literal(name), select(func.count()).select_from(some).scalar_subquery()))
    return {row[0]: row[1] for row in db.session.execute(union_all(*parts))} if parts else {}


def count_views(reader: Membership) -> dict[str, int]:
    """How many conversations (for `mentions`: unseen mentions) each view has for the reader, up to MANY."""
    counts = count({view: ConversationList(reader, view) for view in VIEWS if view not in (*UNCOUNTED, "mentions")})
    unseen = select(Mention.id).where(Mention.user_id == reader.user_id, Mention.seen_at.is_(None)).limit(MANY)
    counts["mentions"] = db.session.scalars(select(func.count()).select_from(unseen.subquery())).one()
    return counts


def sql(words: str) -> ColumnElement[bool]:
    """A literal condition of ours (see ACTIVE); never anything that was sent."""
    return cast("ColumnElement[bool]", text(words))
