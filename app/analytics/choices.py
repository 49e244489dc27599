"""What a list of a report is narrowed to, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from flask_babel import gettext as _

from app import dates
from app.templating import translate

from .names import Names
from .periods import read_day
from .words import SCORE_WORDS, TITLES, WHO_WORDS

DIMENSIONS = ("number", "team", "agent", "tag", "entry_point", "template")
MONDAY = dt.date(2024, 1, 1)
# Of messages: what TITLES calls how far they got. Those that were accepted are the title of the page.
REACHED = {"sent": "went_out", "delivered": "delivered", "read": "read", "failed": "failed", "unsettled": "unsettled"}


def chosen(given: Mapping[str, str]) -> list[str]:
    """From the arguments of an address; what nothing is called is left out."""
    names = Names()
    found = [names.of(name, given[name]) for name in DIMENSIONS if name in given]
    for words, name in ((WHO_WORDS, "who"), (SCORE_WORDS, "score")):
        found.append(translate(words.get(given.get(name, ""), "")))
    found.append(translate(TITLES.get(REACHED.get(given.get("reached", ""), ""), "")))
    if day := read_day(given.get("day")):
        found.append(dates.short(day))
    if weekday := number_of(given.get("weekday"), 6):
        found.append(dates.weekday(MONDAY + dt.timedelta(days=int(weekday))))
    if hour := number_of(given.get("hour"), 23):
        found.append(_("%(from)s to %(to)s", **{"from": dates.hour(int(hour)), "to": dates.hour(int(hour) + 1)}))
    return list(filter(None, found))


def number_of(value: str | None, most: int) -> str:
    """A number of an address up to `most`, as written; else ""."""
    return value if value and value.isascii() and value.isdigit() and int(value) <= most else ""
