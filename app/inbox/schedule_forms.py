from __future__ import annotations

import datetime as dt
import zoneinfo

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, HiddenField, ValidationError
from wtforms.validators import InputRequired

LONGEST_WAIT = dt.timedelta(days=365)


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
