"""What a business chose for its whole inbox."""

from __future__ import annotations

from typing import Self

from sqlalchemy import UniqueConstraint, select, text, true
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, current_tenant_id, db, of_tenant, uuid7

SILENCE_HOURS = 12
# What a page offers.
SILENCES = (1, 4, 12, 24, 72, 0)


class InboxSettings(TenantModel):
    """There is a row once somebody has changed something.

    `shows_typing`: customers see that an agent types a reply. `previews_links`: we fetch the pages behind links.
    `silence_hours`: how long a person's message keeps automation quiet; 0: until the conversation is resolved.
    """

    __tablename__ = "inbox_settings"
    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id"))

    shows_typing: Mapped[bool] = mapped_column(default=True, server_default=true())
    previews_links: Mapped[bool] = mapped_column(default=True, server_default=true())
    silence_hours: Mapped[int] = mapped_column(default=SILENCE_HOURS, server_default=text("12"))

    @classmethod
    def current(cls) -> Self:
        return db.session.scalar(select(cls)) or cls.untouched()

    @classmethod
    def untouched(cls) -> Self:
        return cls(shows_typing=True, previews_links=True, silence_hours=SILENCE_HOURS)

    @classmethod
    def change(cls, *, shows_typing: bool, previews_links: bool, silence_hours: int) -> None:
        """Stores the settings; safe when two people do it at once."""
        chosen = {"shows_typing": shows_typing, "previews_links": previews_links, "silence_hours": silence_hours}
        row = upsert(cls).values(tenant_id=current_tenant_id(), id=uuid7(), **chosen)
        db.session.execute(row.on_conflict_do_update(index_elements=["tenant_id"], set_=chosen))
