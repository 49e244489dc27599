"""What a business decides about its listings: which notification is sent for what, when, and where the feed is."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any, Self

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, UniqueConstraint, false, select
from sqlalchemy.orm import Mapped, mapped_column

from app.contacts.refusals import Refusal
from app.message_templates.uses import Use
from app.notifications.models import Notification
from app.notifications.purposes import Purpose
from app.notifications.uses import uses_notifications
from app.tenancy import TenantModel, belongs_to, db, now, of_tenant
from app.tenancy.limits import one_at_a_time
from app.words import N_

from .wording import ALERT_VARIABLES, INQUIRY_VARIABLES

ALERT_HOURS = range(8, 20)


class ListingSettings(TenantModel):
    """One per tenant; without it nothing is sent. A purpose without a notification sends nothing."""

    __tablename__ = "listing_settings"
    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id"),
        belongs_to("notifications", "alert_notification_id", nulled=True),
        belongs_to("notifications", "inquiry_notification_id", nulled=True),
        belongs_to("phone_numbers", "phone_number_id", nulled=True),
        belongs_to("whatsapp_flows", "search_flow_id", nulled=True),
        CheckConstraint("alert_hour between 8 and 19", name="alert_hour"),
        CheckConstraint("inquiry_days between 1 and 365", name="inquiry_days"),
    )

    # Of prices that come without one.
    currency: Mapped[str] = mapped_column(default="", server_default="")
    alert_notification_id: Mapped[uuid.UUID | None]
    # By the clock of the business hours.
    alert_hour: Mapped[int] = mapped_column(default=9, server_default="9")
    # Which number writes; null: the one that the contact wrote to last.
    phone_number_id: Mapped[uuid.UUID | None]
    inquiry_notification_id: Mapped[uuid.UUID | None]
    # The same customer about the same listing within so many days is the same inquiry.
    inquiry_days: Mapped[int] = mapped_column(default=7, server_default="7")
    assigns_member: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The form whose responses become saved searches.
    search_flow_id: Mapped[uuid.UUID | None]
    feed_url: Mapped[str] = mapped_column(default="", server_default="")
    feed_withdraws: Mapped[bool] = mapped_column(default=False, server_default=false())
    feed_fetched_at: Mapped[dt.datetime | None]
    feed_failure: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[dt.datetime] = mapped_column(default=now, onupdate=now)

    @classmethod
    def current(cls) -> Self:
        """The tenant's, or an unsaved one by which nothing is sent."""
        return db.session.scalar(select(cls)) or cls(
            currency="",
            alert_hour=9,
            inquiry_days=7,
            assigns_member=False,
            feed_url="",
            feed_withdraws=False,
            feed_failure={},
        )

    @classmethod
    def to_change(cls) -> Self:
        """The same, until the transaction ends for its caller alone: two may be the first to save it."""
        one_at_a_time(cls.__tablename__)
        return cls.current()

    @property
    def alert_notification(self) -> Notification | None:
        return Notification.find(self.alert_notification_id)

    @property
    def inquiry_notification(self) -> Notification | None:
        return Notification.find(self.inquiry_notification_id)

    @property
    def feed_reason(self) -> str:
        """Why the feed was not imported, in the reader's language."""
        return Refusal.from_dict(self.feed_failure).explain(_) if self.feed_failure else ""

    def save(self) -> None:
        db.session.add(self)
        db.session.flush()


@uses_notifications
def sends_about_listings(notification_id: uuid.UUID) -> Iterator[Use]:
    """What a notification is chosen for here."""
    settings = ListingSettings.current()
    if settings.alert_notification_id == notification_id:
        yield Use(N_("Alerts for saved searches"), endpoint="listings.settings")
    if settings.inquiry_notification_id == notification_id:
        yield Use(N_("Inquiries about listings"), endpoint="listings.settings")


def choose(column: str, notification: Notification) -> None:
    settings = ListingSettings.to_change()
    setattr(settings, column, notification.id)
    settings.save()


Purpose(
    key="listings.alerts",
    words=N_("Alerts for saved searches"),
    starter="listing_digest",
    endpoint="listings.settings",
    permission="listings.manage",
    fills=ALERT_VARIABLES,
    find=lambda: ListingSettings.current().alert_notification,
    choose=partial(choose, "alert_notification_id"),
).register()
Purpose(
    key="listings.inquiries",
    words=N_("Inquiries about listings, to the owner"),
    starter="owner_inquiry",
    endpoint="listings.settings",
    permission="listings.manage",
    fills=INQUIRY_VARIABLES,
    find=lambda: ListingSettings.current().inquiry_notification,
    choose=partial(choose, "inquiry_notification_id"),
).register()
