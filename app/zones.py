"""The reader's time zone: their browser's, else the one saved for them, else their business's, else UTC.

Moments are stored in UTC. Every page shows them in the reader's zone, and reads the times that a form holds in the zone
that the form names beside the field. At a clock change a local time may not exist (`SkippedTime`) or come twice.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from collections.abc import Callable

from babel import Locale
from babel.core import get_global
from flask import current_app, g, has_app_context, has_request_context, request
from flask.sansio.app import App
from flask_babel import get_locale
from flask_babel import gettext as _

from app import dates
from app.words import N_

# Set by the browser (`time-zone.js`).
COOKIE = "time_zone"
UTC = zoneinfo.ZoneInfo("UTC")
# Names that have changed, and that browsers still give.
RENAMED = {
    "Africa/Asmera": "Africa/Asmara",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Catamarca": "America/Argentina/Catamarca",
    "America/Coral_Harbour": "America/Atikokan",
    "America/Cordoba": "America/Argentina/Cordoba",
    "America/Godthab": "America/Nuuk",
    "America/Indianapolis": "America/Indiana/Indianapolis",
    "America/Jujuy": "America/Argentina/Jujuy",
    "America/Louisville": "America/Kentucky/Louisville",
    "America/Mendoza": "America/Argentina/Mendoza",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "Europe/Kiev": "Europe/Kyiv",
    "Pacific/Enderbury": "Pacific/Kanton",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
}
IS_UTC = (
    "Etc/UTC",
    "Etc/UCT",
    "Etc/Universal",
    "Etc/Zulu",
    "UCT",
    "Universal",
    "Zulu",
    "Etc/GMT",
    "GMT",
    "Etc/Greenwich",
)
# What Unicode says of a zone that is in no country.
WORLD = "001"
# Folders of the time zone database that are no places.
HIDDEN = ("Etc/", "posix/", "right/", "SystemV/")
CONTINENTS = {
    "Africa": N_("Africa"),
    "America": N_("America"),
    "Antarctica": N_("Antarctica"),
    "Arctic": N_("Arctic"),
    "Asia": N_("Asia"),
    "Atlantic": N_("Atlantic"),
    "Australia": N_("Australia"),
    "Europe": N_("Europe"),
    "Indian": N_("Indian Ocean"),
    "Pacific": N_("Pacific"),
}


class SkippedTime(ValueError):
    """A local time that no clock shows, because clocks go forward over it."""


@functools.cache
def names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@functools.cache
def present_names() -> dict[str, str]:
    """The one name of each zone that has several, by its other names. Whatever is only UTC is called so."""
    links = dict(get_global("zone_aliases")) | RENAMED
    named = {other: name for other, name in links.items() if not name.startswith("Etc/")}
    return named | dict.fromkeys(IS_UTC, "UTC")


@functools.cache
def places() -> list[str]:
    """The zones to offer in a list, each by its one name: UTC, and continents with their cities."""
    cities = (name for name in names() - present_names().keys() if "/" in name and not name.startswith(HIDDEN))
    return ["UTC", *sorted(cities)]


def find_zone(name: str | None) -> zoneinfo.ZoneInfo | None:
    """Any zone of the database, by its present name; None for every other text, whatever somebody sent."""
    name = present_names().get(name or "", name)
    return zone_named(name) if name and name in names() else None


@functools.cache
def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """`zoneinfo` itself remembers eight; a list of all needs four hundred."""
    return zoneinfo.ZoneInfo(name)


def use_for_tenant(app: App, zone_of_tenant: Callable[[], str]) -> None:
    """Sets the function that returns the time zone of the current tenant."""
    app.extensions["zone_of_tenant"] = zone_of_tenant


def reader_zone() -> zoneinfo.ZoneInfo:
    """Outside a request (jobs, mails) UTC: those pass `zone_of` their recipient."""
    if not has_request_context():
        return UTC
    user = g.get("_login_user")
    chosen = find_zone(request.cookies.get(COOKIE)) or find_zone(getattr(user, "time_zone", None))
    return chosen or tenant_zone()


def tenant_zone() -> zoneinfo.ZoneInfo:
    """The zone of the page's business; looked up once per request."""
    if not has_app_context() or "tenant" not in g:
        return UTC
    if "tenant_zone" not in g:
        g.tenant_zone = find_zone(current_app.extensions["zone_of_tenant"]()) or UTC
    return g.tenant_zone  # type: ignore[no-any-return]


