"""A link for whoever manages the Facebook account: it connects the business's number, and opens nothing else."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from sqlalchemy import Select, select
from sqlalchemy.orm import Mapped, mapped_column

from app import tokens
from app.billing.balances import Balance
from app.tenancy import Membership, TenantModel, User, belongs_to, db, is_uuid, now, of_tenant

from .models import Onboarding

PURPOSE = "setup link"
DAYS = (1, 3, 7, 14)


class SetupLink(TenantModel):
    """Valid until it expires, is revoked, its author may no longer connect numbers, or its business is closed."""

    __table_args__ = (of_tenant(), belongs_to("onboardings", "onboarding_id", ondelete="CASCADE"))

    onboarding_id: Mapped[uuid.UUID]
    created_by_id: Mapped[uuid.UUID]
    expires_at: Mapped[dt.datetime]
    opened_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def create(cls, by: User, days: int) -> Self:
        """A new link, valid for so many days, with an attempt of its own."""
        link = cls(onboarding_id=Onboarding.begin(None).id, created_by_id=by.id)
        link.expires_at = now() + dt.timedelta(days=days)
        db.session.add(link)
        db.session.flush()
        return link

    @classmethod
    def open_ones(cls) -> Select[Self]:
        return select(cls).where(cls.revoked_at.is_(None), cls.expires_at > now()).order_by(cls.id.desc())

    @property
    def address(self) -> str:
        """Its token names the tenant, as its reader is not signed in to any."""
        return tokens.link("setup.show", token=tokens.sign(PURPOSE, f"{self.tenant_id} {self.id}"))

    @classmethod
    def ids_in(cls, token: str) -> tuple[uuid.UUID, uuid.UUID] | None:
        """The tenant's and the link's id in a token that we have signed; None for any other."""
        parts = (tokens.read(PURPOSE, token) or "").split()
        return (uuid.UUID(parts[0]), uuid.UUID(parts[1])) if len(parts) == 2 and all(map(is_uuid, parts)) else None

    @property
    def is_valid(self) -> bool:
        author = db.session.scalar(select(Membership).where(Membership.user_id == self.created_by_id))
        may_connect = author is not None and author.may("numbers.manage")
        is_open = self.revoked_at is None and self.expires_at > now()
        return may_connect and is_open and not Balance.of_closed()

    @property
    def onboarding(self) -> Onboarding:
        return Onboarding.get_or_404(self.onboarding_id)

    def start_again(self) -> None:
        """Puts a new attempt in the place of one that cannot go on."""
        if self.onboarding.trouble.get("start_again"):
            self.onboarding_id = Onboarding.begin(None).id

    def open(self) -> None:
        """Notes when it was opened first."""
        self.opened_at = self.opened_at or now()

    def revoke(self) -> None:
        self.revoked_at = self.revoked_at or now()
