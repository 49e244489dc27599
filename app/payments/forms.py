"""What the list of payments can be narrowed to, and the form of their settings."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import Select, or_

from app import zones
from app.inbox.desk.fields import ChoiceField, options
from app.notifications.choosing import FilledBy
from app.notifications.models import Notification
from app.tenancy import as_uuid

from .models import FACTS, STATUSES, Payment, PaymentSettings

LONGEST_QUERY = 100


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """What an address asks for. `arguments` make the same address again."""

    words: str = ""
    status: str = ""
    since: dt.date | None = None
    until: dt.date | None = None
    contact_id: uuid.UUID | None = None

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> PaymentFilter:
        """What makes no sense is passed over."""
        words = arguments.get("q", "").replace("\x00", "").strip()[:LONGEST_QUERY]
        status = arguments.get("status", "")
        days = day(arguments.get("since")), day(arguments.get("until"))
        return cls(words, status if status in STATUSES else "", *days, as_uuid(arguments.get("contact")))

    @property
    def arguments(self) -> dict[str, str]:
        values: dict[str, object] = {"q": self.words, "status": self.status, "since": self.since, "until": self.until}
        values["contact"] = self.contact_id
        return {name: str(value) for name, value in values.items() if value}

    def query(self) -> Select[Payment]:
        """Days are by the reader's clock. Words are a whole id or reference."""
        query = Payment.newest()
        if self.words:
            query = query.where(or_(Payment.external_id == self.words, Payment.reference == self.words))
        if self.status:
            query = query.where(Payment.status == self.status)
        if self.contact_id:
            query = query.where(Payment.contact_id == self.contact_id)
        if self.since:
            query = query.where(Payment.paid_at >= zones.begins(self.since))
        if self.until:
            query = query.where(Payment.paid_at < zones.ends(self.until))
        return query


def day(written: str | None) -> dt.date | None:
    try:
        read = dt.date.fromisoformat(written or "")
    except ValueError:
        return None
    return read if 2000 <= read.year <= 2200 else None


class PaymentSettingsForm(FlaskForm):
    notification = ChoiceField(_("Confirmation"), validators=[FilledBy(FACTS)])

    def __init__(self, settings: PaymentSettings) -> None:
        super().__init__(data={"notification": str(settings.notification_id or "")})
        self.notification.choices = options(("", gettext("No notification")), *Notification.choices())
