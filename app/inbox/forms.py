from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo

from flask_babel import lazy_gettext as _
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, HiddenField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired

LONGEST_TEXT = 4096
LONGEST_WAIT = dt.timedelta(days=365)


def tidy(value: str | None) -> str:
    """Line ends as WhatsApp has them; NUL, which no database stores, is left out."""
    return (value or "").replace("\r\n", "\n").replace("\x00", "").strip()


class ReplyForm(FlaskForm):
    body = TextAreaField(_("Message"), filters=[tidy], validators=[DataRequired(_("Write something first."))])
    client_id = HiddenField()

    def validate_body(self, field: TextAreaField) -> None:
        if (excess := len(field.data) - LONGEST_TEXT) > 0:
            raise ValidationError(
                ngettext(
                    "WhatsApp takes at most 4,096 characters. Shorten this by %(num)d.",
                    "WhatsApp takes at most 4,096 characters. Shorten this by %(num)d.",
                    excess,
                )
            )

    def validate_client_id(self, field: HiddenField) -> None:
        try:
            uuid.UUID(field.data)
        except (TypeError, ValueError):
            # An old page or a script: it loses only the protection against a double click.
            field.data = str(uuid.uuid4())


class TimeForm(FlaskForm):
    """A moment as the page's clock shows it, with the zone of that clock (UTC where no script tells)."""

    at = DateTimeLocalField(
        _("When"),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[InputRequired(_("Choose a day and a time."))],
    )
    zone = HiddenField(default="UTC")

    def validate_at(self, field: DateTimeLocalField) -> None:  # noqa: ARG002
        if self.moment <= dt.datetime.now(dt.UTC):
            raise ValidationError(_("This moment is over. Choose a later one."))
        if self.moment > dt.datetime.now(dt.UTC) + LONGEST_WAIT:
            raise ValidationError(_("Choose a moment within a year."))

    @property
    def moment(self) -> dt.datetime:
        return self.at.data.replace(tzinfo=zone_named(self.zone.data)).astimezone(dt.UTC)  # type: ignore[no-any-return]


def zone_named(name: str | None) -> dt.tzinfo:
    try:
        return zoneinfo.ZoneInfo(name or "UTC")
    except (ValueError, zoneinfo.ZoneInfoNotFoundError):
        return dt.UTC