def local(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(reader_zone())


def today() -> dt.date:
    return dt.datetime.now(reader_zone()).date()


def begins(date: dt.date) -> dt.datetime:
    """When that day begins for the reader. Where clocks skip midnight, the first moment after it."""
    return in_utc(dt.datetime.combine(date, dt.time(), reader_zone()))


def ends(date: dt.date) -> dt.datetime:
    """When that day is over for the reader, 23 to 25 hours after it began."""
    return begins(date + dt.timedelta(days=1)) if date < dt.date.max else dt.datetime.max.replace(tzinfo=dt.UTC)


def in_utc(time: dt.datetime) -> dt.datetime:
    """At the edges of the calendar, where a zone would reach beyond it, the hour is left unchanged."""
    try:
        return time.astimezone(dt.UTC)
    except OverflowError:
        return time.replace(tzinfo=dt.UTC)


def moment_at(time: dt.datetime, zone: zoneinfo.ZoneInfo, *, fold: int = 0) -> dt.datetime:
    """The moment, in UTC, at which clocks in this zone show this local time. Raises `SkippedTime`, which says why.

    Where the time comes twice, `fold` 1 is the second. A time that carries its own offset is taken by that.
    """
    if time.tzinfo:
        return in_utc(time)
    if is_skipped(time, zone):
        raise SkippedTime(skipped_words(time, zone))
    return in_utc(time.replace(tzinfo=zone, fold=fold))


def is_skipped(time: dt.datetime, zone: zoneinfo.ZoneInfo) -> bool:
    try:
        shown = time.replace(tzinfo=zone).astimezone(dt.UTC).astimezone(zone)
    except OverflowError:
        # At the edges of the calendar, which the zone reaches beyond, no clock changes.
        return False
    return shown.replace(tzinfo=None, fold=0) != time


def is_doubled(time: dt.datetime, zone: zoneinfo.ZoneInfo) -> bool:
    first, second = (time.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return time.tzinfo is None and first != second and not is_skipped(time, zone)


def skipped_words(time: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    return str(
        _(
            "%(time)s doesn't exist on %(day)s in %(zone)s: clocks go forward then."
            " Choose another time, such as %(after)s.",
            after=dates.clock(time.replace(tzinfo=zone).astimezone(dt.UTC).astimezone(zone)),
            **words_of(time, zone),
        )
    )


def doubled_words(time: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    words = words_of(time, zone)
    return str(_("%(time)s comes twice on %(day)s in %(zone)s, because clocks go back.", **words))


def words_of(time: dt.datetime, zone: zoneinfo.ZoneInfo) -> dict[str, str]:
    return {"time": dates.clock(time), "day": dates.long(time), "zone": readable(zone)}


def readable(zone: zoneinfo.ZoneInfo) -> str:
    """America/Sao Paulo."""
    return zone.key.replace("_", " ")


def continent_of(name: str) -> str:
    """The heading of a zone in a list."""
    start, slash, _city = name.partition("/")
    return str(_(CONTINENTS.get(start, start))) if slash else str(_("Everywhere"))


def title_of(name: str) -> str:
    """Kolkata, India (UTC+05:30): the city and country in the reader's language, and the offset of today."""
    locale = get_locale() or Locale("en")
    city = city_in(name, locale) or name.rpartition("/")[2].replace("_", " ")
    code = get_global("zone_territories").get(name, WORLD)
    country = "" if code == WORLD else locale.territories.get(code, "")
    place = ", ".join(dict.fromkeys(filter(None, (city, country))))
    return f"{place} ({offset_of(name)})"


def city_in(name: str, locale: Locale) -> str:
    """As the language calls it; Unicode lists it by the name that the zone had first. "" where it has no word."""
    spellings = (name, *(former for former, present in RENAMED.items() if present == name))
    return next((city for one in spellings if (city := dict(locale.time_zones.get(one, {})).get("city"))), "")


def offset_of(name: str) -> str:
    """UTC+05:30, as clocks are today."""
    return f"UTC{dt.datetime.now(zone_named(name)).isoformat()[-6:]}"


def abbreviation(moment: dt.datetime) -> str:
    """CET; UTC+05:45 where a zone has no letters of its own."""
    name = moment.tzname() or ""
    if name.isalpha():
        return name
    return f"UTC{moment.isoformat()[-6:]}" if moment.utcoffset() else "UTC"
