"""Pages that navigation leads to. Each says so beside its view; rail, settings, palette and console list them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request, url_for
from flask_babel import gettext as _

View = Callable[..., Any]


@dataclass(frozen=True)
class Place:
    """A page in a list of pages: `menu` is rail, settings or console; `group` a heading in settings."""

    menu: str
    title: str
    icon: str
    order: int
    hint: str = ""
    group: str = ""
    key: str = ""
    # Other addresses that count as this place, and a page of settings that has an entry in the rail too.
    covers: tuple[str, ...] = ()
    # Which part of the page.
    anchor: str = ""
    endpoint: str = ""
    permission: str = ""

    @property
    def address(self) -> str:
        return str(url_for(self.endpoint, _anchor=self.anchor or None))

    @property
    def name(self) -> str:
        """Short and unique among the places of the rail: `inbox` for `inbox.index`."""
        feature, page = self.endpoint.split(".")
        return feature if page == "index" else page

    @property
    def words(self) -> str:
        return str(_(self.title))

    @property
    def description(self) -> str:
        return str(_(self.hint)) if self.hint else ""

    def length_of_match(self, path: str) -> int:
        """How much of an address is this place's own; 0 where it is another's."""
        mine = [
            self.address.partition("#")[0].rstrip("/"),
            *(self.covers if self.menu == "console" else map(in_tenant, self.covers)),
        ]
        return max((len(start) for start in mine if f"{path}/".startswith(f"{start}/")), default=0)


def in_tenant(path: str) -> str:
    return str(url_for("tenancy.home")).rstrip("/") + path


def in_menu(menu: str, title: str, icon: str, *, order: int, **more: Any) -> Callable[[View], View]:
    """Puts a view's page into a menu; who may open the page is also who sees it there (see `Place`)."""

    def mark(view: View) -> View:
        view.places = [*getattr(view, "places", []), Place(menu, title, icon, order, **more)]  # type: ignore[attr-defined]
        return view

    return mark


# Each names the page to which a member is led instead of the inbox, or none.
FIRST_PAGES: list[Callable[[], str | None]] = []


@dataclass(frozen=True)
class NextStep:
    words: str
    address: str


NEXT_STEPS: list[Callable[[], NextStep | None]] = []


def first_page(leads: Callable[[], str | None]) -> Callable[[], str | None]:
    """Registers a function that may name another first page of a tenant than its inbox."""
    FIRST_PAGES.append(leads)
    return leads


def next_step(find: Callable[[], NextStep | None]) -> Callable[[], NextStep | None]:
    """Registers a function that may name what the reader still has to set up; the inbox shows it beside its list."""
    NEXT_STEPS.append(find)
    return find


def next_steps() -> list[NextStep]:
    return [step for find in NEXT_STEPS if (step := find())]


@functools.cache
def all_places(app: Any) -> tuple[Place, ...]:
    """Every place there is, in order."""
    listed = [
        Place(**vars(place) | {"endpoint": endpoint, "permission": getattr(view, "access", "")})
        for endpoint, view in app.view_functions.items()
        for place in getattr(view, "places", ())
    ]
    return tuple(sorted(listed, key=lambda place: (place.order, place.endpoint)))


def places(menu: str) -> list[Place]:
    """The places of a menu that the reader of the page may open."""
    everywhere = all_places(current_app._get_current_object())  # type: ignore[attr-defined]
    shown = [place for place in everywhere if place.menu == menu]
    return shown if menu == "console" else [place for place in shown if g.membership.may(place.permission)]


def place_in(menu: str) -> Place | None:
    """The place of a menu that the page belongs to. A page of settings belongs to the settings' place in the rail."""
    shown = places(menu)
    candidates = [(place.length_of_match(request.path), place) for place in shown]
    if menu == "rail":
        settings = next((place for place in shown if place.name == "settings"), None)
        candidates += [(one.length_of_match(request.path), settings) for one in places("settings") if settings]
    length, place = max(candidates, key=lambda candidate: candidate[0], default=(0, None))
    return place if length else None
