"""A sandbox and its number, and the webhooks that are still to come there."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Index, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped

from app.meta import pretend
from app.meta.pretended_webhooks import Change, of_number, post_of
from app.tenancy import (
    Tenant,
    TenantModel,
    current_tenant_id,
    database_now,
    db,
    exists,
    later,
    now,
    of_tenant,
    sandbox_id,
    tenant_scope,
)
from app.wabas.models import PhoneNumber, Waba
from app.webhook_events.models import WebhookEvent

NAME, DISPLAY_NUMBER, CURRENCY, LIMIT = "Test number", "+1 650 555 0199", "USD", "TIER_UNLIMITED"
# Between two webhooks about one message: long enough for the first to be processed before the second is stored.
PAUSE = dt.timedelta(seconds=2)
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The sandbox of a business. Its id follows from the business's, and its ids at Meta from its own."""

    business_id: uuid.UUID

    @property
    def id(self) -> uuid.UUID:
        return sandbox_id(self.business_id)

    @property
    def is_open(self) -> bool:
        """Whether it was made. Opens a scope of its own."""
        with tenant_scope(self.id):
            return exists(select(Tenant.id).where(Tenant.id == self.id))

    def open(self, name: str) -> None:
        """Makes it, with one account and one number; where it is there, nothing changes. Opens a scope of its own."""
        with tenant_scope(self.id):
            lock = func.hashtextextended(f"sandbox {self.id}", 0)
            db.session.execute(select(func.pg_advisory_xact_lock(lock)))
            row = {"id": self.id, "slug": str(self.id), "name": name, "is_sandbox": True, "created_at": now()}
            db.session.execute(insert(Tenant).values(row).on_conflict_do_nothing())
            waba = Waba.claim(waba_meta_id(self.id))
            waba.name, waba.currency, waba.token = name, CURRENCY, pretend.TOKEN
            waba.subscribed_at = waba.subscribed_at or now()
            number = PhoneNumber.claim(waba, pretend.id_for(self.id, "phone number"), DISPLAY_NUMBER)
            if not number.is_connected:
                number.verified_name, number.messaging_limit = NAME, LIMIT
                number.connect()


def waba_meta_id(tenant_id: uuid.UUID) -> str:
    return pretend.id_for(tenant_id, "WABA")


class PretendedWebhook(TenantModel):
    """What Meta would still post about one message or template: `changes`, the next of them at `due_at`."""

    __table_args__ = (of_tenant(), Index("ix_pretended_webhooks_due_at", "due_at"))

    changes: Mapped[list[dict[str, Any]]]
    due_at: Mapped[dt.datetime]

    @classmethod
    def expect(cls, changes: Sequence[Change], *, at: dt.datetime | None = None) -> None:
        """Has these posted one after the other, the first at once unless `at` says when."""
        db.session.add(cls(changes=list(changes), due_at=at or now()))
        later("sandboxes.post_webhooks")

    @classmethod
    def expect_of_number(cls, number: PhoneNumber, values: Iterable[dict[str, Any]]) -> None:
        cls.expect([of_number(number.meta_id, number.display_number, value) for value in values])

    @classmethod
    def post_due(cls) -> None:
        """Stores those of the current tenant that are due, as the door would, and moves the rest of each on."""
        due = select(cls).where(cls.due_at <= database_now()).order_by(cls.due_at, cls.id).limit(AT_ONCE)
        rows = db.session.scalars(due.with_for_update(skip_locked=True)).all()
        WebhookEvent.arrive([row.post_next() for row in rows])

    def post_next(self) -> bytes:
        """The body of the next one; the following one comes a moment later."""
        first, *rest = self.changes
        if rest:
            self.changes, self.due_at = rest, database_now() + PAUSE
        else:
            db.session.delete(self)
        return post_of(waba_meta_id(current_tenant_id()), first, now())
