"""The form of a webhook, and of a stretch of time to replay."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    URLField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length

from app import zones
from app.egress import Refused, checked_by_its_words
from app.parameters import InRange
from app.tenancy import as_uuid, now
from app.wabas.models import PhoneNumber

from .deliveries import RETENTION
from .endpoints import LONGEST_BATCH, LONGEST_DESCRIPTION, LONGEST_URL, WebhookEndpoint
from .event_types import choosable


def stripped(text: str | None) -> str:
    return (text or "").strip()


class EndpointForm(FlaskForm):
    url = URLField(
        _("Address"),
        filters=[stripped],
        validators=[InputRequired(_("Enter an address.")), Length(max=LONGEST_URL)],
    )
    description = StringField(_("Description"), filters=[stripped], validators=[Length(max=LONGEST_DESCRIPTION)])
    which = RadioField(
        _("Events"),
        choices=[
            SelectChoice("all", _("All events, also those that are added later")),
            SelectChoice("some", _("Only these:")),
        ],
        default="all",
    )
    types = SelectMultipleField(_("Events"))
    phone_number_id = SelectField(_("Number"), filters=[lambda value: value or ""])
    is_ordered = BooleanField(_("Keep the order of each conversation"))
    batch_seconds = IntegerField(
        _("Collect the events of a conversation for (seconds)"),
        default=0,
        validators=[
            InputRequired(_("Enter a number.")),
            InRange(0, LONGEST_BATCH, message=_("Choose between 0 and 60 seconds.")),
        ],
    )

    def __init__(self, numbers: list[PhoneNumber], **options: Any) -> None:
        super().__init__(**options)
        self.types.choices = [SelectChoice(one.name, one.words) for one in choosable()]
        offered = [SelectChoice(str(number.id), number.display_number) for number in numbers]
        self.phone_number_id.choices = [SelectChoice("", gettext("All numbers")), *offered]

    def validate_url(self, field: URLField) -> None:
        try:
            checked_by_its_words(field.data)
        except Refused:
            raise ValidationError(
                _("Enter a public address that begins with https:// and has no port of its own.")
            ) from None

    def validate_types(self, field: SelectMultipleField) -> None:
        if self.which.data == "some" and not field.data:
            raise ValidationError(_("Choose at least one event."))

    @classmethod
    def of(cls, endpoint: WebhookEndpoint, numbers: list[PhoneNumber]) -> EndpointForm:
        values: dict[str, Any] = {
            "url": endpoint.url,
            "description": endpoint.description,
            "which": "all" if endpoint.types is None else "some",
            "types": endpoint.types or [],
            "phone_number_id": str(endpoint.phone_number_id or ""),
            "is_ordered": endpoint.is_ordered,
            "batch_seconds": endpoint.batch_seconds,
        }
        return cls(numbers, formdata=None, data=values)

    @property
    def settings(self) -> dict[str, Any]:
        """What `WebhookEndpoint.create` and `change` take beside the address."""
        return {
            "description": self.description.data,
            "types": None if self.which.data == "all" else list(self.types.data),
            "phone_number_id": as_uuid(self.phone_number_id.data),
            "is_ordered": self.is_ordered.data,
            "batch_seconds": self.batch_seconds.data,
        }


class ReplayForm(FlaskForm):
    """By the reader's clock."""

    since = DateTimeLocalField(_("From"), validators=[InputRequired(_("Enter a time."))])
    until = DateTimeLocalField(_("Until"), validators=[InputRequired(_("Enter a time."))])

    def validate_since(self, field: DateTimeLocalField) -> None:
        if field.data and self.first < now() - RETENTION:
            raise ValidationError(_("Events are stored for 30 days."))

    def validate_until(self, field: DateTimeLocalField) -> None:
        if field.data and self.since.data and field.data <= self.since.data:
            raise ValidationError(_("Enter a time after the first one."))

    @property
    def first(self) -> dt.datetime:
        return in_utc(self.since.data)

    @property
    def last(self) -> dt.datetime:
        return in_utc(self.until.data)


def in_utc(moment: dt.datetime) -> dt.datetime:
    return zones.in_utc(moment.replace(tzinfo=zones.reader_zone()))
