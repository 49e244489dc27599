"""Direct Send of each WABA: whether utility messages may go out without a template, as far as is known.

Meta enables it account by account and has no question for it: what is known comes from its answers to messages.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.errors import MetaError
from app.meta.template_direct_send import is_blocked, is_not_enabled
from app.tenancy import TenantModel, announce, belongs_to, current_tenant_id, db, happened, now, one_of, uuid7
from app.words import N_

from .settings import TemplateSettings

STATES = ("unknown", "on", "off", "blocked")
# Meta announces neither when an account gets it nor, in its answer, how long a block lasts: then one message tries.
REST = dt.timedelta(days=7)

NOT_USED = N_("Your business doesn't use Direct Send. An owner can switch it on under Settings, Templates.")
NOT_ENABLED = N_("Meta hasn't enabled Direct Send for your WhatsApp account, so a template is needed.")
BLOCKED = N_("Meta has blocked Direct Send for your WhatsApp account. Send a template instead.")
MISUSED = N_("Direct Send is switched off, because Meta took one of your messages for advertising.")


class DirectSendAccess(TenantModel):
    """There is a row once something is known. `error` is Meta's answer, `misused_template` the one that it reported."""

    __tablename__ = "direct_send_access"
    __table_args__ = (UniqueConstraint("tenant_id", "waba_id"), belongs_to("wabas", "waba_id"), one_of("state", STATES))

    waba_id: Mapped[uuid.UUID]
    state: Mapped[str] = mapped_column(default="unknown")
    learnt_at: Mapped[dt.datetime | None]
    # From then on a message may try although Meta refused the last one.
    try_again_at: Mapped[dt.datetime | None]
    error: Mapped[dict[str, Any] | None]
    # When Meta reported a message as advertising, which switches it off, and when an owner switched it on again.
    misused_at: Mapped[dt.datetime | None]
    misused_template: Mapped[str] = mapped_column(default="", server_default="")
    restored_at: Mapped[dt.datetime | None]

    @classmethod
    def of(cls, waba_id: uuid.UUID) -> Self:
        mine = select(cls).where(cls.waba_id == waba_id).execution_options(populate_existing=True)
        return db.session.scalar(mine) or cls(waba_id=waba_id, state="unknown")

    @property
    def obstacle(self) -> str:
        """Why nothing may be sent with it, in words; "" where something may."""
        if not TemplateSettings.current().uses_direct_send:
            return NOT_USED
        if self.misused_at:
            return MISUSED
        return {"off": NOT_ENABLED, "blocked": BLOCKED}.get(self.state, "") if self.is_refused else ""

    @property
    def is_refused(self) -> bool:
        """Whether Meta refused it, and not so long ago that it might be otherwise."""
        return self.state in ("off", "blocked") and (self.try_again_at is None or self.try_again_at > now())

    @property
    def is_blocked(self) -> bool:
        return self.state == "blocked"

    @property
    def can_be_restored(self) -> bool:
        """Once: Meta blocks the account after the third report."""
        return self.misused_at is not None and self.restored_at is None

    @classmethod
    def learn_success(cls, waba_id: uuid.UUID) -> None:
        if cls.of(waba_id).state != "on":
            cls.store(waba_id, state="on", learnt_at=now(), try_again_at=None, error=None)

    @classmethod
    def learn_refusal(cls, waba_id: uuid.UUID, error: MetaError) -> bool:
        """Returns whether the error says anything about the account."""
        state = "blocked" if is_blocked(error) else "off" if is_not_enabled(error) else ""
        if state:
            cls.store(waba_id, state=state, learnt_at=now(), try_again_at=now() + REST, error=error.as_dict())
            happened("direct_send.stopped", waba_id)
        return bool(state)

    @classmethod
    def restrict(cls, waba_id: uuid.UUID, until: dt.datetime | None) -> None:
        """Meta has blocked it, and said until when."""
        cls.store(waba_id, state="blocked", learnt_at=now(), try_again_at=until or now() + REST, error=None)
        happened("direct_send.stopped", waba_id)

    @classmethod
    def report_misuse(cls, waba_id: uuid.UUID, template_name: str, at: dt.datetime) -> None:
        """Switches it off. A report that came before an owner switched it on again is old news."""
        access = cls.of(waba_id)
        if access.misused_at is None and not (access.restored_at and at <= access.restored_at):
            cls.store(waba_id, misused_at=at, misused_template=template_name)
            happened("direct_send.stopped", waba_id)

    @classmethod
    def restore(cls, waba_id: uuid.UUID) -> bool:
        """Switches it on again after a report. Returns whether that was possible."""
        if not cls.of(waba_id).can_be_restored:
            return False
        cls.store(waba_id, misused_at=None, restored_at=now())
        return True

    @classmethod
    def store(cls, waba_id: uuid.UUID, **values: Any) -> None:
        """Safe when several learn something at once."""
        fresh = {"state": "unknown", "misused_template": ""} | values
        row = upsert(cls).values(tenant_id=current_tenant_id(), id=uuid7(), waba_id=waba_id, **fresh)
        db.session.execute(row.on_conflict_do_update(index_elements=["tenant_id", "waba_id"], set_=values))
        announce("templates", waba_id)
