"""What a business chose for its contacts, and each member for the table of them."""

from __future__ import annotations

import uuid
from typing import Self

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import Membership, TenantModel, current_tenant_id, db, of_tenant, uuid7

COLUMNS = ("phone", "username", "tags", "marketing", "last_seen", "created")
FIRST_COLUMNS = ["phone", "tags", "last_seen"]
MOST_COLUMNS = 12


class ContactSettings(TenantModel):
    """`country` (ISO 3166) is assumed for numbers without a country code; empty assumes none."""

    __tablename__ = "contact_settings"
    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id"))

    country: Mapped[str] = mapped_column(default="")

    @classmethod
    def default_country(cls) -> str:
        return db.session.scalar(select(cls.country)) or ""

    @classmethod
    def assume_country(cls, country: str) -> None:
        """Until somebody chooses one."""
        row = {"tenant_id": current_tenant_id(), "id": uuid7(), "country": country}
        db.session.execute(upsert(cls).values(row).on_conflict_do_nothing(index_elements=["tenant_id"]))

    @classmethod
    def save_country(cls, country: str) -> None:
        row = {"tenant_id": current_tenant_id(), "id": uuid7(), "country": country}
        saving = upsert(cls).values(row)
        db.session.execute(saving.on_conflict_do_update(index_elements=["tenant_id"], set_={"country": country}))


class ContactTable(TenantModel):
    """The columns that a member chose for the table of contacts: names of COLUMNS, and field:<id>."""

    __table_args__ = (
        UniqueConstraint("tenant_id", "user_id"),
        ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["memberships.tenant_id", "memberships.user_id"], ondelete="CASCADE"
        ),
    )

    user_id: Mapped[uuid.UUID]
    columns: Mapped[list[str]] = mapped_column(default=list)

    @classmethod
    def of(cls, member: Membership) -> Self:
        saved = db.session.scalar(select(cls).where(cls.user_id == member.user_id))
        return saved or cls(user_id=member.user_id, columns=[*FIRST_COLUMNS])

    def choose(self, columns: list[str]) -> None:
        row = {"tenant_id": current_tenant_id(), "id": uuid7(), "user_id": self.user_id, "columns": columns}
        saving = upsert(ContactTable).values(row)
        key = ["tenant_id", "user_id"]
        db.session.execute(saving.on_conflict_do_update(index_elements=key, set_={"columns": columns}))
