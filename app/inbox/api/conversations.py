"""Conversations for programs: list, get, assign, change state, and notes."""

from __future__ import annotations

import uuid
from itertools import combinations
from typing import Annotated, Any, Literal, get_args

from flask import g, request
from pydantic import Field, model_validator
from sqlalchemy import ColumnElement, Select, select, text
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from app.api import Fault, Page, PageQuery, Place, Problem, Shape, check_match, current_key, endpoint, problem, scope
from app.api.declaring import AddressTime, GivenTime
from app.api.pages import after, page_of, scan
from app.contacts.models import Contact
from app.contacts.tags import ContactTag
from app.entry_points.api.shapes import GivenSubject
from app.entry_points.models import EntryTouch
from app.inbox.conversations import Conversation
from app.inbox.conversations.assignment import Taken, member_or_none
from app.inbox.desk.lists import ACTIVE, IN_STATE
from app.inbox.desk.notes import LONGEST_NOTE, Note
from app.inbox.desk.state_changes import SETTABLE, change_state
from app.team.models import Team
from app.tenancy import db, now
from app.words import N_

from . import reach
from .messages import MessagesQuery, Sort, list_messages
from .shapes import ConversationShape, MessageShape, NoteShape, TouchShape

READ = scope("conversations:read", N_("Read conversations and notes"))
WRITE = scope("conversations:write", N_("Assign conversations, change their state, add notes"))
TAG = "Conversations"
ASSIGNED_MEANWHILE = problem(
    "assigned_meanwhile",
    409,
    "Somebody else was assigned meanwhile",
    N_("Read the conversation again, and decide whether to assign it anew."),
)
StateName = Literal["open", "pending", "snoozed", "resolved", "archived", "spam", "blocked"]
Settable = Literal["open", "pending", "snoozed", "resolved", "archived", "spam"]
Include = Literal["contact", "phone_number"]


