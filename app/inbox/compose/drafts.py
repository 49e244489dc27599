"""Drafts: what an agent has typed and not sent, saved so that it is there on another device."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy import Index, UniqueConstraint, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.inbox.conversations import Conversation, Message
from app.team.models.teams import of_member
from app.tenancy import TenantModel, User, belongs_to, current_tenant_id, database_now, db, now, one_of, uuid7

KINDS = ("reply", "note")
LONGEST = 10_000
PREVIEW = 160
LIFETIME = dt.timedelta(days=30)


class Draft(TenantModel):
    """One of each kind for an agent and a conversation. An empty one tells other devices to delete their copy.

    The newest wins, by how long ago it was typed: the clocks of browsers are not trusted.
    """

    __table_args__ = (
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        of_member("user_id"),
        UniqueConstraint("tenant_id", "conversation_id", "user_id", "kind"),
        one_of("kind", KINDS),
        Index("ix_drafts_typed", "typed_at"),
    )

    conversation_id: Mapped[uuid.UUID]
    user_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    body: Mapped[str]
    typed_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def find_for(cls, conversation: Conversation, kind: str, user: User) -> Draft | None:
        mine = (cls.conversation_id == conversation.id) & (cls.user_id == user.id) & (cls.kind == kind)
        return db.session.scalar(select(cls).where(mine).execution_options(populate_existing=True))

    @classmethod
    def save(cls, conversation: Conversation, kind: str, body: str, *, owner: User, age: dt.timedelta) -> None:
        """Saves what was typed `age` ago, unless something newer is saved (`on conflict … where`)."""
        values = {"tenant_id": current_tenant_id(), "id": uuid7(), "conversation_id": conversation.id}
        values |= {"user_id": owner.id, "kind": kind, "body": body, "typed_at": now() - age}
        new = insert(cls).values(values)
        newer = {"body": new.excluded.body, "typed_at": new.excluded.typed_at}
        key = ["tenant_id", "conversation_id", "user_id", "kind"]
        where = cls.typed_at <= new.excluded.typed_at
        db.session.execute(new.on_conflict_do_update(index_elements=key, set_=newer, where=where))

    @classmethod
    def give_back(cls, message: Message, *, owner: User) -> None:
        """The words of a message that was not sent go before what its author has typed since."""
        if message.type == "text":
            draft = cls.find_for(message.conversation, "reply", owner)
            words = "\n".join(filter(None, (message.body, draft.body if draft else "")))
            cls.save(message.conversation, "reply", words, owner=owner, age=dt.timedelta())

    @classmethod
    def clear(cls, conversation: Conversation, kind: str, *, owner: User, age: dt.timedelta = dt.timedelta()) -> None:
        """Empties a draft that was sent `age` ago; what was typed since stays."""
        at = now() - age
        mine = (cls.conversation_id == conversation.id) & (cls.user_id == owner.id) & (cls.kind == kind)
        db.session.execute(update(cls).where(mine, cls.typed_at <= at).values(body="", typed_at=at))

    @classmethod
    def previews(cls, conversation_ids: Iterable[uuid.UUID], user: User) -> dict[uuid.UUID, tuple[str, str]]:
        """The kind and the beginning of the user's last draft in each of these conversations, where there is one."""
        mine = (cls.conversation_id.in_(list(conversation_ids))) & (cls.user_id == user.id) & (cls.body != "")
        preview = func.left(cls.body, PREVIEW)
        query = select(cls.conversation_id, cls.kind, preview).where(mine).order_by(cls.typed_at)
        return {row[0]: (row[1], row[2]) for row in db.session.execute(query)}

    @classmethod
    def forget_old(cls) -> None:
        """Deletes drafts older than LIFETIME. Needs a platform scope."""
        db.session.execute(delete(cls).where(cls.typed_at < database_now() - LIFETIME))

    @property
    def age(self) -> int:
        """How long ago it was typed, in milliseconds."""
        return max(0, int((now() - self.typed_at).total_seconds() * 1000))


def merge_drafts(gone: uuid.UUID, home: uuid.UUID) -> None:
    """Moves the drafts of conversation `gone` to `home`; two of one agent are joined."""
    db.session.execute(MERGE, {"gone": gone, "home": home, "tenant": current_tenant_id(), "longest": LONGEST})
    db.session.execute(delete(Draft).where(Draft.conversation_id == gone))


# Copies the drafts of one conversation to another; where the agent has one there (unique key), appends the text, cut at
# :longest characters.
MERGE = text("""
    insert into drafts as d (tenant_id, id, conversation_id, user_id, kind, body, typed_at)
    select tenant_id, gen_random_uuid(), :home, user_id, kind, body, typed_at
    from drafts where tenant_id = :tenant and conversation_id = :gone
    on conflict (tenant_id, conversation_id, user_id, kind) do update set
        body = left(case when d.body = '' then excluded.body when excluded.body = '' then d.body
            else d.body || E'\\n' || excluded.body end, :longest),
        typed_at = greatest(d.typed_at, excluded.typed_at)
""")
