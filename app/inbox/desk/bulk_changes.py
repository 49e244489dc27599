"""Changing many conversations at once, and undoing that without overwriting what a colleague changed since."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Self

from sqlalchemy import Index, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from app.contacts.tags import ContactTag, Tag
from app.inbox.conversations import Conversation
from app.inbox.conversations.activities import Activity
from app.inbox.conversations.assignment import CONVERSATION_STATES, member_or_none
from app.team.models import Team
from app.team.models.teams import of_member
from app.tenancy import Actor, TenantModel, User, announce, as_uuid, database_now, db, now, one_of

from .state_changes import SETTABLE, change_state

# How many conversations one change may touch.
MOST = 200
LIFETIME = dt.timedelta(days=30)
# What is changed, and the activities that say that somebody changed it.
ACTIVITIES: dict[str, tuple[str, ...]] = {
    "state": (*CONVERSATION_STATES, "woken", "answered", "unhappy"),
    "assignee": ("assigned", "unassigned", "given"),
    "team": ("team", "no_team"),
    "tag": (),
}
Change = Callable[[Conversation], Any]


class BulkChange(TenantModel):
    """One change of many conversations: who made it, and of each what it was before and after.

    `rows` are `{"id": conversation, "before": {…}, "after": {…}}`, for those only that the change changed.
    """

    __table_args__ = (
        of_member("by_id"),
        one_of("field", tuple(ACTIVITIES)),
        Index("ix_bulk_changes_created", "created_at"),
    )

    by_id: Mapped[uuid.UUID]
    field: Mapped[str]
    rows: Mapped[list[dict[str, Any]]]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    undone_at: Mapped[dt.datetime | None]

    @classmethod
    def of_state(cls, ids: Iterable[uuid.UUID], state: str, *, by: Actor, until: dt.datetime | None = None) -> Self:
        """Customers whose conversations this resolves are asked afterwards how it went (`subscribers.py`)."""
        return cls.make("state", ids, lambda each: change_state(each, state, by=by, until=until, asks=False), by=by)

    @classmethod
    def of_assignee(cls, ids: Iterable[uuid.UUID], assignee: User | None, *, by: Actor) -> Self:
        """Assigns all of them, or unassigns them, whoever has them now."""
        return cls.make("assignee", ids, lambda each: each.give(assignee, by=by, expected=each.assignee_id), by=by)

    @classmethod
    def of_team(cls, ids: Iterable[uuid.UUID], team: Team | None, *, by: Actor) -> Self:
        return cls.make("team", ids, lambda each: each.give_to_team(team, by=by), by=by)

    @classmethod
    def of_tag(cls, ids: Iterable[uuid.UUID], tag: Tag, *, is_added: bool, by: Actor) -> Self:
        """Adds a tag to the customers of these conversations, or removes it."""
        conversations = Conversation.lock_all(ids)
        contacts = [conversation.contact_id for conversation in conversations]
        changed = tag.put_on(*contacts, by=by) if is_added else tag.take_off(*contacts)
        off, on = {"tag": None, "of": str(tag.id)}, {"tag": str(tag.id), "of": str(tag.id)}
        before, after = (off, on) if is_added else (on, off)
        rows = [
            {"id": str(conversation.id), "before": before, "after": after}
            for conversation in conversations
            if conversation.contact_id in changed
        ]
        for row in rows:
            announce("conversation", row["id"])
        return cls.save("tag", rows, by)

    @classmethod
    def make(cls, field: str, ids: Iterable[uuid.UUID], change: Change, *, by: Actor) -> Self:
        rows = []
        for conversation in Conversation.lock_all(ids):
            before = values(field, conversation)
            change(conversation)
            after = values(field, conversation)
            if before != after:
                rows.append({"id": str(conversation.id), "before": before, "after": after})
        return cls.save(field, rows, by)

    @classmethod
    def save(cls, field: str, rows: list[dict[str, Any]], by: Actor) -> Self:
        bulk_change = cls(by_id=by.user_id, field=field, rows=rows, created_at=now())
        db.session.add(bulk_change)
        db.session.flush()
        return bulk_change

    def undo(self, *, by: Actor) -> int:
        """Restores what was before, once. Leaves what anybody has changed since, and returns how many were restored."""
        if self.refresh_locked().undone_at:
            return 0
        self.undone_at = now()
        conversations = {
            str(each.id): each for each in Conversation.lock_all(uuid.UUID(row["id"]) for row in self.rows)
        }
        touched = self.touched_since([*conversations.values()])
        rows = [(conversations[row["id"]], row) for row in self.rows if row["id"] in conversations]
        return sum(self.restore(each, row, by) for each, row in rows if each.id not in touched)

    def restore(self, conversation: Conversation, row: dict[str, Any], by: Actor) -> bool:
        """Whether the conversation still is as the change left it, and so is now as it was before."""
        if self.field == "tag":
            return self.restore_tag(conversation, row, by)
        if values(self.field, conversation) != row["after"]:
            return False
        return set_back(self.field, conversation, row["before"], by)

    def restore_tag(self, conversation: Conversation, row: dict[str, Any], by: Actor) -> bool:
        tag = Tag.find(row["after"]["of"])
        if tag is None:
            return False
        if row["before"]["tag"]:
            changed = bool(tag.put_on(conversation.contact_id, by=by))
        else:
            # Somebody may have removed the tag and added it again: then it is theirs.
            ours = (ContactTag.tag_id == tag.id) & (ContactTag.contact_id == conversation.contact_id)
            ours &= (ContactTag.added_by_id == self.by_id) & (ContactTag.created_at <= self.created_at)
            changed = bool(db.session.scalars(delete(ContactTag).where(ours).returning(ContactTag.id)).all())
        if changed:
            announce("conversation", conversation.id)
        return changed

    def touched_since(self, conversations: list[Conversation]) -> set[uuid.UUID]:
        """The conversations of which the same thing was changed again, even if it is now as this change left it."""
        since = Activity.occurred_at > self.created_at, Activity.kind.in_(ACTIVITIES[self.field])
        ids = [each.id for each in conversations]
        query = select(Activity.conversation_id).where(Activity.conversation_id.in_(ids), *since)
        return set(db.session.scalars(query.distinct()))

    @classmethod
    def forget_old(cls) -> None:
        """Deletes what can no longer be undone. Needs a platform scope."""
        db.session.execute(delete(cls).where(cls.created_at < database_now() - LIFETIME))


def values(field: str, conversation: Conversation) -> dict[str, Any]:
    """What a change of this field changes, as JSON."""
    match field:
        case "state":
            until = conversation.snoozed_until
            return {"state": conversation.state, "until": until and until.astimezone(dt.UTC).isoformat()}
        case "assignee":
            return {"assignee": conversation.assignee_id and str(conversation.assignee_id)}
    return {"team": conversation.team_id and str(conversation.team_id)}


def set_back(field: str, conversation: Conversation, before: dict[str, Any], by: Actor) -> bool:
    """Whether it could be set back: not to a block, which needs a reason, nor to somebody who has left."""
    match field:
        case "state" if before["state"] in SETTABLE:
            until = dt.datetime.fromisoformat(before["until"]) if before["until"] else None
            return change_state(conversation, before["state"], by=by, until=until)
        case "assignee":
            assignee = member_or_none(as_uuid(before["assignee"])) if before["assignee"] else None
            if before["assignee"] and not assignee:
                return False
            return conversation.give(assignee, by=by, expected=conversation.assignee_id)
        case "team":
            team = Team.find(before["team"]) if before["team"] else None
            return (team is not None or not before["team"]) and conversation.give_to_team(team, by=by)
    return False
