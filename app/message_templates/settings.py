"""What a business chose for its templates."""

from __future__ import annotations

from typing import Self

from sqlalchemy import UniqueConstraint, false, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import Membership, Role, TenantModel, current_tenant_id, db, of_tenant, uuid7


class TemplateSettings(TenantModel):
    """There is a row once somebody has changed something.

    `needs_approval`: only owners submit to Meta. `uses_direct_send`: utility messages may go out without a template.
    """

    __tablename__ = "template_settings"
    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id"))

    needs_approval: Mapped[bool] = mapped_column(default=False, server_default=false())
    uses_direct_send: Mapped[bool] = mapped_column(default=False, server_default=false())

    @classmethod
    def current(cls) -> Self:
        return db.session.scalar(select(cls)) or cls(needs_approval=False, uses_direct_send=False)

    @classmethod
    def change(cls, **chosen: bool) -> None:
        """Stores these of the settings; safe when two people do it at once."""
        row = upsert(cls).values(tenant_id=current_tenant_id(), id=uuid7(), **chosen)
        db.session.execute(row.on_conflict_do_update(index_elements=["tenant_id"], set_=chosen))

    def lets_submit(self, membership: Membership | None) -> bool:
        """A program is no owner."""
        return not self.needs_approval or (membership is not None and membership.role == Role.OWNER)
