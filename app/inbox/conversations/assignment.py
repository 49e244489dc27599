"""State, assignee and team of a conversation, and since when the customer waits.

Who may change them: `@requires` in `inbox/views/states.py`, with the roles in `inbox/blueprint.py`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any, Self

from sqlalchemy import Index, select, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from app.team.models.teams import Team, of_member
from app.tenancy import (
    Actor,
    Membership,
    User,
    announce,
    belongs_to,
    current_tenant_id,
    database_now,
    db,
    happened,
    happened_each,
    now,
    one_of,
)
from app.tenancy.database import innermost, is_held_in

from .activities import Activity

CONVERSATION_STATES = ("open", "pending", "snoozed", "resolved", "archived", "spam", "blocked", "merged")
# What each new state is called as a happening.
HAPPENINGS = {state: f"conversation.{state}" for state in CONVERSATION_STATES} | {"open": "conversation.reopened"}
# What the team still has to work on.
ACTIVE = "state in ('open', 'pending')"


class Taken(Exception):
    """It was assigned to somebody else meanwhile."""

    def __init__(self, holder_id: uuid.UUID | None) -> None:
        super().__init__(str(holder_id))
        self.holder_id = holder_id


def desk_constraints() -> tuple[SchemaItem, ...]:
    """The team's half of a conversation's table."""
    newest = "last_message_at desc", "id desc"
    return (
        one_of("state", CONVERSATION_STATES),
        of_member("assignee_id", nulled=True),
        belongs_to("teams", "team_id", nulled=True),
        partial("newest", "tenant_id", *newest, where="merged_into_id is null"),
        partial("created", "tenant_id", "created_at desc", "id desc", where="merged_into_id is null"),
        partial("active", "tenant_id", *newest, where=ACTIVE),
        partial("assignee", "tenant_id", "assignee_id", *newest, where=ACTIVE),
        partial("number", "tenant_id", "phone_number_id", *newest, where=ACTIVE),
        partial("team", "tenant_id", "team_id", *newest, where=f"{ACTIVE} and team_id is not null"),
        partial("waiting", "tenant_id", "waiting_since", "id", where=f"{ACTIVE} and waiting_since is not null"),
        partial("window", "tenant_id", "last_inbound_at", "id", where=ACTIVE),
        partial("quiet", "tenant_id", "state", *newest, where="state <> 'open'"),
        partial("snoozed", "snoozed_until", where="state = 'snoozed'"),
        partial("queue", "tenant_id", "team_id", "waiting_since", where=UNGIVEN),
    )


UNGIVEN = f"{ACTIVE} and team_id is not null and assignee_id is null"


def partial(name: str, *columns: str, where: str) -> Index:
    expressions = [text(column) if " " in column else column for column in columns]
    return Index(f"ix_conversations_{name}", *expressions, postgresql_where=text(where))


class Desk:
    """The team's half of a conversation. Each change takes the row's lock and leaves a line in the thread."""

    state: Mapped[str] = mapped_column(default="open", server_default="open")
    snoozed_until: Mapped[dt.datetime | None]
    assignee_id: Mapped[uuid.UUID | None]
    team_id: Mapped[uuid.UUID | None]
    # Since when the customer has been without an answer, and when something of theirs last came in here.
    waiting_since: Mapped[dt.datetime | None]
    # When somebody here first answered since it was last resolved: after that, the target for further answers counts.
    answered_at: Mapped[dt.datetime | None]
    news_at: Mapped[dt.datetime | None]
    # For which reply window (by `last_inbound_at`) it has been recorded that it closes soon.
    closing_recorded_for: Mapped[dt.datetime | None]

    id: Any
    merged_into_id: Any
    # The transaction that has it locked against every change, and the one against merging; not stored.
    locked_in: Any = None
    shared_in: Any = None

    @property
    def is_active(self) -> bool:
        return self.state in ("open", "pending")

    @classmethod
    def lock_all(cls, ids: Iterable[uuid.UUID]) -> list[Self]:
        """Those of them that are conversations of their own, locked in the order of their ids: two selections cannot
        deadlock. Until the transaction ends, no change of one has to lock it again."""
        mine = cls.id.in_({*ids}), cls.merged_into_id.is_(None)
        query = select(cls).where(*mine).order_by(cls.id).with_for_update(key_share=True)
        rows = list(db.session.scalars(query.execution_options(populate_existing=True)))
        held = innermost()
        for row in rows:
            row.locked_in = held
        return rows

    def locked(self) -> Self:
        if not is_held_in(self.locked_in):
            db.session.flush()
            db.session.refresh(self, with_for_update={"of": type(self), "key_share": True})
        return self

    def put(self, state: str, *, by: Actor, until: dt.datetime | None = None) -> bool:
        """Opens, resolves, snoozes (until a time, or until the customer writes)… Returns whether that changed it."""
        self.locked()
        if (self.state, self.snoozed_until) == (state, until):
            return False
        self.state, self.snoozed_until = state, until
        if state == "resolved":
            self.answered_at = None
        self.record(state, by, until=until and until.isoformat())
        happened(HAPPENINGS[state], self.id, by=by, until=until and until.isoformat())
        return True

    def give(self, to: User | None, *, by: Actor, expected: uuid.UUID | None) -> bool:
        """Assigns it; to None unassigns it. Raises `Taken` when the assignee is not `expected` any more."""
        self.locked()
        to_id = to and to.id
        if self.assignee_id == to_id:
            return False
        if self.assignee_id != expected:
            raise Taken(self.assignee_id)
        if to:
            self.assign_to(to, by)
        else:
            self.assignee_id = None
            self.record("unassigned", by)
            happened("conversation.unassigned", self.id, by=by, assignee_id=expected)
        return True

    def assign_to(self, to: User, by: Actor, *, kind: str = "assigned") -> None:
        """Called with the row locked."""
        self.assignee_id = to.id
        self.record(kind, by, to=to.name, to_self=to.id == by.user_id)
        happened("conversation.assigned", self.id, by=by, assignee_id=to.id)

    def give_to_team(self, team: Team | None, *, by: Actor) -> bool:
        self.locked()
        if self.team_id == (team and team.id):
            return False
        self.team_id = team.id if team else None
        self.record("team" if team else "no_team", by, to=team and team.name)
        happened("conversation.team", self.id, by=by, team_id=self.team_id)
        return True

    def answered(self, by: Actor) -> None:
        """The business replied: the customer does not wait any more. The first response is one of a person."""
        self.waiting_since = None
        if by.takes_over and self.answered_at is None:
            self.answered_at = now()

    def record(self, kind: str, by: Actor, **facts: Any) -> None:
        facts = {name: value for name, value in facts.items() if value}
        activity = Activity(conversation_id=self.id, kind=kind, facts=facts or None, occurred_at=now())
        activity.actor_kind, activity.actor_id = by.kind, by.id
        activity.actor_name = None if by.kind == "agent" else by.name or None
        db.session.add(activity)
        announce("conversation", self.id)


def member_or_none(user_id: object) -> User | None:
    """A member of the team by id, or none."""
    member = db.session.query(Membership).filter_by(user_id=user_id).one_or_none()
    return member.user if member else None


def wake(conversation_ids: list[str]) -> None:
    """Reopens the conversations in which customers wrote, with a line that says why. Spam stays spam."""
    if conversation_ids:
        values = {"ids": conversation_ids, "tenant": current_tenant_id(), "now": database_now()}
        woken = db.session.scalars(WAKE, values | {"kind": "answered"})
        happened_each("conversation.reopened", [(id, {"why": "answered"}) for id in woken])


def wake_due() -> list[uuid.UUID]:
    """Reopens the conversations whose snooze is over. Returns their ids."""
    woken = db.session.scalars(WAKE_DUE, {"tenant": current_tenant_id(), "now": database_now(), "kind": "woken"}).all()
    happened_each("conversation.woken", [(id, {}) for id in woken], actors=[Actor.system("snooze")] * len(woken))
    return list(woken)


def reopen(conversation_ids: list[str]) -> None:
    """Reopens the conversations of customers who answered the survey with "bad"."""
    values = {"ids": conversation_ids, "tenant": current_tenant_id(), "now": database_now()}
    opened = db.session.scalars(REOPEN, values | {"kind": "unhappy"})
    happened_each("conversation.reopened", [(id, {"why": "unhappy"}) for id in opened])


# Reopens those of these conversations that are not open, with an activity for each. By primary key; spam and blocked
# ones stay as they are.
WAKE = text("""
    with woken as (
        update conversations set state = 'open', snoozed_until = null
        where tenant_id = :tenant and id = any(cast(:ids as uuid[]))
            and state in ('pending', 'snoozed', 'resolved', 'archived')
        returning id
    )
    insert into activities (tenant_id, id, conversation_id, kind, occurred_at)
    select :tenant, gen_random_uuid(), id, :kind, :now from woken
    returning conversation_id