class ConversationsQuery(PageQuery):
    state: list[StateName] | None = Field(None, alias="filter[state]", max_length=7)
    phone_number_id: uuid.UUID | None = Field(None, alias="filter[phone_number_id]")
    contact_id: uuid.UUID | None = Field(None, alias="filter[contact_id]")
    assignee_id: uuid.UUID | None = Field(None, alias="filter[assignee_id]")
    team_id: uuid.UUID | None = Field(None, alias="filter[team_id]")
    tag_id: uuid.UUID | None = Field(None, alias="filter[tag_id]", description="Of the contact.")
    entry_point_id: uuid.UUID | None = Field(None, alias="filter[entry_point_id]")
    subject_type: Annotated[str, Field(max_length=40)] | None = Field(None, alias="filter[subject_type]")
    subject_id: Annotated[str, Field(max_length=200)] | None = Field(
        None, alias="filter[subject_id]", description="The `external_id` of the subject."
    )
    is_unassigned: bool | None = Field(None, alias="filter[unassigned]")
    is_unreplied: bool | None = Field(None, alias="filter[unreplied]", description="Whether the customer is waiting.")
    active_after: AddressTime | None = Field(None, description="Only those with a message after this time.")
    sort: Literal["-last_message_at", "last_message_at", "-created_at", "created_at"] = "-last_message_at"
    include: list[Include] = Field(default_factory=list, max_length=2)

    @property
    def sorted_by(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def candidates(self) -> Select[Conversation]:
        """What an index finds in the order of the list. The literal conditions are those of partial indexes."""
        rows = select(Conversation).where(text("conversations.merged_into_id is null"))
        if self.contact_id:
            rows = rows.where(Conversation.contact_id == self.contact_id)
        if self.sorted_by == "created_at":
            return rows
        if self.state and set(self.state) <= {"open", "pending"}:
            rows = rows.where(text(ACTIVE))
        elif self.state and len(self.state) == 1:
            rows = rows.where(text(IN_STATE[self.state[0]]))
        if self.active_after:
            rows = rows.where(Conversation.last_message_at > self.active_after)
        return rows

    def conditions(self, one: type[Conversation]) -> list[ColumnElement[bool]]:
        """What is wanted, of the class or an alias of it."""
        wanted: list[Any] = [reach.reached(one.phone_number_id)]
        for column, value in (
            (one.phone_number_id, self.phone_number_id),
            (one.assignee_id, self.assignee_id),
            (one.team_id, self.team_id),
            (one.entry_point_id, self.entry_point_id),
            (one.subject_type, self.subject_type),
            (one.subject_external_id, self.subject_id),
        ):
            if value is not None:
                wanted.append(column == value)
        if self.state:
            wanted.append(one.state.in_(self.state))
        if self.tag_id:
            wanted.append(one.contact_id.in_(select(ContactTag.contact_id).where(ContactTag.tag_id == self.tag_id)))
        if self.is_unassigned is not None:
            wanted.append(one.assignee_id.is_(None) == self.is_unassigned)
        if self.is_unreplied is not None:
            wanted.append(one.waiting_since.is_not(None) == self.is_unreplied)
        if self.active_after:
            wanted.append(one.last_message_at > self.active_after)
        return wanted


class ConversationQuery(Shape):
    include: list[Include] = Field(default_factory=list, max_length=2)


@endpoint("GET", "/conversations", scope=READ, query=ConversationsQuery, gives=Page[ConversationShape], tag=TAG)
def list_conversations(query: ConversationsQuery) -> Page[ConversationShape]:
    """List conversations.

    The one with the newest message first, unless `sort` says otherwise. A page may have fewer than `limit`
    conversations, or none, and still a `next`: a filter that little matches is answered in several pages.
    """
    by, ascending = query.sorted_by, not query.sort.startswith("-")
    ids, further = scan(
        query.candidates, Conversation, query.conditions, query.after, query.limit, by, ascending=ascending
    )
    results = db.session.scalars(select(Conversation).where(Conversation.id.in_(ids)).options(*around(query.include)))
    by_id, include = {one.id: one for one in results.unique()}, frozenset[str](query.include)
    page = page_of(
        [by_id[id] for id in ids if id in by_id],
        query.limit,
        lambda one: ConversationShape.of(one, include),
        lambda one: Place(one.id, getattr(one, by)),
    )
    return Page(data=page.data, next=page.next or (str(further) if further else None))


def around(include: list[Include]) -> list[ExecutableOption]:
    loaded: list[ExecutableOption] = []
    if "contact" in include:
        loaded.append(joinedload(Conversation.contact).options(selectinload(Contact.identities)))
    if "phone_number" in include:
        loaded.append(joinedload(Conversation.phone_number))
    return loaded


def check_unchanged(conversation: Conversation) -> None:
    """If-Match, whatever was included when it was read: that has other ETags."""
    every: tuple[Include, ...] = get_args(Include)
    some = (frozenset[str](chosen) for size in range(1, len(every) + 1) for chosen in combinations(every, size))
    check_match(ConversationShape.of(conversation), lambda: (ConversationShape.of(conversation, one) for one in some))


@endpoint(
    "GET",
    "/conversations/<uuid:conversation_id>",
    scope=READ,
    query=ConversationQuery,
    gives=ConversationShape,
    tag=TAG,
)
def get_conversation(conversation_id: uuid.UUID, query: ConversationQuery) -> ConversationShape:
    """Get a conversation."""
    return ConversationShape.of(reach.find_conversation(conversation_id), frozenset(query.include))


class ThreadQuery(PageQuery):
    sort: Sort = Field(None, description="The newest first where it is left out.")


@endpoint(
    "GET",
    "/conversations/<uuid:conversation_id>/messages",
    scope="messages:read",
    query=ThreadQuery,
    gives=Page[MessageShape],
    tag=TAG,
)
def list_conversation_messages(conversation_id: uuid.UUID, query: ThreadQuery) -> Page[MessageShape]:
    """List the messages of a conversation.

    Newest first, unless `sort` says otherwise.
    """
    conversation = reach.find_conversation(conversation_id)
    values = {"limit": query.limit, "after": query.after, "sort": query.sort}
    values["filter[conversation_id]"] = conversation.id
    return list_messages(MessagesQuery.model_validate(values))


class Assignment(Shape):
    """Who takes care of it. A member that is left out stays as it is; null takes it away."""

    assignee_id: uuid.UUID | None = None
    team_id: uuid.UUID | None = None

    @model_validator(mode="after")
    def check_any(self) -> Assignment:
        if not self.model_fields_set:
            raise ValueError("Give assignee_id, team_id or both.")
        return self


@endpoint(
    "PUT",
    "/conversations/<uuid:conversation_id>/assignment",
    scope=WRITE,
    body=Assignment,
    gives=ConversationShape,
    tag=TAG,
    problems=(ASSIGNED_MEANWHILE,),
)
def assign_conversation(conversation_id: uuid.UUID, body: Assignment) -> ConversationShape:
    """Assign a conversation to a person, a team or no one."""
    conversation = reach.find_conversation(conversation_id).locked()
    check_unchanged(conversation)
    by = current_key().actor
    if "team_id" in body.model_fields_set:
        team = Team.find(body.team_id) if body.team_id else None
        if body.team_id and team is None:
            raise Problem("invalid_request", errors=[Fault("not_found", "There is no such team.", pointer="/team_id")])
        conversation.give_to_team(team, by=by)
    if "assignee_id" in body.model_fields_set:
        member = member_or_none(body.assignee_id) if body.assignee_id else None
        if body.assignee_id and member is None:
            fault = Fault("not_found", "There is no such team member.", pointer="/assignee_id")
            raise Problem("invalid_request", errors=[fault])
        try:
            conversation.give(member, by=by, expected=conversation.assignee_id)
        except Taken:
            raise Problem(ASSIGNED_MEANWHILE) from None
    return ConversationShape.of(conversation)


class NewState(Shape):
    """`until` is the end of a snooze; without it the conversation sleeps until the customer writes."""

    state: Settable
    until: GivenTime | None = None

    @model_validator(mode="after")
    def check_until(self) -> NewState:
        if self.until and self.state != "snoozed":
            raise ValueError("Only a snooze has an end.")
        if self.until and self.until <= now():
            raise ValueError("The end of the snooze is over.")
        return self


@endpoint(
    "PUT",
    "/conversations/<uuid:conversation_id>/state",
    scope=WRITE,
    body=NewState,
    gives=ConversationShape,
    tag=TAG,
)
def change_conversation_state(conversation_id: uuid.UUID, body: NewState) -> ConversationShape:
    """Open, snooze, resolve or archive a conversation."""
    conversation = reach.find_conversation(conversation_id).locked()
    check_unchanged(conversation)
    assert body.state in SETTABLE
    change_state(conversation, body.state, by=current_key().actor, until=body.until)
    return ConversationShape.of(conversation)


@endpoint(
    "PUT",
    "/conversations/<uuid:conversation_id>/subject",
    scope=WRITE,
    body=GivenSubject,
    gives=ConversationShape,
    tag=TAG,
)
def set_subject(conversation_id: uuid.UUID, body: GivenSubject) -> ConversationShape:
    """Say what a conversation is about.

    Replaces what a link, ad or person said before.
    """
    conversation = reach.find_conversation(conversation_id).locked()
    check_unchanged(conversation)
    conversation.set_about(body.subject(), by=current_key().actor)
    return ConversationShape.of(conversation)


@endpoint("DELETE", "/conversations/<uuid:conversation_id>/subject", scope=WRITE, tag=TAG)
def remove_subject(conversation_id: uuid.UUID) -> None:
    """Remove what a conversation is about."""
    reach.find_conversation(conversation_id).set_about(None, by=current_key().actor)


@endpoint(
    "GET",
    "/conversations/<uuid:conversation_id>/touches",
    scope=READ,
    query=PageQuery,
    gives=Page[TouchShape],
    tag=TAG,
)
def list_touches(conversation_id: uuid.UUID, query: PageQuery) -> Page[TouchShape]:
    """List how a customer came.

    Every message with a reference of a link, and every ad, newest first.
    """
    conversation = reach.find_conversation(conversation_id)
    mine = select(EntryTouch).where(EntryTouch.conversation_id == conversation.id)
    results = db.session.scalars(after(mine, query.after, EntryTouch.id).limit(query.limit + 1))
    return page_of(results, query.limit, TouchShape.of, lambda touch: Place(touch.id))


class NewNote(Shape):
    body: Annotated[str, Field(min_length=1, max_length=LONGEST_NOTE)] = Field(
        description="Team members are mentioned as in the inbox: @ and their name."
    )


@endpoint(
    "POST",
    "/conversations/<uuid:conversation_id>/notes",
    scope=WRITE,
    body=NewNote,
    gives=NoteShape,
    status=201,
    tag=TAG,
)
def add_note(conversation_id: uuid.UUID, body: NewNote) -> NoteShape:
    """Add a private note to a conversation."""
    conversation = reach.find_conversation(conversation_id)
    key = request.headers.get("Idempotency-Key")
    client_id = uuid.uuid5(g.api_key.id, f"note {key}") if key else uuid.uuid4()
    return NoteShape.of(Note.write(conversation, body.body, by=current_key().actor, client_id=client_id))


@endpoint(
    "GET",
    "/conversations/<uuid:conversation_id>/notes",
    scope=READ,
    query=PageQuery,
    gives=Page[NoteShape],
    tag=TAG,
)
def list_notes(conversation_id: uuid.UUID, query: PageQuery) -> Page[NoteShape]:
    """List the notes of a conversation.

    Newest first.
    """
    conversation = reach.find_conversation(conversation_id)
    rows = after(select(Note).where(Note.conversation_id == conversation.id), query.after, Note.id)
    results = db.session.scalars(rows.limit(query.limit + 1)).unique()
    return page_of(results, query.limit, NoteShape.of, lambda note: Place(note.id))
