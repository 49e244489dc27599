"""The form of appointment times."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import IntegerField, SelectChoice, SelectField, TimeField, ValidationError
from wtforms.validators import InputRequired

from app.parameters import InRange
from app.words import N_

DAYS = (
    *(N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday")),
    *(N_("Friday"), N_("Saturday"), N_("Sunday")),
)
# Several days at once, and which: Monday is 0.
SEVERAL = {
    "weekdays": (N_("Monday to Friday"), range(5)),
    "all": (N_("Every day"), range(7)),
}


class SlotForm(FlaskForm):
    weekday = SelectField(_("Day"))
    starts = TimeField(_("From"), validators=[InputRequired(_("Enter a time."))])
    ends = TimeField(_("Until"), validators=[InputRequired(_("Enter a time."))])
    minutes = IntegerField(
        _("Minutes for each"),
        validators=[InputRequired(_("Enter a number.")), InRange(5, 480, message=_("Choose 5 to 480 minutes."))],
    )
    capacity = IntegerField(
        _("Places in each"),
        validators=[InputRequired(_("Enter a number.")), InRange(1, 100, message=_("Choose 1 to 100 places."))],
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.weekday.choices = [
            *(SelectChoice(name, gettext(words)) for name, (words, _days) in SEVERAL.items()),
            *(SelectChoice(str(number), gettext(words)) for number, words in enumerate(DAYS)),
        ]

    def validate_ends(self, field: TimeField) -> None:
        if not (field.data and self.starts.data and isinstance(self.minutes.data, int)):
            return
        if minute_of(field.data) - minute_of(self.starts.data) < self.minutes.data:
            raise ValidationError(_("Leave room for at least one appointment."))

    @property
    def slots(self) -> list[dict[str, int]]:
        """The values of a row for each day."""
        chosen = self.weekday.data
        days = SEVERAL[chosen][1] if chosen in SEVERAL else [int(chosen)]
        times = {
            "starts_minute": minute_of(self.starts.data),
            "ends_minute": minute_of(self.ends.data),
            "minutes": self.minutes.data,
            "capacity": self.capacity.data,
        }
        return [{"weekday": day, **times} for day in days]


def minute_of(time: dt.time) -> int:
    return time.hour * 60 + time.minute