""")
# Reopens the conversations of the tenant whose snooze is over. By ix_conversations_snoozed; one without an end
# (`snoozed_until` is null) waits for the customer.
WAKE_DUE = text("""
    with woken as (
        update conversations set state = 'open', snoozed_until = null
        where tenant_id = :tenant and state = 'snoozed' and snoozed_until <= :now
        returning id
    )
    insert into activities (tenant_id, id, conversation_id, kind, actor_kind, actor_name, occurred_at)
    select :tenant, gen_random_uuid(), id, :kind, 'system', 'snooze', :now from woken
    returning conversation_id
""")
# Reopens these conversations, or adds the activity to an open one: the customer waits again, since when they first did
# (a null `waiting_since`: since now). By primary key.
REOPEN = text("""
    with reopened as (
        update conversations set state = 'open', snoozed_until = null,
            waiting_since = coalesce(waiting_since, :now)
        where tenant_id = :tenant and id = any(cast(:ids as uuid[]))
            and state in ('open', 'pending', 'snoozed', 'resolved', 'archived')
        returning id
    )
    insert into activities (tenant_id, id, conversation_id, kind, actor_kind, actor_name, occurred_at)
    select :tenant, gen_random_uuid(), id, :kind, 'system', 'survey', :now from reopened
    returning conversation_id
""")
