"""Templates by feature, assets by name, and how times are shown: in the reader's zone and language."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import itertools
import json
import pathlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, cast

from babel import Locale
from babel.dates import format_timedelta as babel_timedelta
from babel.support import NullTranslations
from flask import Flask, g, has_request_context, request, url_for
from flask_babel import (
    force_locale,
    format_currency,
    format_date,
    format_datetime,
    format_decimal,
    format_timedelta,
    get_locale,
    get_translations,
    ngettext,
)
from flask_babel import gettext as _
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from app import shortening, zones
from app.extensions import babel
from app.languages import main_language
from app.words import Language

ROOT = pathlib.Path(__file__).parent
DIST = ROOT.parent / "static" / "dist"


def loader(features: list[str]) -> BaseLoader:
    """`team/index.html` is `app/team/templates/index.html`; without a feature it is in `app/templates`."""
    folders: dict[str, BaseLoader] = {name: FileSystemLoader(ROOT / name / "templates") for name in features}
    return ChoiceLoader([PrefixLoader(folders), FileSystemLoader(ROOT / "templates")])


@functools.cache
def manifest() -> dict[str, str]:
    names: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    return names


def asset(name: str) -> str:
    return url_for("static", filename=f"dist/{manifest()[name]}")


def icon(name: str, label: str = "") -> Markup:
    """An icon of the sprite. Without a label it is decoration that screen readers skip."""
    role = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"/></svg>').format(role, asset("icons.svg"), name)


def clock(moment: dt.datetime) -> Markup:
    """14:03, beside a day that the page shows already; the whole time on hover."""
    return time_tag(moment, format_local(moment, "HH:mm"), exact(moment))


def moment(moment: dt.datetime) -> Markup:
    """21 November 2026, 14:03 CET: where the time is what one came to read."""
    return time_tag(moment, exact(moment))


def instant(moment: dt.datetime) -> Markup:
    """21 Nov 2026, 14:03:07 CET: in logs, where seconds matter."""
    shown = f"{format_local(moment, 'd MMM y, HH:mm:ss')} {zones.abbreviation(zones.local(moment))}"
    return time_tag(moment, shown, precision="milliseconds")


def when(moment: dt.datetime) -> Markup:
    """Where one skims: how long ago within the hour, the time today, the weekday this week, else the date; the whole
    time on hover. `time-zone.js` keeps the minutes true while the page is open."""
    age = dt.datetime.now(dt.UTC) - moment
    if dt.timedelta() <= age < dt.timedelta(hours=1):
        return time_tag(moment, ago(age), exact(moment), "data-ago")
    days = (zones.today() - zones.local(moment).date()).days
    shape = "HH:mm" if days == 0 else "EEE" if 0 < days < 7 else "d MMM" if abs(days) < 300 else "d MMM y"
    return time_tag(moment, format_local(moment, shape), exact(moment))


def time_tag(
    moment: dt.datetime, shown: str, on_hover: str = "", mark: str = "", *, precision: str = "seconds"
) -> Markup:
    """A time as people read it, with its moment in UTC for machines."""
    moment = moment.astimezone(dt.UTC)
    machine = moment.isoformat(timespec=precision).replace("+00:00", "Z")
    title = Markup(' title="{}"').format(on_hover) if on_hover else ""
    return Markup('<time datetime="{}"{}{}>{}</time>').format(machine, title, f" {mark}" if mark else "", shown)


def exact(moment: dt.datetime) -> str:
    """21 November 2026, 14:03 CET."""
    return f"{format_local(moment, 'd MMMM y, HH:mm')} {zones.abbreviation(zones.local(moment))}"


def format_local(moment: dt.datetime, shape: str) -> str:
    return str(format_datetime(zones.local(moment), shape, rebase=False))


def ago(age: dt.timedelta) -> str:
    """In whole minutes, as `time-zone.js` counts them: rounded ones would put “2 min.” above “1 min.” in a list."""
    if age < dt.timedelta(minutes=1):
        return str(_("now"))
    locale = get_locale() or "en"
    whole = dt.timedelta(minutes=age // dt.timedelta(minutes=1))
    return str(babel_timedelta(-whole, format="short", add_direction=True, threshold=1, locale=locale))


def lasting(duration: dt.timedelta) -> str:
    """How long something took: milliseconds under a second, else the largest unit that fits."""
    seconds = duration.total_seconds()
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else str(format_timedelta(duration, threshold=1.5))


def money(amount: Decimal, currency: str) -> str:
    shown = str(format_currency(amount, currency)) if currency else str(format_decimal(amount))
    return named_dollar(shown, currency)


def named_dollar(shown: str, currency: str) -> str:
    """An amount as written, with the name of the dollar: a sign alone is the dollar of wherever the reader is."""
    return shown.replace("$", "US$") if currency == "USD" and "US" not in shown else shown


@functools.cache
def languages() -> list[str]:
    """Those with a catalogue, and the one everything is written in."""
    locales = {str(locale) for locale in babel.list_translations()}
    return ["en", *sorted(locales - {"en"})]


def choose_language() -> str | None:
    """The language that the person chose, else the browser's if we have it; the default outside a request."""
    if not has_request_context():
        return None
    chosen = getattr(g.get("_login_user"), "language", None)
    return str(chosen) if chosen in languages() else browser_language()


