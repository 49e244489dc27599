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
from typing import Any, Literal, cast

from babel import Locale
from babel.dates import format_timedelta as babel_timedelta
from babel.lists import format_list
from babel.numbers import format_percent
from babel.support import NullTranslations
from flask import Flask, g, has_request_context, request, url_for
from flask_babel import (
    force_locale,
    format_currency,
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

from app import dates, shortening, zones
from app.extensions import babel
from app.languages import main_language
from app.words import InContext, Language

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
    return time_tag(moment, dates.clock(zones.local(moment)), exact(moment))


def moment(moment: dt.datetime) -> Markup:
    """21 November 2026, 14:03 CET: where the time is what one came to read."""
    return time_tag(moment, exact(moment))


def instant(moment: dt.datetime) -> Markup:
    """21 Nov 2026, 14:03:07 CET: in logs, where seconds matter."""
    local = zones.local(moment)
    shown = f"{dates.with_clock(local, 'yMMMd', seconds=True)} {zones.abbreviation(local)}"
    return time_tag(moment, shown, precision="milliseconds")


def when(moment: dt.datetime) -> Markup:
    """Where one skims: how long ago within the hour, the time today, the weekday this week, else the date; the whole
    time on hover. `time-zone.js` keeps the minutes true while the page is open."""
    age = dt.datetime.now(dt.UTC) - moment
    if dt.timedelta() <= age < dt.timedelta(hours=1):
        return time_tag(moment, ago(age), exact(moment), "data-ago")
    days = (zones.today() - zones.local(moment).date()).days
    shape = "EEE" if 0 < days < 7 else "MMMd" if abs(days) < 300 else "yMMMd"
    local = zones.local(moment)
    return time_tag(moment, dates.shaped(local, shape) if days else dates.clock(local), exact(moment))


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
    return in_zone(zones.local(moment))


def in_zone(local: dt.datetime, skeleton: str = "yMMMMd") -> str:
    """21 November 2026, 14:03 CET: by the clock of the zone that the moment is in."""
    return f"{dates.with_clock(local, skeleton)} {zones.abbreviation(local)}"


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


def percent(share: object) -> str:
    """12.5% of 12.5, as the reader's language writes it."""
    written = format_percent(Decimal(str(share)) / 100, locale=dates.writing(None), decimal_quantization=False)
    return str(written)


def listed(words: Iterable[object], style: Literal["unit", "or"] = "unit") -> str:
    """“Mon, Tue, Wed”; “Mo, Di und Mi”: as the reader's language lists things."""
    locale = dates.writing(None)
    # CLDR has no list of its own for units in German.
    known = style if "start" in locale.list_patterns.get(style, {}) else "standard"
    return format_list([str(word) for word in words], known, locale=locale)


def quoted(words: object) -> str:
    """In the quotation marks of the reader's language."""
    return str(_("“%(words)s”", words=words))


def colon(words: object) -> str:
    """“Price:”; “Prix :” in French."""
    shown = str(_("%(words)s:", words=words))
    return Markup(shown) if isinstance(words, Markup) else shown  # noqa: S704  (as escaped as what it was given)


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
    if isinstance(words, InContext):
        return template_pgettext(context, words.context, str(words), **facts)
    translated: str = translations_into(get_locale()).ugettext(words)
    return filled(context, translated, facts)


@pass_context
def template_pgettext(context: Context, about: str, words: str, /, **facts: Any) -> str:
    """`pgettext()` of templates: words whose translation depends on what they are about."""
    return filled(context, str(translations_into(get_locale()).upgettext(about, words)), facts)


def filled(context: Context, translated: str, facts: Mapping[str, Any]) -> str:
    if context.eval_ctx.autoescape:
        translated = Markup(translated)  # noqa: S704  (our own words; what fills them is escaped)
    return translated % facts


def translate(words: str, facts: Mapping[str, str] | None = None) -> str:
    """A stored or tabled string (`N_`) in the reader's language, escaped like any other value; `facts` fill it."""
    return str(_(words, **(facts or {}))) if words else ""


def day(day: dt.date) -> str:
    """Today; Saturday 21 November; 21 November 2025. A moment's is the reader's."""
    if isinstance(day, dt.datetime):
        day = zones.local(day).date()
    today = zones.today()
    if day == today:
        return str(_("Today"))
    if day == today - dt.timedelta(days=1):
        return str(_("Yesterday"))
    return dates.shaped(day, "MMMMEEEEd") if day.year == today.year else dates.long(day)


def by_day(entries: Iterable[Any]) -> list[tuple[dt.date, list[Any]]]:
    """What happened, in its order, grouped by the reader's days."""
    days = itertools.groupby(entries, lambda entry: zones.local(entry.occurred_at).date())
    return [(date, list(group)) for date, group in days]


def direction() -> str:
    locale = get_locale()
    return locale.text_direction if locale else "ltr"


def init_app(app: Flask, features: list[str]) -> None:
    app.jinja_loader = loader(features)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        _=template_gettext,
        gettext=template_gettext,
        pgettext=template_pgettext,
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
        month_name=dates.month,
        date=dates.long,
        until=dates.span,
        brief=dates.brief,
        hour=dates.hour,
        moment=moment,
        day=day,
        by_day=by_day,
        when=when,
        instant=instant,
        lasting=lasting,
        money=money,
        number=format_decimal,
        percent=percent,
        listed=listed,
        quoted=quoted,
        colon=colon,
        translated=translate,
        few=shortening.few,
        is_long=shortening.is_long,
        shortened=shortening.shortened,
    )
    if app.debug:
        app.before_request(manifest.cache_clear)
