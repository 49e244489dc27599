"""Alerts: one message a day and contact about what became news for their saved searches.

An alert is made in the transaction that moves its searches on (`matching.py`) and sent afterwards. Its id is in the id
of its message, so whatever is killed in between, it is sent once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import uuid
from typing import Self

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import Index, Select, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.contacts.models import Contact
from app.inbox.compose.problems import NOT_SENT
from app.inbox.conversations import Conversation, Message
from app.meta.payload import mapping
from app.meta.payload import text as text_of
from app.notifications.models import Notification
from app.tenancy import Actor, TenantModel, belongs_to, current_tenant_id, db, happened, now, one_of

from .models import Listing
from .saved_searches import SavedSearch, has_consent
from .settings import ListingSettings
from .wording import filled, language_for

STATES = ("due", "sent", "skipped", "refused", "capped")
# Of the newest, which are looked at again before the alert goes; and how many of them it names.
MOST_LISTED, NAMED = 20, 3
# An alert that could not go for so long is not sent any more.
PATIENCE = dt.timedelta(hours=12)
BY = Actor.system("alerts")
SOURCE = "listing_alert"
VERSION = "a1"


class ListingAlert(TenantModel):
    """One day's alert of a contact. `listing_ids` are the newest of `listing_count`."""

    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "contact_id", "day"),
        one_of("state", STATES),
        Index("ix_listing_alerts_due", "created_at", postgresql_where=text("state = 'due'")),
        Index("ix_listing_alerts_newest", "tenant_id", text("id desc")),
        Index(
            "ix_listing_alerts_message",
            "tenant_id",
            "message_id",
            postgresql_where=text("message_id is not null"),
        ),
    )

    contact_id: Mapped[uuid.UUID]
    # By the clock of the business.
    day: Mapped[str]
    search_ids: Mapped[list[str]]
    listing_ids: Mapped[list[str]]
    listing_count: Mapped[int]
    state: Mapped[str] = mapped_column(default="due")
    # Why it was not sent: gone, stopped, late, no_consent, or the kind of the gate's refusal.
    reason: Mapped[str] = mapped_column(default="", server_default="")
    message_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    settled_at: Mapped[dt.datetime | None]
    contact: Mapped[Contact] = relationship(viewonly=True)

    @classmethod
    def due(cls) -> Select[Self]:
        return select(cls).where(cls.state == "due").order_by(cls.created_at, cls.id)

    @classmethod
    def with_message(cls, message_id: uuid.UUID) -> Self | None:
        return db.session.scalar(select(cls).where(cls.message_id == message_id))

    def settle(self, state: str, reason: str = "") -> None:
        self.state, self.reason, self.settled_at = state, reason, now()

    def send(self, notification: Notification, settings: ListingSettings) -> None:
        """Sends it, or settles why not. What was sold or stopped since it was matched is not in it."""
        searches = list(db.session.scalars(select(SavedSearch).where(SavedSearch.id.in_(self.search_ids))))
        listings = self.still_offered()
        if reason := self.obstacle(searches, listings):
            self.settle("skipped", reason)
            return
        try:
            conversation = notification.conversation_with(self.contact, settings.phone_number_id)
            message = notification.send(
                conversation,
                self.variables(notification, conversation, listings),
                by=BY,
                client_id=uuid.uuid5(self.id, "alert"),
                source=SOURCE,
                payloads=[stop_token(self.id)],
                lane="campaigns",
            )
        except NOT_SENT as problem:
            self.settle("refused", getattr(problem, "kind", "") or type(problem).__name__.lower())
        else:
            self.message_id = message.id
            self.settle("sent")
            happened("alert.sent", self.contact_id, by=BY, alert_id=self.id, listing_count=self.listing_count)

    def still_offered(self) -> list[Listing]:
        """Of its listings those that are available, in its order. Corrects the count by those that are not."""
        wanted = [uuid.UUID(id) for id in self.listing_ids]
        query = select(Listing).where(Listing.id.in_(wanted), Listing.status == "available")
        offered = {listing.id: listing for listing in db.session.scalars(query)}
        self.listing_count -= len(wanted) - len(offered)
        self.listing_ids = [str(id) for id in wanted if id in offered]
        return [offered[id] for id in wanted if id in offered]

    def obstacle(self, searches: list[SavedSearch], listings: list[Listing]) -> str:
        if not has_consent(self.contact_id):
            return "no_consent"
        if not any(search.state == "active" for search in searches):
            return "stopped"
        if self.created_at < now() - PATIENCE:
            return "late"
        return "" if listings else "gone"

    def variables(
        self, notification: Notification, conversation: Conversation, listings: list[Listing]
    ) -> dict[str, str]:
        """What the template is filled in with, in the customer's language."""
        language = language_for(notification, self.contact_id)
        with force_locale(language.partition("_")[0]):
            listed = "; ".join(listing.heading for listing in listings[:NAMED])
        first_name = conversation.contact.first_name or conversation.contact.name or "–"
        values = {"first_name": first_name, "count": str(self.listing_count), "listings": listed}
        return filled(notification, listings[0], values, language)

    @property
    def language(self) -> str:
        """In which it was sent; empty where it was not."""
        sent = Message.find(self.message_id) if self.message_id else None
        return text_of(mapping(sent.raw.get("language")).get("code"), 20) or "" if sent else ""

    def stop_searches(self, *, by: Actor | None) -> list[SavedSearch]:
        """Stops the searches that it was about. Returns them, also those that were stopped before."""
        searches = list(db.session.scalars(select(SavedSearch).where(SavedSearch.id.in_(self.search_ids))))
        for search in searches:
            search.stop(by=by, how="customer")
        return searches


def stop_token(alert_id: uuid.UUID) -> str:
    """The payload of the button “Stop alerts”: which alert it belongs to, signed. It works for as long as the alert."""
    return f"{VERSION}.{alert_id.hex}.{mac(alert_id)}"


def alert_in(token: str) -> uuid.UUID | None:
    """The alert that a payload names; None if it is not ours, or another tenant's."""
    version, _, rest = token.partition(".")
    named, _, signature = rest.partition(".")
    if version != VERSION or len(named) != 32 or not named.isalnum() or not named.isascii():
        return None
    try:
        id = uuid.UUID(named)
    except ValueError:
        return None
    return id if hmac.compare_digest(signature.encode(), mac(id).encode()) else None


def mac(alert_id: uuid.UUID) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    signed = f"listing alert {current_tenant_id().hex} {alert_id.hex}"
    return hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()[:32]


def send_next(notification: Notification, settings: ListingSettings) -> bool:
    """Sends the next alert that is due and that no other job is at. Returns whether there was one."""
    free = ListingAlert.due().limit(1).with_for_update(skip_locked=True)
    alert = db.session.scalar(free.execution_options(populate_existing=True))
    if alert is None:
        return False
    alert.send(notification, settings)
    return True