def browser_language() -> str:
    """The first of the browser's that we have, whatever its region: de-AT before en."""
    spoken = (main_language(code) for code, quality in request.accept_languages if quality)
    return next((code for code in spoken if code in languages()), "en")


def in_language_of(person: Any) -> contextlib.AbstractContextManager[None]:
    """Words are in the language that this person reads. For mails, which no browser asks for."""
    wanted = getattr(person, "language", None), getattr(person, "browser_language", None)
    language = next((one for one in wanted if one in languages()), "en")
    return cast("contextlib.AbstractContextManager[None]", force_locale(language))


# The language of whoever is asking, or is written to.
READER = Language(lambda words: str(_(words)), lambda one, many, count: str(ngettext(one, many, count)))


@functools.cache
def translations_into(_locale: Locale | None) -> NullTranslations:
    """The translations into the language of the moment, which is `_locale`."""
    return cast("NullTranslations", get_translations())


@pass_context
def template_gettext(context: Context, words: str, /, **facts: Any) -> str:
    """`_()` of templates. A page calls it 500 times, and flask-babel's own asks for the context anew each time."""
    translated: str = translations_into(get_locale()).ugettext(words)
    if context.eval_ctx.autoescape:
        translated = Markup(translated)  # noqa: S704  (our own words; what fills them is escaped)
    return translated % facts


def translate(words: str, facts: Mapping[str, str] | None = None) -> str:
    """A stored or tabled string (`N_`) in the reader's language, escaped like any other value; `facts` fill it."""
    return str(_(words, **(facts or {}))) if words else ""


def day(day: dt.date) -> str:
    """Today; Saturday, 21 November; 21 November 2025. A moment's is the reader's."""
    if isinstance(day, dt.datetime):
        day = zones.local(day).date()
    today = zones.today()
    if day == today:
        return str(_("Today"))
    if day == today - dt.timedelta(days=1):
        return str(_("Yesterday"))
    return str(format_date(day, "EEEE, d MMMM" if day.year == today.year else "d MMMM y"))


def by_day(entries: Iterable[Any]) -> list[tuple[dt.date, list[Any]]]:
    """What happened, in its order, grouped by the reader's days."""
    days = itertools.groupby(entries, lambda entry: zones.local(entry.occurred_at).date())
    return [(date, list(group)) for date, group in days]


def date(day: dt.date) -> str:
    """1 October 2026."""
    return str(format_date(day, "d MMMM y"))


def month_name(day: dt.date) -> str:
    """November 2026."""
    return str(format_date(day, "LLLL y"))


def direction() -> str:
    locale = get_locale()
    return locale.text_direction if locale else "ltr"


def init_app(app: Flask, features: list[str]) -> None:
    app.jinja_loader = loader(features)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        _=template_gettext,
        gettext=template_gettext,
        asset=asset,
        icon=icon,
        direction=direction,
        get_locale=get_locale,
        reader_zone=zones.reader_zone,
        zone_title=zones.title_of,
        readable_zone=zones.readable,
    )
    app.jinja_env.filters.update(
        clock=clock,
        month_name=month_name,
        date=date,
        moment=moment,
        day=day,
        by_day=by_day,
        when=when,
        instant=instant,
        lasting=lasting,
        money=money,
        translated=translate,
        few=shortening.few,
        is_long=shortening.is_long,
        shortened=shortening.shortened,
    )
    if app.debug:
        app.before_request(manifest.cache_clear)
