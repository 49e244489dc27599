"""Alerts: one message a day and contact about what became news for their saved searches.

An alert is made in the transaction that moves its searches on (`matching.py`) and sent afterwards. Its id is in the id
of its message, so whatever is killed in between, it is sent once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import uuid
from collections.abc import Mapping, Sequence
from typing import Self

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import Index, Select, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from app.contacts.consents import Consent
from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message
from app.message_templates.models import MessageTemplate
from app.meta.payload import mapping
from app.meta.payload import text as text_of
from app.notifications.many import Outcome, Wanted, send_many
from app.notifications.models import Notification
from app.tenancy import Actor, TenantModel, among, belongs_to, current_tenant_id, db, now, one_of
from app.tenancy.happenings import happened_each

from .models import Listing
from .saved_searches import SavedSearch
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

    def still_offered(self, offered: Mapping[uuid.UUID, Listing]) -> list[Listing]:
        """Of its listings those that are available, in its order. Corrects the count by those that are not."""
        wanted = [uuid.UUID(id) for id in self.listing_ids]
        offered = {id: offered[id] for id in wanted if id in offered}
        self.listing_count -= len(wanted) - len(offered)
        self.listing_ids = [str(id) for id in wanted if id in offered]
        return [offered[id] for id in wanted if id in offered]

    def obstacle(self, has_consent: bool, active: set[uuid.UUID], listings: list[Listing]) -> str:
        """Why it is not sent. `active` are searches that were not stopped."""
        if not has_consent:
            return "no_consent"
        if not any(uuid.UUID(id) in active for id in self.search_ids):
            return "stopped"
        if self.created_at < now() - PATIENCE:
            return "late"
        return "" if listings else "gone"

    def wanted(self, notification: Notification, listings: list[Listing], number_id: uuid.UUID | None) -> Wanted:
        """Its message, in the language of the template that goes out."""

        def values(variant: MessageTemplate, talk: Conversation) -> dict[str, str]:
            language = language_for(notification, self.contact_id)
            with force_locale(language.partition("_")[0]):
                listed = "; ".join(listing.heading for listing in listings[:NAMED])
            first_name = self.contact.first_name or self.contact.name or "–"
            given = {"first_name": first_name, "count": str(self.listing_count), "listings": listed}
            return filled(notification, listings[0], given, language)

        return Wanted(
            notification,
            self.contact,
            self.client_id,
            values,
            payloads=lambda _variant: [stop_token(self.id)],
            phone_number_id=number_id,
            source=SOURCE,
            lane="campaigns",
        )

    @property
    def client_id(self) -> uuid.UUID:
        """Of its message: however often it is sent, it is one."""
        return uuid.uuid5(self.id, "alert")

    def conclude(self, outcome: Outcome) -> bool:
        """Settles what became of its message. Returns whether it goes out."""
        if isinstance(outcome, Message):
            self.message_id = outcome.id
            self.settle("sent")
            return True
        self.settle("refused", getattr(outcome, "kind", "") or type(outcome).__name__.lower() if outcome else "broken")
        return False

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


def send_due(notification: Notification, settings: ListingSettings, most: int) -> int:
    """Sends alerts that are due and that no other job is at, or settles why not. Returns how many there were.

    What was sold or stopped since an alert was matched is not in it.
    """
    free = ListingAlert.due().options(joinedload(ListingAlert.contact)).limit(most)
    free = free.with_for_update(skip_locked=True, of=ListingAlert).execution_options(populate_existing=True)
    alerts = list(db.session.scalars(free))
    consents = Consent.latest_of([one.contact_id for one in alerts])
    offered, active = listings_of(alerts), active_searches_of(alerts)
    wanted: dict[uuid.UUID, Wanted] = {}
    for alert in alerts:
        consent, listings = consents[alert.contact_id].get("marketing"), alert.still_offered(offered)
        if reason := alert.obstacle(bool(consent and consent.is_granted), active, listings):
            alert.settle("skipped", reason)
        else:
            wanted[alert.id] = alert.wanted(notification, listings, settings.phone_number_id)
    outcomes = send_many(list(wanted.values()), by=BY)
    sent = [one for one in alerts if one.id in wanted and one.conclude(outcomes[one.client_id])]
    facts = [(one.contact_id, {"alert_id": str(one.id), "listing_count": one.listing_count}) for one in sent]
    happened_each("alert.sent", facts, actors=[BY] * len(facts))
    return len(alerts)


def listings_of(alerts: Sequence[ListingAlert]) -> dict[uuid.UUID, Listing]:
    """Those that alerts name and that are available."""
    named = {uuid.UUID(id) for one in alerts for id in one.listing_ids}
    query = select(Listing).where(among(Listing.id, named), Listing.status == "available")
    return {listing.id: listing for listing in db.session.scalars(query)}


def active_searches_of(alerts: Sequence[ListingAlert]) -> set[uuid.UUID]:
    named = {uuid.UUID(id) for one in alerts for id in one.search_ids}
    query = select(SavedSearch.id).where(among(SavedSearch.id, named), SavedSearch.state == "active")
    return set(db.session.scalars(query))
