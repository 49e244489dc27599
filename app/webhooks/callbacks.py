"""Facebook's callbacks: somebody removed the app, or asks for their data to be deleted."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from sqlalchemy import CheckConstraint, Index, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.signed_requests import SignedRequest
from app.onboarding.models import Onboarding
from app.tenancy import GlobalModel, db, later, now, tenant_scope
from app.wabas.models import CONNECT_AGAIN, Waba
from app.words import N_

KINDS = ("deauthorize", "data_deletion")
ERASED = N_("Somebody at your business had Facebook delete what it gave us, our access among it.")


class MetaCallback(GlobalModel):
    """One such call, stored before it is answered. Its id is the code under which its end can be looked up."""

    __tablename__ = "meta_callbacks"
    __table_args__ = (
        CheckConstraint("kind in ('deauthorize', 'data_deletion')", name="kind"),
        Index("ix_meta_callbacks_waiting", "received_at", postgresql_where=text("handled_at is null")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str]
    meta_user_id: Mapped[str]
    issued_at: Mapped[dt.datetime | None]
    received_at: Mapped[dt.datetime] = mapped_column(default=now)
    handled_at: Mapped[dt.datetime | None]

    @classmethod
    def receive(cls, kind: str, asked: SignedRequest) -> Self:
        made = cls(id=uuid.uuid4(), kind=kind, meta_user_id=asked.user_id, issued_at=asked.issued_at)
        db.session.add(made)
        db.session.flush()
        later("webhooks.handle_callback", made.id)
        return made

    @property
    def code(self) -> str:
        return self.id.hex

    def handle(self) -> None:
        """Needs a platform scope. The call may be old or repeated, so a removal is believed when Meta confirms it.

        What is deleted is deleted tenant by tenant, each in a transaction of its own; it may be repeated.
        """
        mine = Waba.token_user_id == self.meta_user_id
        if self.kind == "deauthorize":
            for tenant_id, waba_id in db.session.execute(select(Waba.tenant_id, Waba.id).where(mine)).all():
                later("wabas.check", waba_id, tenant_id=tenant_id)
        else:
            tried = select(Onboarding.tenant_id).where(Onboarding.token_user_id == self.meta_user_id)
            tenant_ids = {*db.session.scalars(select(Waba.tenant_id).where(mine)), *db.session.scalars(tried)}
            for tenant_id in sorted(tenant_ids):
                with tenant_scope(tenant_id):
                    erase_access(self.meta_user_id)
        self.handled_at = now()


def erase_access(meta_user_id: str) -> None:
    """Everything Facebook gave us of this person goes; conversations are the business's own."""
    for waba in db.session.scalars(select(Waba).where(Waba.token_user_id == meta_user_id)).unique():
        waba.token, waba.token_user_id, waba.token_expires_at = None, "", None
        for number in waba.phone_numbers:
            number.pause(ERASED, CONNECT_AGAIN)
    for onboarding in db.session.scalars(select(Onboarding).where(Onboarding.token_user_id == meta_user_id)):
        onboarding.token_ciphertext, onboarding.token_user_id, onboarding.claims = None, "", {}
