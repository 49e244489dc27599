"""The addresses to which events are posted, and their secrets."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any, Self

from sqlalchemy import Select, false, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.egress import checked, checked_by_its_words
from app.signing import key_of, new_secret
from app.tenancy import Actor, TenantModel, current_tenant_id, db, later, now, of_tenant, one_of, uuid7
from app.tenancy.sealed import Sealed

from .deliveries import WebhookDelivery
from .event_types import TEST
from .events import OutgoingEvent

STATES = ("active", "disabled", "removed")
# By hand, because the other side said so (410), after a day of failures, or as the business was closed.
REASONS = ("", "member", "gone", "failing", "closed")
MOST_ENDPOINTS = 20
LONGEST_URL, LONGEST_DESCRIPTION = 2_000, 200
LONGEST_BATCH = 60
# How long secrets from before still sign after the last change.
OVERLAP = dt.timedelta(hours=24)
MOST_SECRETS = 10
# After so long with failures and nothing else it is disabled.
PATIENCE = dt.timedelta(days=1)


class TooManyEndpoints(Exception):
    """The business has as many webhooks as it may have."""


class TooManySecrets(Exception):
    """As many secrets sign as may: old ones have to end before there is another."""


class WebhookEndpoint(TenantModel):
    """A webhook: where events go, which of them, and how."""

    __table_args__ = (
        of_tenant(),
        one_of("state", STATES),
        one_of("reason", REASONS),
    )

    url: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    # The types of events it gets; null: all, also those that are added later.
    types: Mapped[list[str] | None]
    # Events of other numbers are left out; those that belong to no number come all the same.
    phone_number_id: Mapped[uuid.UUID | None]
    state: Mapped[str] = mapped_column(default="active")
    reason: Mapped[str] = mapped_column(default="")
    disabled_at: Mapped[dt.datetime | None]
    is_mail_due: Mapped[bool] = mapped_column(default=False)
    is_ordered: Mapped[bool] = mapped_column(default=False)
    # For so long the events of a conversation are collected into one request; 0: one request for each event.
    batch_seconds: Mapped[int] = mapped_column(default=0)
    # Whether it gets what test keys do, and only that.
    is_test: Mapped[bool] = mapped_column(default=False, server_default=false())
    secret = Sealed()
    secret_ciphertext: Mapped[bytes]
    # Those before it that may still sign, the newest first, with spaces between them.
    previous_secret = Sealed()
    previous_secret_ciphertext: Mapped[bytes | None]
    previous_secret_expires_at: Mapped[dt.datetime | None]
    # Since when nothing but failures came; and until when the other side asked to be left alone (`Retry-After`).
    failing_since: Mapped[dt.datetime | None]
    rests_until: Mapped[dt.datetime | None]
    created_by: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def listed(cls) -> Select[Self]:
        return select(cls).where(cls.state != "removed").order_by(cls.created_at, cls.id)

    @classmethod
    def find(cls, id: object) -> Self | None:
        endpoint = super().find(id)
        return endpoint if endpoint and endpoint.state != "removed" else None

    @classmethod
    def create(cls, url: str, *, by: Actor, **settings: Any) -> Self:
        """Raises `Refused` for an address that may not be called, and `TooManyEndpoints`."""
        checked_by_its_words(url)
        lock = func.hashtextextended(f"webhooks {current_tenant_id()}", 0)
        db.session.execute(select(func.pg_advisory_xact_lock(lock)))
        if len(db.session.scalars(cls.listed()).all()) >= MOST_ENDPOINTS:
            raise TooManyEndpoints
        endpoint = cls(id=uuid7(), tenant_id=current_tenant_id(), url=url, created_by=by.as_json(), **settings)
        endpoint.secret = new_secret()
        db.session.add(endpoint)
        db.session.flush()
        return endpoint

    def change(self, url: str, **settings: Any) -> None:
        """Raises `Refused` for an address that may not be called."""
        checked_by_its_words(url)
        self.url = url
        for name, value in settings.items():
            setattr(self, name, value)

    @property
    def is_active(self) -> bool:
        return self.state == "active"

    @property
    def host(self) -> str:
        """What a page calls it where its whole address is too much."""
        return checked(self.url).host

    @property
    def keys(self) -> tuple[bytes, ...]:
        """What its requests are signed with: the secret, and those before it while they are valid."""
        return tuple(map(key_of, [self.secret, *self.old_secrets]))

    @property
    def old_secrets(self) -> list[str]:
        """Secrets from before that still sign, the newest first."""
        return str(self.previous_secret).split() if self.previous_secret_ciphertext and self.is_rotating else []

    @property
    def old_secrets_sign_until(self) -> dt.datetime | None:
        return self.previous_secret_expires_at if self.is_rotating else None

    @property
    def is_rotating(self) -> bool:
        return bool(self.previous_secret_expires_at and self.previous_secret_expires_at > now())

    def rotate(self) -> str:
        """Makes a new secret and returns it; all that sign so far go on for `OVERLAP` beside it.

        Whoever changes it twice in a day has receivers with the first one. Raises `TooManySecrets`.
        """
        signing = [self.secret, *self.old_secrets]
        if len(signing) >= MOST_SECRETS:
            raise TooManySecrets
        self.previous_secret, self.previous_secret_expires_at = " ".join(signing), now() + OVERLAP
        self.secret = new_secret()
        return str(self.secret)

    def end_old_secrets(self) -> None:
        """From now on requests are signed with the current secret alone."""
        self.previous_secret, self.previous_secret_expires_at = None, None

    def wants(self, event: OutgoingEvent) -> bool:
        """Whether it gets this event. What happened before it existed was not for it."""
        if event.type == TEST:
            return event.subject_id == self.id
        if self.types is not None and event.type not in self.types:
            return False
        return self.phone_number_id is None or event.phone_number_id in (None, self.phone_number_id)

    def send_test(self, *, by: Actor) -> WebhookDelivery:
        """Queues a test event for it alone."""
        event = OutgoingEvent(id=uuid7(), type=TEST, subject_id=self.id, facts={}, actor=by.as_json(), at=now())
        delivery = WebhookDelivery.single(self.id, event)
        db.session.add_all([event, delivery])
        later("hooks.deliver")
        return delivery

    def disable(self, reason: str) -> None:
        """Sends nothing more to it and cancels what waits. Unless people chose that, owners and admins get mail."""
        if self.state != "active":
            return
        self.state, self.reason, self.disabled_at = "disabled", reason, now()
        self.is_mail_due = reason not in ("member", "closed")
        later("hooks.cancel", self.id)
        if self.is_mail_due:
            later("hooks.mail_disabled", self.id)

    def enable(self) -> None:
        """Events from now on are sent again; those of the meantime can be replayed."""
        if self.state == "disabled":
            self.state, self.reason, self.failing_since, self.rests_until = "active", "", None, None
            self.is_mail_due = False

    def remove(self) -> None:
        """It is gone for everybody at once; a job deletes its log."""
        self.state, self.is_mail_due = "removed", False
        later("hooks.purge", self.id)

    @classmethod
    def note_success(cls, ids: Iterable[uuid.UUID]) -> None:
        recovered = cls.id.in_(ids) & cls.failing_since.is_not(None)
        db.session.execute(update(cls).where(recovered).values(failing_since=None), execution_options=UNSYNCED)

    @classmethod
    def note_failure(cls, id: uuid.UUID, rests_until: dt.datetime | None, *, worked: bool) -> None:
        """Disables it when nothing but failures has come for a day. `worked`: something arrived at the same time."""
        endpoint = cls.find(id)
        if endpoint is None or not endpoint.is_active:
            return
        if rests_until and (endpoint.rests_until is None or endpoint.rests_until < rests_until):
            endpoint.rests_until = rests_until
        if worked:
            return
        if endpoint.failing_since is None:
            endpoint.failing_since = now()
        if endpoint.failing_since <= now() - PATIENCE:
            endpoint.disable("failing")


UNSYNCED = {"synchronize_session": False}
