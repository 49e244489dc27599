"""Templates by feature, assets by name, and how time is shown: UTC, with its zone."""

from __future__ import annotations

import datetime as dt
import functools
import json
import pathlib
from decimal import Decimal

from flask import Flask, has_request_context, request, url_for
from flask_babel import (
    format_currency,
    format_date,
    format_datetime,
    format_decimal,
    format_timedelta,
    get_locale,
    ngettext,
)
from flask_babel import gettext as _
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader
from markupsafe import Markup

from app.extensions import babel
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
    """14:03. The page tells the date and zone to whoever asks (`moment.js`)."""
    moment = moment.astimezone(dt.UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        written(moment), format_datetime(moment, "HH:mm", rebase=False)
    )


def written(moment: dt.datetime) -> str:
    """As machines read it."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(moment: dt.datetime) -> Markup:
    """21 November 2026, 14:03 UTC."""
    moment = moment.astimezone(dt.UTC)
    shown = f"{format_datetime(moment, 'd MMMM y, HH:mm', rebase=False)} UTC"
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="seconds"), shown)


def instant(moment: dt.datetime) -> Markup:
    """21 Nov 2026, 14:03:07 UTC."""
    moment = moment.astimezone(dt.UTC)
    shown = f"{format_datetime(moment, 'd MMM y, HH:mm:ss', rebase=False)} UTC"
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="milliseconds"), shown)


def lasting(duration: dt.timedelta) -> str:
    """How long something took: milliseconds under a second, else the largest unit that fits."""
    seconds = duration.total_seconds()
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else str(format_timedelta(duration, threshold=1.5))


def money(amount: Decimal, currency: str) -> str:
    return str(format_currency(amount, currency)) if currency else str(format_decimal(amount))


@functools.cache
def languages() -> list[str]:
    """Those with a catalogue, and the one everything is written in."""
    found = {str(locale) for locale in babel.list_translations()}
    return ["en", *sorted(found - {"en"})]


def choose_language() -> str | None:
    """What the browser asks for, as far as it exists. Outside of a request there is nobody to ask: the default."""
    if not has_request_context():
        return None
    return request.accept_languages.best_match(languages(), default="en")


# The language of whoever is asking, or is written to.
READER = Language(lambda words: str(_(words)), lambda one, many, count: str(ngettext(one, many, count)))


def translated(words: str) -> str:
    """Words that stand in a table or a row: in the reader's language, and escaped like any other value."""
    return str(_(words)) if words else ""


def day(date: dt.date) -> str:
    today = dt.datetime.now(dt.UTC).date()
    if date == today:
        return str(_("Today"))
    if date == today - dt.timedelta(days=1):
        return str(_("Yesterday"))
    return str(format_date(date, "EEEE, d MMMM" if date.year == today.year else "d MMMM y"))


def date(day: dt.date) -> str:
    """1 October 2026."""
    return str(format_date(day, "d MMMM y"))


def when(moment: dt.datetime) -> Markup:
    """The shortest that tells: the time today, the weekday this week, else the date."""
    moment = moment.astimezone(dt.UTC)
    age = dt.datetime.now(dt.UTC).date() - moment.date()
    shape = "HH:mm" if age.days < 1 else "EEE" if age.days < 7 else "d MMM" if age.days < 300 else "d MMM y"
    return Markup('<time datetime="{}">{}</time>').format(written(moment), format_datetime(moment, shape, rebase=False))


def direction() -> str:
    locale = get_locale()
    return locale.text_direction if locale else "ltr"


def init_app(app: Flask, features: list[str]) -> None:
    app.jinja_loader = loader(features)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(asset=asset, icon=icon, direction=direction, get_locale=get_locale)
    app.jinja_env.filters.update(
        clock=clock,
        date=date,
        moment=moment,
        day=day,
        when=when,
        instant=instant,
        lasting=lasting,
        money=money,
        translated=translated,
    )
    if app.debug:
        app.before_request(manifest.cache_clear)
