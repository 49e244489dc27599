"""Form fields for opening hours and holidays: rows of native inputs, the empty ones left out."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import Field, ValidationError

from .hours import Span

TIME = re.compile(r"(?P<hour>[0-9]{1,2})[:.](?P<minute>[0-9]{2})(:[0-9]{2})?")
MOST_SPANS = 6
MOST_HOLIDAYS = 200
LONGEST_NAME = 80


class SpansField(Field):
    """The opening hours of one day: times from `<name>-from` and `<name>-to`, row by row; none unless `<name>-open`.

    A span that ends before it begins passes midnight; 00:00 at the end is the end of the day.
    """

    data: tuple[Span, ...]

    def process(self, formdata: Any, data: Any = (), **_options: Any) -> None:
        self.data = data or ()
        self.process_errors: list[str] = []
        self.rows: list[tuple[str, str]] = [(f"{start:%H:%M}", f"{end:%H:%M}") for start, end in self.data]
        self.is_open = bool(self.rows)
        if formdata:
            self.read(formdata)

    def read(self, sent: MultiDict[str, str]) -> None:
        starts, ends = sent.getlist(f"{self.name}-from"), sent.getlist(f"{self.name}-to")
        rows = itertools.zip_longest(starts[:MOST_SPANS], ends[:MOST_SPANS], fillvalue="")
        self.rows = [(start, end) for start, end in rows if start or end]
        self.is_open = f"{self.name}-open" in sent

    @property
    def shown(self) -> list[tuple[str, str]]:
        """The rows and an empty one, so that a span can be added without a script."""
        return [*self.rows, ("", "")][:MOST_SPANS] if self.rows else [("", ""), ("", "")]

    def pre_validate(self, form: Any) -> None:
        self.data = ()
        if not self.is_open or form.opens.data == "always":
            return
        if not self.rows:
            raise ValidationError(_("Enter when you open and close, or mark the day as closed."))
        spans = sorted(map(read_span, self.rows))
        for (opens, closes), (opens_again, _closes_again) in itertools.pairwise(spans):
            if closes <= opens or closes > opens_again:
                raise ValidationError(_("Two of these times overlap."))
        self.data = tuple(spans)


def read_span(row: tuple[str, str]) -> Span:
    if not all(row):
        raise ValidationError(_("Enter both times, from and to."))
    start, end = map(read_time, row)
    if start is None or end is None:
        raise ValidationError(_("Enter times such as 09:00."))
    return start, end


def read_time(written: str) -> dt.time | None:
    """A time as browsers send it, or as people type it where there is no picker: 9:00, 09.00; 24:00 is midnight."""
    if not (match := TIME.fullmatch(written.strip())):
        return None
    hour, minute = int(match["hour"]), int(match["minute"])
    if (hour, minute) == (24, 0):
        return dt.time()
    return dt.time(hour, minute) if hour < 24 and minute < 60 else None


class HolidaysField(Field):
    """Days on which the business is closed: dates from `<name>-date` and names from `<name>-name`, row by row."""

    data: list[tuple[dt.date, str]]

    def process(self, formdata: Any, data: Any = (), **_options: Any) -> None:
        self.data = sorted(data or ())
        self.process_errors: list[str] = []
        self.rows: list[tuple[str, str]] = [(date.isoformat(), name) for date, name in self.data]
        if formdata:
            self.read(formdata)

    def read(self, sent: MultiDict[str, str]) -> None:
        dates, names = sent.getlist(f"{self.name}-date"), sent.getlist(f"{self.name}-name")
        rows = itertools.zip_longest(dates, names, fillvalue="")
        tidy = ((date.strip(), " ".join(name.split())) for date, name in rows)
        self.rows = [(date, name) for date, name in tidy if date or name]

    @property
    def shown(self) -> list[tuple[str, str]]:
        """The rows and two empty ones, so that a holiday can be added without a script."""
        return [*self.rows, ("", ""), ("", "")]

    def pre_validate(self, _form: Any) -> None:
        if len(self.rows) > MOST_HOLIDAYS:
            raise ValidationError(_("Enter at most %(count)s holidays.", count=MOST_HOLIDAYS))
        self.data = sorted(dict(read_holiday_row(row) for row in self.rows).items())


def read_holiday_row(row: tuple[str, str]) -> tuple[dt.date, str]:
    date, name = row
    if not date:
        raise ValidationError(_("Enter the date of “%(name)s”.", name=name))
    if len(name) > LONGEST_NAME:
        raise ValidationError(_("Use at most %(count)s characters for a name.", count=LONGEST_NAME))
    try:
        return dt.date.fromisoformat(date), name
    except ValueError:
        raise ValidationError(_("“%(date)s” is not a date.", date=date)) from None
