"""The forms of an appointment and of their settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import DateTimeLocalField, IntegerField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired, StopValidation

from app import zones
from app.hours.forms import ZoneField
from app.inbox.compose.schedule_forms import TimeForm
from app.inbox.desk.fields import ChoiceField, at_most, one_line, options, tidy
from app.notifications.choosing import check, check_new
from app.notifications.models import Notification
from app.parameters import InRange
from app.team.models.teams import colleagues
from app.tenancy import as_uuid, db
from app.wabas.models import PhoneNumber
from app.words import N_

from .models import (
    LEAST_MINUTES,
    LONGEST_NOTES,
    LONGEST_PLACE,
    LONGEST_TITLE,
    MOST_MINUTES,
    Appointment,
    Unfit,
    check_time,
)
from .sending import VARIABLES
from .settings import LONGEST_BEFORE, MOST_REMINDERS, AppointmentSettings, Reminder
from .words import PROBLEMS

MOST_OFFERED = 500
NEEDED = N_("Enter a number.")


class AppointmentForm(TimeForm):
    """When, by the clock of the zone that is chosen beside it, and for what, where and with whom."""

    title = StringField(
        _("What for"),
        filters=[one_line],
        validators=[DataRequired(_("Enter what the appointment is for.")), at_most(LONGEST_TITLE)],
    )
    zone = ZoneField(_("Time zone"))
    minutes = IntegerField(
        _("Minutes"),
        validators=[
            InputRequired(_(NEEDED)),
            InRange(LEAST_MINUTES, MOST_MINUTES, message=_("Choose 5 minutes to 7 days.")),
        ],
    )
    place = StringField(_("Place"), filters=[one_line], validators=[at_most(LONGEST_PLACE)])
    agent = ChoiceField(_("Assigned to"))
    number = ChoiceField(_("Number that writes to the customer"))
    notes = TextAreaField(_("Notes"), filters=[tidy], validators=[at_most(LONGEST_NOTES)], render_kw={"rows": 3})

    def __init__(self, appointment: Appointment | None = None, **options_: Any) -> None:
        self.appointment = appointment
        super().__init__(**options_)
        self.agent.choices = options(
            ("", lazy_pgettext("of an appointment", "Unassigned")),
            *((str(user.id), user.name) for user in colleagues()),
        )
        numbers = db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at).limit(MOST_OFFERED))
        self.number.choices = options(
            ("", _("None: nothing is sent")), *((str(one.id), name_of(one)) for one in numbers)
        )

    def validate_at(self, field: DateTimeLocalField) -> None:
        """As any time, but for one that stays what it is."""
        if field.data is None:
            field.errors[:] = []
            raise StopValidation(gettext("Enter a date and a time."))
        if self.fold_times and self.fold.data not in ("0", "1"):
            raise ValidationError(zones.doubled_words(field.data, self.time_zone) + " " + gettext("Choose which one."))
        try:
            moment = self.moment
            if self.appointment is None or self.appointment.starts_at != moment:
                check_time(moment)
        except zones.SkippedTime as skipped:
            raise ValidationError(str(skipped)) from None
        except Unfit as problem:
            raise ValidationError(gettext(PROBLEMS[problem.kind])) from None

    @property
    def facts(self) -> dict[str, Any]:
        """Everything but the time."""
        return {
            "title": self.title.data,
            "place": self.place.data,
            "agent_id": as_uuid(self.agent.data),
            "phone_number_id": as_uuid(self.number.data),
            "notes": self.notes.data,
        }


def name_of(number: PhoneNumber) -> str:
    return f"{number.verified_name} {number.display_number}".strip()


def values_of(one: Appointment) -> dict[str, Any]:
    """What the form shows of an appointment."""
    return {
        "title": one.title,
        "at": one.local.replace(tzinfo=None),
        "zone": one.zone.key,
        "fold": str(one.local.fold),
        "minutes": one.minutes,
        "place": one.place,
        "agent": str(one.agent_id or ""),
        "number": str(one.phone_number_id or ""),
        "notes": one.notes,
    }


UNITS = {"minutes": 1, "hours": 60, "days": 24 * 60}


class ReminderRow:
    """One row of the list of reminders: how long before, and what is sent."""

    def __init__(self, amount: str, unit: str, notification: str) -> None:
        self.amount, self.unit, self.notification = amount.strip(), unit if unit in UNITS else "hours", notification

    @classmethod
    def of(cls, reminder: Reminder) -> ReminderRow:
        for unit, minutes in reversed(UNITS.items()):
            if reminder.minutes % minutes == 0 and (unit != "days" or reminder.minutes > minutes):
                return cls(str(reminder.minutes // minutes), unit, reminder.notification)
        return cls(str(reminder.minutes), "minutes", reminder.notification)

    @property
    def minutes(self) -> int:
        """0 where it is no number."""
        return int(self.amount) * UNITS[self.unit] if self.amount.isascii() and self.amount.isdecimal() else 0


class SettingsForm(FlaskForm):
    """Which notification says what, and how long before."""

    booked = ChoiceField(_("When it is booked"))
    moved = ChoiceField(_("When it is moved"))
    cancelled = ChoiceField(_("When it is cancelled"))
    unanswered_hours = IntegerField(
        _("Hours before the appointment"),
        validators=[InputRequired(_(NEEDED)), InRange(0, 168, message=_("Choose 0 to 168 hours."))],
    )
    minutes = IntegerField(
        _("Usual length in minutes"),
        validators=[
            InputRequired(_(NEEDED)),
            InRange(LEAST_MINUTES, MOST_MINUTES, message=_("Choose 5 minutes to 7 days.")),
        ],
    )

    def __init__(self, current: AppointmentSettings, given: Any = None) -> None:
        chosen = {name: getattr(current, name) for name in ("booked", "moved", "cancelled", "minutes")}
        super().__init__(data=chosen | {"unanswered_hours": current.unanswered_minutes // 60})
        offered = db.session.scalars(Notification.in_order().limit(MOST_OFFERED))
        self.notifications = [(one.name, one.title or one.name) for one in offered]
        for field in (self.booked, self.moved, self.cancelled):
            field.choices = options(("", _("Don't send anything")), *self.notifications)
        # What reminders send already: it stays, whatever it lacks since.
        self.stored = {one.notification for one in current.plan}
        self.rows = rows_in(given) if given is not None else [ReminderRow.of(one) for one in current.plan]
        self.row_problem = ""

    def check_choice(self, field: ChoiceField) -> None:
        check_new(field, Notification.named(field.data) if field.data else None, VARIABLES)

    validate_booked = validate_moved = validate_cancelled = check_choice

    @property
    def shown_rows(self) -> list[ReminderRow]:
        """With an empty one to fill in, while there is room."""
        return [*self.rows, ReminderRow("", "hours", "")][:MOST_REMINDERS]

    def validate(self, **more: Any) -> bool:
        is_valid = super().validate(**more)
        names = {name for name, _title in self.notifications}
        amounts = [row.minutes for row in self.rows]
        if any(not 1 <= minutes <= LONGEST_BEFORE for minutes in amounts):
            self.row_problem = gettext("Enter how long before: a number, up to 30 days.")
        elif len(set(amounts)) < len(amounts):
            self.row_problem = gettext("Two reminders are due at the same time. Change one of them.")
        elif any(row.notification and row.notification not in names for row in self.rows):
            self.row_problem = gettext("Choose one of the options.")
        else:
            self.check_rows()
        return is_valid and not self.row_problem

    def check_rows(self) -> None:
        try:
            for name in {row.notification for row in self.rows if row.notification} - self.stored:
                check(Notification.named(name), VARIABLES)
        except ValidationError as problem:
            self.row_problem = str(problem)

    @property
    def chosen(self) -> dict[str, Any]:
        reminders = [{"minutes": row.minutes, "notification": row.notification} for row in self.rows]
        return {
            "booked": self.booked.data,
            "moved": self.moved.data,
            "cancelled": self.cancelled.data,
            "reminders": sorted(reminders, key=lambda one: -one["minutes"]),
            "unanswered_minutes": self.unanswered_hours.data * 60,
            "minutes": self.minutes.data,
        }


def rows_in(given: Any) -> list[ReminderRow]:
    """The rows that were sent; a row without an amount is left out."""
    lists: Iterable[tuple[str, str, str]] = zip(
        given.getlist("amount"), given.getlist("unit"), given.getlist("notification"), strict=False
    )
    rows = [ReminderRow(*one) for one in list(lists)[:MOST_REMINDERS]]
    return [row for row in rows if row.amount]
