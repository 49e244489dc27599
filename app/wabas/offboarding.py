"""Disconnects an account from Switchboard; billing ends before access, so no one pays for another."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any, Self

import structlog
from sqlalchemy import Index, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import graph, settings
from app.meta import credit_lines, phone_numbers, wabas
from app.meta.errors import MetaError
from app.tenancy import TenantModel, announce, belongs_to, commit, db, later, now, one_of
from app.words import N_

from .credit import CreditLineShare
from .models import PhoneNumber, Waba

log = structlog.get_logger()

STATES = ("running", "failed", "done")
LEASE, TRIES = dt.timedelta(minutes=3), 5
# Codes by which nothing is left to undo there.
GONE = {0, 10, 100, 190, 200, 803}


class Offboarding(TenantModel):
    """Each step may run twice, and the process be killed between any two: it continues where it was."""

    __table_args__ = (
        belongs_to("wabas", "waba_id"),
        one_of("state", STATES),
        Index("ix_offboardings_running", "next_attempt_at", postgresql_where=text("state = 'running'")),
    )

    waba_id: Mapped[uuid.UUID]
    state: Mapped[str] = mapped_column(default="running")
    by: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    done: Mapped[list[str]] = mapped_column(default=list)
    error: Mapped[dict[str, Any] | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[dt.datetime] = mapped_column(default=now)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]

    @classmethod
    def begin(cls, waba: Waba, *, by: str, reason: str = "") -> Self:
        """Stops sending at once, and enqueues the rest."""
        if unfinished := cls.of(waba):
            unfinished.retry()
            return unfinished
        offboarding = cls(waba_id=waba.id, by=by, reason=reason)
        db.session.add(offboarding)
        for number in waba.phone_numbers:
            number.disconnect()
        db.session.flush()
        log.info("offboarding begun", waba_id=str(waba.id), by=by, reason=reason)
        offboarding.go_later()
        return offboarding

    @classmethod
    def of(cls, waba: Waba) -> Self | None:
        """The one that is running or failed; None where none is."""
        mine = select(cls).where(cls.waba_id == waba.id, cls.state != "done")
        return db.session.scalar(mine.order_by(cls.id.desc()).limit(1))

    def go_later(self) -> None:
        later("wabas.offboard", self.id)

    def retry(self) -> None:
        self.state, self.attempts, self.next_attempt_at = "running", 0, now()
        self.go_later()

    def go(self) -> None:
        """Runs the remaining steps; what Meta refuses is retried, five times."""
        if self.refresh_locked().state != "running" or self.next_attempt_at > now():
            return None
        self.attempts, self.next_attempt_at = self.attempts + 1, now() + LEASE
        commit()
        for step in STEPS:
            if step.__name__ in self.done:
                continue
            try:
                step(Waba.get_or_404(self.waba_id))
            except MetaError as error:
                return self.fail(error)
            self.done, self.error = [*self.done, step.__name__], None
            commit()
        self.state, self.finished_at = "done", now()
        announce("waba", self.waba_id)
        return None

    def fail(self, error: MetaError) -> None:
        self.error = error.as_dict()
        self.next_attempt_at = now() + dt.timedelta(seconds=15 * 4**self.attempts)
        if self.attempts >= TRIES:
            self.state = "failed"
        announce("waba", self.waba_id)

    @property
    def next_step(self) -> str:
        """The next step to be done, in words."""
        return next((WORDS[step.__name__] for step in STEPS if step.__name__ not in self.done), "")


def revoke_credit_line(waba: Waba) -> None:
    """Revokes the share, unless another account of that business here uses it: Meta revokes it for all of them."""
    share = CreditLineShare.of(waba)
    same = select(Waba).where(Waba.owner_business_id == waba.owner_business_id, Waba.id != waba.id)
    others = bool(waba.owner_business_id) and any(not other.is_left for other in db.session.scalars(same))
    if share is None or others:
        return
    allocation, token = share.allocation_config_id, settings.meta_system_user_token
    commit()
    if not credit_lines.is_revoked(graph, token, allocation):
        credit_lines.revoke(graph, token, allocation)
    share.verified_at = None


def unsubscribe_webhooks(waba: Waba) -> None:
    with_token(waba, lambda token: wabas.unsubscribe(graph, token, waba.meta_id))
    waba.subscribed_at = None


def deregister_numbers(waba: Waba) -> None:
    """Deregisters all but those that stay in the WhatsApp Business app."""
    for number in waba.phone_numbers:
        if not number.is_on_biz_app:
            deregister(waba, number)


def deregister(waba: Waba, number: PhoneNumber) -> None:
    def call(token: str) -> None:
        if phone_numbers.fetch(graph, token, number.meta_id).is_registered:
            phone_numbers.deregister(graph, token, number.meta_id)

    with_token(waba, call)


def forget_token(waba: Waba) -> None:
    """Deletes our access. PINs stay: whoever registers the numbers next is asked for them."""
    waba.token, waba.token_expires_at, waba.token_user_id = None, None, ""


def with_token(waba: Waba, call: Callable[[str], object]) -> None:
    """Calls Meta with the token; where it opens nothing any more, there is nothing to undo."""
    if (token := waba.token) is None:
        return
    commit()
    try:
        call(token)
    except MetaError as error:
        if error.code not in GONE:
            raise


STEPS = (revoke_credit_line, unsubscribe_webhooks, deregister_numbers, forget_token)
WORDS = {
    "revoke_credit_line": N_("Revoking the credit line"),
    "unsubscribe_webhooks": N_("Turning off the webhooks"),
    "deregister_numbers": N_("Deregistering the numbers"),
    "forget_token": N_("Deleting our access"),
}
