"""Reactions: kept as they came, each once; what is shown under a message is the last of each side."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tenancy import TenantModel, belongs_to, current_tenant_id, db, now, one_of

if TYPE_CHECKING:
    from . import Message

NOT_SENT = ("failed", "expired", "cancelled")


class Reaction(TenantModel):
    """One emoji put under a message, or (when empty) taken away again. The message may not be known here.

    One of ours goes out as a message of its own (`message_id`), which nobody sees, and is known by that until then.
    """

    __table_args__ = (
        belongs_to("phone_numbers", "phone_number_id"),
        belongs_to("messages", "message_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "phone_number_id", "wamid"),
        one_of("direction", ("inbound", "outbound")),
        Index("ix_reactions_target", "tenant_id", "phone_number_id", "target_wamid"),
    )

    phone_number_id: Mapped[uuid.UUID]
    wamid: Mapped[str]
    target_wamid: Mapped[str]
    direction: Mapped[str]
    emoji: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    message_id: Mapped[uuid.UUID | None]
    message: Mapped[Message | None] = relationship(viewonly=True)

    @property
    def is_lost(self) -> bool:
        """Whether it was ours and did not go out."""
        return self.message is not None and self.message.state in NOT_SENT


def keep_reactions(rows: list[dict[str, Any]]) -> set[str]:
    """The wamids of those that were not known yet."""
    if not rows:
        return set()
    parameters = {"rows": json.dumps(rows), "tenant": current_tenant_id()}
    return set(db.session.scalars(NEW_REACTIONS, parameters))


NEW_REACTIONS = text("""
    insert into reactions (tenant_id, id, phone_number_id, wamid, target_wamid, direction, emoji, occurred_at,
                           created_at)
    select :tenant, id, phone_number_id, wamid, target, coalesce(direction, 'inbound'), emoji, occurred_at,
           clock_timestamp()
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, phone_number_id uuid, wamid text, target text,
                                                       direction text, emoji text, occurred_at timestamptz)
    on conflict (tenant_id, phone_number_id, wamid) do nothing
    returning wamid
""")
