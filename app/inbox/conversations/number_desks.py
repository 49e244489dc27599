"""How the desk treats a number: which team its conversations go to, and when customers see blue ticks."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.team.models import Team
from app.tenancy import TenantModel, belongs_to, current_tenant_id, db, now, one_of

# Once an agent has opened the conversation, once it is answered, or never.
READ_RECEIPTS = ("always", "on_reply", "never")


class NumberDesk(TenantModel):
    """Its id is the number's. There is a row once somebody has changed something."""

    __table_args__ = (
        belongs_to("phone_numbers", "id", ondelete="CASCADE"),
        belongs_to("teams", "team_id", nulled=True),
        one_of("read_receipts", READ_RECEIPTS),
    )

    team_id: Mapped[uuid.UUID | None]
    read_receipts: Mapped[str] = mapped_column(default="always", server_default="always")
    # When somebody stopped all automation of the number.
    automation_paused_at: Mapped[dt.datetime | None]

    @classmethod
    def of(cls, phone_number_id: uuid.UUID) -> Self:
        """The number's row, or one with the defaults that is not stored."""
        return cls.find(phone_number_id) or cls(id=phone_number_id, team_id=None, read_receipts="always")

    @classmethod
    def change(cls, phone_number_id: uuid.UUID, *, team: Team | None, read_receipts: str) -> None:
        """Stores the settings; safe when two people do it at once."""
        cls.store(phone_number_id, {"team_id": team.id if team else None, "read_receipts": read_receipts})

    @classmethod
    def pause_automation(cls, phone_number_id: uuid.UUID) -> None:
        """Stops all automation of the number until somebody resumes it."""
        cls.store(phone_number_id, {"automation_paused_at": now()})

    @classmethod
    def resume_automation(cls, phone_number_id: uuid.UUID) -> None:
        cls.store(phone_number_id, {"automation_paused_at": None})

    @classmethod
    def store(cls, phone_number_id: uuid.UUID, settings: dict[str, Any]) -> None:
        row = insert(cls).values(tenant_id=current_tenant_id(), id=phone_number_id, **settings)
        db.session.execute(row.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=settings))
