"""Facebook's callbacks: somebody removed the app, or asks for their data to be deleted."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from typing import Self

from sqlalchemy import CheckConstraint, ColumnElement, Index, Select, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.signed_requests import SignedRequest
from app.onboarding.models import Onboarding
from app.tenancy import GlobalModel, db, later, now, tenant_scope
from app.wabas.models import CONNECT_AGAIN, PhoneNumber, Waba
from app.words import N_

# Facebook calls at once, and tries again for a while; an older call is somebody's copy.
OLDEST = dt.timedelta(days=1)
KINDS = ("deauthorize", "data_deletion")
ERASED = N_("Someone at your business asked Facebook to delete the data it gave us, including our access.")


class MetaCallback(GlobalModel):
    """One such call, stored before it is answered. Its id is the code under which its end can be looked up."""

    __tablename__ = "meta_callbacks"
    __table_args__ = (
        CheckConstraint("kind in ('deauthorize', 'data_deletion')", name="kind"),
        Index(
            "uq_meta_callbacks_call",
            "kind",
            "meta_user_id",
            "issued_at",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_meta_callbacks_waiting", "received_at", postgresql_where=text("handled_at is null")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str]
    meta_user_id: Mapped[str]
    issued_at: Mapped[dt.datetime | None]
    received_at: Mapped[dt.datetime] = mapped_column(default=now)
    handled_at: Mapped[dt.datetime | None]

    @classmethod
    def receive(cls, kind: str, signed_request: SignedRequest) -> Self:
        """Each call has one effect: the same again finds the first, and has no other."""
        call = {"kind": kind, "meta_user_id": signed_request.user_id, "issued_at": signed_request.issued_at}
        row = call | {"id": uuid.uuid4(), "received_at": now()}
        made = db.session.scalar(insert(cls).values(row).on_conflict_do_nothing().returning(cls.id))
        if made:
            later("webhooks.handle_callback", made)
        return db.session.scalars(select(cls).filter_by(**call)).one()

    @property
    def code(self) -> str:
        return self.id.hex

    def handle(self) -> None:
        """Needs a platform scope. The call may be old or repeated, so a removal is believed when Meta confirms it.

        What is deleted is deleted tenant by tenant, each in a transaction of its own; it may be repeated.
        """
        accounts: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
        for tenant_id, waba_id in db.session.execute(self.affected_wabas()):
            accounts[tenant_id].append(waba_id)
        if self.kind == "deauthorize":
            for tenant_id, waba_ids in accounts.items():
                for waba_id in waba_ids:
                    later("wabas.check", waba_id, tenant_id=tenant_id)
        else:
            tried = set(db.session.scalars(select(Onboarding.tenant_id).where(self.is_attempt)))
            for tenant_id in sorted({*accounts, *tried}):
                with tenant_scope(tenant_id):
                    self.erase(accounts[tenant_id])
        self.handled_at = now()

    def affected_wabas(self) -> Select[uuid.UUID, uuid.UUID]:
        """The accounts of that person's, as they were when the call was made: not those connected since."""
        later_on = select(PhoneNumber.id).where(
            PhoneNumber.tenant_id == Waba.tenant_id,
            PhoneNumber.waba_id == Waba.id,
            PhoneNumber.connected_at > (self.issued_at or self.received_at),
        )
        return select(Waba.tenant_id, Waba.id).where(Waba.token_user_id == self.meta_user_id, ~later_on.exists())

    @property
    def is_attempt(self) -> ColumnElement[bool]:
        """Whether an onboarding is one of that person's, begun before the call."""
        return (Onboarding.token_user_id == self.meta_user_id) & (Onboarding.created_at <= self.received_at)

    def erase(self, waba_ids: list[uuid.UUID]) -> None:
        """Everything Facebook gave a tenant of this person goes; conversations are the business's own."""
        for waba in db.session.scalars(select(Waba).where(Waba.id.in_(waba_ids))).unique():
            waba.token, waba.token_user_id, waba.token_expires_at = None, "", None
            for number in waba.phone_numbers:
                number.pause(ERASED, CONNECT_AGAIN)
        for onboarding in db.session.scalars(select(Onboarding).where(self.is_attempt)):
            onboarding.token_ciphertext, onboarding.token_user_id, onboarding.claims = None, "", {}
