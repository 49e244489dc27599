"""Listings at size: a feed of 100,000 rows with broken ones, and 1,000 new listings against 50,000 saved searches."""

from __future__ import annotations

import io
import random
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask
from sqlalchemy import insert

from app import create_app
from app.config import Settings
from app.contacts.consents import Consent
from app.contacts.models import Contact
from app.listings.criteria import Criteria
from app.listings.imports import ListingImport
from app.listings.jobs import advance_import
from app.listings.matching import match
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch, SavedSearchKey
from app.listings.settings import ListingSettings
from app.tenancy import Actor, Tenant, commit, database_now, db, now, tenant_scope, uuid7
from bench.drain import analyse
from bench.report import table
from bench.town import Town
from dev.stack import Stack

ROWS, BROKEN, NEW = 100_000, 1_000, 1_000
CONTACTS, EACH = 25_000, 2
CITIES = ("Dakar", "Thiès", "Saint-Louis", "Mbour", "Rufisque", "Kaolack", "Ziguinchor", "Touba", "Saly", "Diourbel")
TYPES = ("villa", "flat", "land", "studio", "office", "shop", "house")
BY = Actor.system("bench")
MATCHED_WITHIN = 30
AT_ONCE = 5_000


def run(stack: Stack) -> None:
    app = create_app(Settings.from_environment(stack.env))
    with app.app_context():
        town = Town.named("listings")
        rows = [importing(town.tenant, "a feed of 100,000 rows, 1 % broken", feed(0, ROWS, BROKEN))]
        rows.append(importing(town.tenant, "the same feed again", feed(0, ROWS, BROKEN)))
        table(
            "Importing listings",
            ["", "seconds", "rows/s", "CPU of Python", "stored", "left out", "MB before + more"],
            rows,
        )
        search(town.tenant)
        analyse(stack)
        importing(town.tenant, "", feed(ROWS, NEW, 0))
        table("Matching saved searches", ["", ""], matching(app, town.tenant))


def feed(first: int, count: int, broken: int) -> bytes:
    chance, lines = random.Random(7), ["Reference;Title;Offer;Type;City;Price;Rooms;Area"]
    for place in range(first, first + count):
        offer, type, city = chance.choice(("sale", "rent")), chance.choice(TYPES), chance.choice(CITIES)
        price = chance.randrange(50, 5_000) * 100_000
        lines.append(
            f"R{place};{type.title()} {place};{offer};{type};{city};{price:,} FCFA;{chance.randrange(1, 9)};120"
        )
    for place in range(broken):
        lines[1 + place * (count // broken)] = f'B{place};"open;sale;villa;Dakar;-5'
    return "\n".join(lines).encode()


def importing(tenant: Tenant, name: str, data: bytes) -> list[str]:
    with tenant_scope(tenant.id):
        file = io.BytesIO(data)
        begun = ListingImport.begin("bench", file, currency="XOF", withdraws=False, source="api", by=BY)
    started, worked, before = time.perf_counter(), time.process_time(), peak_mb()
    while begun.is_busy:
        advance_import(tenant.id, str(begun.id))
        with tenant_scope(tenant.id):
            begun = ListingImport.get_or_404(begun.id)
    seconds, ours = time.perf_counter() - started, time.process_time() - worked
    grown, rows = peak_mb() - before, begun.good + begun.bad
    figures = [f"{seconds:.1f}", f"{rows / seconds:,.0f}", f"{ours:.1f}", f"{begun.good:,}", f"{begun.bad:,}"]
    return [name, *figures, f"{before:.0f} + {grown:.0f}"]


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def search(tenant: Tenant) -> None:
    """Two searches of each contact, as people look: an offer, a place or two, a type or two, a budget."""
    chance = random.Random(11)
    with tenant_scope(tenant.id):
        moment = database_now()
        contacts = [{"id": uuid7(), "name": f"Contact {place}"} for place in range(CONTACTS)]
        in_parts(lambda part: db.session.execute(insert(Contact), part), contacts)
        agreed = {"purpose": "marketing", "is_granted": True, "source": "import"}
        in_parts(
            lambda part: db.session.execute(insert(Consent), [{"contact_id": one["id"], **agreed} for one in part]),
            contacts,
        )
        searches, keys = [], []
        for contact in contacts * EACH:
            criteria = Criteria(
                kind=chance.choice(("sale", "rent")),
                types=tuple(chance.sample(TYPES, chance.randrange(1, 3))),
                places=tuple(chance.sample(CITIES, chance.randrange(1, 3))),
                price_to=chance.randrange(50, 2_000) * 100_000 * 10**6,
                currency="XOF",
                rooms_from=float(chance.randrange(1, 5)),
            )
            id = uuid7()
            row: dict[str, Any] = {"id": id, "contact_id": contact["id"], "criteria": criteria.as_json(), "words": []}
            row |= {name: getattr(criteria, name) for name in ("kind", "price_to", "currency", "rooms_from")}
            searches.append(row | {"source": "api", "by_kind": "api", "seen_until": moment, "frequency": "daily"})
            keys += [{"search_id": id, "key": key} for key in criteria.keys]
        in_parts(lambda part: db.session.execute(insert(SavedSearch), part), searches)
        in_parts(lambda part: db.session.execute(insert(SavedSearchKey), part), keys)
        commit()


def in_parts(write: Callable[[Sequence[Any]], object], rows: Sequence[Any]) -> None:
    for start in range(0, len(rows), AT_ONCE):
        write(rows[start : start + AT_ONCE])


def matching(_app: Flask, tenant: Tenant) -> list[list[str]]:
    with tenant_scope(tenant.id):
        count = db.session.query(Listing).count()
        started = time.perf_counter()
        made = match(ListingSettings.current(), now().replace(hour=12))
        seconds = time.perf_counter() - started
    with tenant_scope(tenant.id):
        again = time.perf_counter()
        assert match(ListingSettings.current(), now().replace(hour=12)) == 0
        idle = time.perf_counter() - again
    return [
        ["listings in all", f"{count:,}"],
        ["saved searches", f"{CONTACTS * EACH:,}"],
        [f"matching {NEW:,} new listings", f"{seconds:.1f} s ({MATCHED_WITHIN / seconds:.0f} × as fast as promised)"],
        ["searches with something new", f"{made:,}"],
        ["matching again, with nothing new", f"{idle:.1f} s"],
    ]
