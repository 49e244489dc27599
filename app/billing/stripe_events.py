"""What Stripe posts. An event only says that a payment has changed; what has become of it is asked."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import uuid
from collections.abc import Sequence
from typing import Any

import stripe
import structlog
from sqlalchemy import Index, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import settings
from app.tenancy import GlobalModel, as_uuid, db, later, now, platform_scope, tenant_scope

from .stripe_account import TENANT, TOP_UP, StripeAccount, StripeError, Unreachable
from .top_ups import TopUp

log = structlog.get_logger()

# How old a signature may be (Stripe's default).
TOLERANCE_SECONDS = 300
# What changes a payment; every other type is acknowledged and dropped.
TYPES = ("checkout.session.", "payment_intent.", "charge.", "refund.")
# Of those, the ones that are looked up daily: at most 20 can be named (Stripe: List all events).
LISTED = (
    *(f"checkout.session.{each}" for each in ("completed", "expired")),
    *(f"checkout.session.async_payment_{each}" for each in ("succeeded", "failed")),
    *(f"payment_intent.{each}" for each in ("succeeded", "payment_failed", "canceled")),
    *("charge.refunded", "charge.refund.updated", "refund.created", "refund.updated", "refund.failed"),
    *(f"charge.dispute.{each}" for each in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")),
)
# How far back: an event that Stripe gives up to deliver is some days old.
LOOKS_BACK = dt.timedelta(days=7)
LONGEST = 255
NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
SOON, LATEST = dt.timedelta(seconds=30), dt.timedelta(hours=1)
REMEMBERED = dt.timedelta(days=60)


class NotAnEvent(ValueError):
    """The body is none of Stripe's events."""


def is_signed(body: bytes, header: str, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets has signed it, lately (Stripe: Webhooks, verify signatures manually)."""
    return any(is_signed_with(secret, body, header) for secret in secrets)


def is_signed_with(secret: str, body: bytes, header: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, TOLERANCE_SECONDS)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True


class StripeEvent(GlobalModel):
    """One event, stored before it is acknowledged: its id and which payment it is about, nothing about a person."""

    __tablename__ = "stripe_events"
    __table_args__ = (
        Index("ix_stripe_events_waiting", "next_attempt_at", postgresql_where=text("handled_at is null")),
    )

    # Stripe's, which it repeats where an acknowledgement was lost.
    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    # Whose payment it says it is about; believed once the payment itself says so.
    tenant_id: Mapped[uuid.UUID | None]
    top_up_id: Mapped[uuid.UUID | None]
    session_id: Mapped[str]
    intent_id: Mapped[str]
    received_at: Mapped[dt.datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[dt.datetime]
    handled_at: Mapped[dt.datetime | None]

    @classmethod
    def receive(cls, body: bytes) -> bool:
        """Stores a signed event and enqueues it; the same again does nothing. False where it is about no payment.

        Raises `NotAnEvent`.
        """
        row = row_of(parsed(body))
        if not row["type"].startswith(TYPES):
            return False
        db.session.execute(insert(cls).values(row).on_conflict_do_nothing())
        later("billing.stripe_event", row["id"])
        return True

    @classmethod
    def catch_up(cls) -> int:
        """Stores the events that Stripe lists and never delivered, and enqueues them. Returns how many there were.

        Opens scopes. Raises `StripeError`.
        """
        account, recovered = StripeAccount.of(settings), 0
        for page in account.events(LISTED, now() - LOOKS_BACK) if account else ():
            rows = []
            for event in page:
                with contextlib.suppress(NotAnEvent):
                    rows.append(row_of(event))
            with platform_scope("events that Stripe lists"):
                new = insert(cls).values(rows).on_conflict_do_nothing().returning(cls.id)
                for id in db.session.scalars(new).all() if rows else ():
                    later("billing.stripe_event", id)
                    recovered += 1
        if recovered:
            log.warning("events of Stripe were not delivered", count=recovered)
        return recovered

    @classmethod
    def handle(cls, id: str) -> None:
        """Brings the payment up to date. May run twice; what Stripe cannot say now is asked again. Opens scopes."""
        with platform_scope("event of Stripe"):
            event = db.session.get(cls, id, with_for_update=True)
            if event is None or event.handled_at:
                return
            event.attempts += 1
            event.next_attempt_at = now() + min(LATEST, SOON * 2 ** min(event.attempts, 10))
        try:
            done = event.apply()
        except Unreachable:
            return
        except StripeError as error:
            # Stripe knows no such payment, or not with our key.
            log.warning("event of an unknown payment", event_id=id, code=error.code)
            done = True
        if done:
            with platform_scope("event of Stripe"):
                handled = db.session.get(cls, id)
                if handled:
                    handled.handled_at = now()

    def apply(self) -> bool:
        """False where it has to be tried again. Raises `StripeError`."""
        tenant_id, top_up_id = self.tenant_id, self.top_up_id
        if (tenant_id is None or top_up_id is None) and self.intent_id:
            tenant_id, top_up_id = self.ask()
        if tenant_id is None or top_up_id is None:
            # Of another program that uses the same account.
            return True
        with tenant_scope(tenant_id):
            return TopUp.check(top_up_id, self.session_id, self.intent_id)

    def ask(self) -> tuple[uuid.UUID | None, uuid.UUID | None]:
        """Whose payment it is: refunds and disputes name the payment alone."""
        account = StripeAccount.of(settings)
        if account is None:
            return None, None
        metadata = account.payment(self.intent_id).metadata
        return as_uuid(metadata.get(TENANT)), as_uuid(metadata.get(TOP_UP))

    @classmethod
    def waiting(cls) -> Sequence[str]:
        """Those that Redis has lost, or that Stripe did not answer. Needs a platform scope."""
        due = select(cls.id).where(cls.handled_at.is_(None), cls.next_attempt_at <= now())
        return db.session.scalars(due.order_by(cls.next_attempt_at).limit(500)).all()

    @classmethod
    def forget_old(cls) -> None:
        """Stripe repeats an event for three days. Needs a platform scope."""
        db.session.execute(delete(cls).where(cls.received_at < now() - REMEMBERED))


def parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NotAnEvent from None


def row_of(event: Any) -> dict[str, Any]:
    try:
        subject = event["data"]["object"]
        row = {"id": event["id"], "type": event["type"]}
        metadata = subject.get("metadata") or {}
        is_session = subject.get("object") == "checkout.session"
        row["session_id"] = subject["id"] if is_session else ""
        is_intent = subject.get("object") == "payment_intent"
        row["intent_id"] = (subject["id"] if is_intent else subject.get("payment_intent")) or ""
        row |= {"tenant_id": as_uuid(metadata.get(TENANT)), "top_up_id": as_uuid(metadata.get(TOP_UP))}
    except (KeyError, TypeError, AttributeError):
        raise NotAnEvent from None
    texts = [row[name] for name in ("id", "type", "session_id", "intent_id")]
    if not all(map(is_text, texts)) or not row["id"]:
        raise NotAnEvent
    return row | {"received_at": now(), "next_attempt_at": now() + SOON, "attempts": 0}


def is_text(value: object) -> bool:
    """Whether the database can store it: no NUL, no half of a surrogate pair."""
    return isinstance(value, str) and len(value) <= LONGEST and not NOT_TEXT.search(value)
