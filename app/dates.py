"""Dates and times as a language writes them: the reader's, or the one of whoever is written to.

Which parts are shown is said by a skeleton of CLDR's (unicode.org/reports/tr35, Date Format Patterns); in which order
and with which words between them, by the language: 30 November 2026, 30. November 2026, 30 de noviembre de 2026.
"""

from __future__ import annotations

import datetime as dt
import functools
import re

from babel import Locale
from babel import dates as cldr
from flask_babel import get_locale

# English without a country is written as in Britain: the day before its month, and 24 hours.
BRITISH = Locale("en", "GB")
# What joins a day and a time, where CLDR's is for tables: it has to read well within a sentence.
JOINED = {"fr": "{1} à {0}", "pt": "{1}, {0}"}
# A name of a weekday or month in a pattern, or a text in it.
_NAME = re.compile(r"'[^']*'|[Ec]+|M{3,}|L{3,}")


def long(day: dt.date, locale: Locale | None = None) -> str:
    """1 October 2026."""
    return shaped(day, "yMMMMd", locale)


def short(day: dt.date, locale: Locale | None = None) -> str:
    """1 Oct 2026."""
    return shaped(day, "yMMMd", locale)


def brief(day: dt.date, locale: Locale | None = None) -> str:
    """1 Oct."""
    return shaped(day, "MMMd", locale)


def month(day: dt.date, locale: Locale | None = None) -> str:
    """October 2026."""
    return shaped(day, "yMMMM", locale)


def weekday(day: dt.date, locale: Locale | None = None) -> str:
    """Thursday."""
    return shaped(day, "EEEE", locale)


def clock(time: dt.time | dt.datetime, locale: Locale | None = None, *, seconds: bool = False) -> str:
    """14:03; 2:03 م where a language counts twelve hours."""
    time = time.time() if isinstance(time, dt.datetime) else time
    return str(cldr.format_time(time, "medium" if seconds else "short", locale=writing(locale)))


def hour(number: int, locale: Locale | None = None) -> str:
    """09:00; 24 is the midnight that ends a day."""
    return clock(dt.time(number % 24), locale)


def with_clock(moment: dt.datetime, skeleton: str, locale: Locale | None = None, *, seconds: bool = False) -> str:
    """30 November 2026, 14:03, for `yMMMMd`."""
    return joined(shaped(moment, skeleton, locale), clock(moment, locale, seconds=seconds), locale)


def joined(day: str, clock: str, locale: Locale | None = None) -> str:
    locale = writing(locale)
    joint = JOINED.get(locale.language) or str(locale.datetime_formats["long"])
    return joint.replace("'", "").format(clock, day)


def span(first: dt.date, last: dt.date, locale: Locale | None = None) -> str:
    """30 Nov – 6 Dec 2026."""
    return (
        str(cldr.format_interval(first, last, "yMMMd", locale=writing(locale)))
        if first != last
        else short(first, locale)
    )


def shaped(day: dt.date, skeleton: str, locale: Locale | None = None) -> str:
    """The parts of a day that a skeleton names."""
    locale = writing(locale)
    return str(cldr.format_date(day, pattern(skeleton, locale), locale=locale))


def writing(locale: Locale | None) -> Locale:
    locale = locale or get_locale() or BRITISH
    return BRITISH if locale.language == "en" and not locale.territory else locale


@functools.cache
def pattern(skeleton: str, locale: Locale) -> str:
    """CLDR's nearest one, with names as long as were asked for: Babel leaves them as that one has them."""
    if skeleton == "yMMMMd":
        return str(locale.date_formats["long"].pattern)
    nearest = cldr.match_skeleton(skeleton, locale.datetime_skeletons) or "yMMMd"
    names = {name[0]: len(name) for name in re.findall(r"E+|M+", skeleton)}
    return _NAME.sub(lambda name: widened(name[0], names), str(locale.datetime_skeletons[nearest].pattern))


def widened(name: str, widths: dict[str, int]) -> str:
    """`E` and `c` are weekdays, `M` and `L` months."""
    return name if name[0] == "'" else name[0] * widths.get({"c": "E", "L": "M"}.get(name[0], name[0]), len(name))
