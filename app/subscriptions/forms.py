"""What the list of subscriptions can be narrowed to; the forms of a renewal and of the settings."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import Select
from wtforms import DateField, ValidationError
from wtforms.validators import InputRequired

from app import dates, zones
from app.inbox.desk.fields import ChoiceField, options
from app.notifications.choosing import FilledBy
from app.notifications.models import Notification
from app.tenancy import as_uuid

from .models import COLUMNS, DAY_WORDS, FACTS, STATUSES, Subscription, SubscriptionSettings

# Which days from today the last one is in.
SPANS = {"14": 14, "3": 3}
LATEST = dt.date(2099, 12, 1)


@dataclass(frozen=True, slots=True)
class SubscriptionFilter:
    """What an address asks for. `arguments` make the same address again."""

    span: str = ""
    status: str = ""
    words: str = ""
    contact_id: uuid.UUID | None = None

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> SubscriptionFilter:
        """What makes no sense is passed over."""
        span, status = arguments.get("ending", ""), arguments.get("status", "")
        words = arguments.get("q", "").replace("\x00", "").strip()[:200]
        contact_id = as_uuid(arguments.get("contact"))
        return cls(span if span in SPANS else "", status if status in STATUSES else "", words, contact_id)

    @property
    def arguments(self) -> dict[str, str]:
        values = {"ending": self.span, "status": self.status, "q": self.words, "contact": self.contact_id}
        return {name: str(value) for name, value in values.items() if value}

    def query(self) -> Select[Subscription]:
        """Days are by the reader's clock."""
        query = Subscription.by_end()
        if self.span:
            today = zones.today()
            within = Subscription.ends_on.between(today, today + dt.timedelta(days=SPANS[self.span]))
            query = query.where(within, Subscription.status == "active", Subscription.renews.is_(False))
        if self.status:
            query = query.where(Subscription.status == self.status)
        if self.words:
            query = query.where(Subscription.external_id == self.words)
        if self.contact_id:
            query = query.where(Subscription.contact_id == self.contact_id)
        return query


class RenewalForm(FlaskForm):
    ends_on = DateField(_("New last day"), validators=[InputRequired(_("Enter a day."))])

    def __init__(self, subscription: Subscription) -> None:
        super().__init__()
        self.subscription = subscription

    def validate_ends_on(self, field: DateField) -> None:
        if field.data and not self.subscription.ends_on < field.data <= LATEST:
            raise ValidationError(_("Choose a later day than the present one."))


class SubscriptionSettingsForm(FlaskForm):
    hour = ChoiceField(_("Send at"))
    before_14_id = ChoiceField("", validators=[FilledBy(FACTS)])
    before_3_id = ChoiceField("", validators=[FilledBy(FACTS)])
    on_day_id = ChoiceField("", validators=[FilledBy(FACTS)])
    after_3_id = ChoiceField("", validators=[FilledBy(FACTS)])

    def __init__(self, settings: SubscriptionSettings) -> None:
        chosen = {name: str(getattr(settings, name) or "") for name in COLUMNS.values()}
        super().__init__(data={"hour": str(settings.hour), **chosen})
        self.hour.choices = options(*((str(hour), dates.hour(hour)) for hour in range(24)))
        offered = options(("", gettext("No notification")), *Notification.choices())
        for days, name in COLUMNS.items():
            self[name].choices = offered
            self[name].label.text = gettext(DAY_WORDS[days])

    @property
    def chosen(self) -> dict[int, uuid.UUID | None]:
        return {days: as_uuid(self[name].data) for days, name in COLUMNS.items()}
