"""Writes a feed: a chunk of rows in each transaction, new ones set-wise, others where something differs."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import undefer

from app.api import ApiKey
from app.contacts.import_reading import existing_contacts
from app.contacts.models import Contact
from app.contacts.refusals import Refusal
from app.contacts.tables import Unreadable
from app.extensions import storage
from app.inbox.api import reach
from app.tenancy import among, announce, commit, current_tenant_id, database_now, db, happened_each, uuid7
from app.words import N_

from .feed_columns import NEEDED
from .feed_files import Feed, FeedRow, open_feed
from .feed_reading import Reading, WrongCell, read_row
from .imports import MOST_ROWS, ListingImport
from .models import DERIVED_FROM, Listing, derived, share_listings

AT_ONCE = 500
# One turn in the lane; then other businesses have theirs.
SECONDS = 200
# Nothing is withdrawn when more rows than these hundredths are bad, or when more of the listings would go.
MOST_BAD, MOST_GONE = 10, 50
BLANK: dict[str, Any] = {
    **dict.fromkeys(("type", "city", "district", "url", "picture_url", "description"), ""),
    **dict.fromkeys(("price_micros", "currency", "rooms", "area", "contact_id"), None),
    "kind": "sale",
    "status": "available",
    "attributes": {},
}


class Writer:
    """One turn of a job at one import. `seen` are the references of the file, for what is missing in it."""

    def __init__(self, listing_import: ListingImport) -> None:
        self.id, self.done = listing_import.id, listing_import.row
        self.seen: dict[str, int] = {}
        self.rows = 0

    def work(self, feed: Feed) -> bool:
        """Writes the rows behind those that are written. Returns False where the time is up or another job goes on."""
        ends_at = time.monotonic() + SECONDS
        rows = self.counted(feed.rows)
        while chunk := list(itertools.islice(rows, AT_ONCE)):
            if chunk[-1].number <= self.done:
                for row in chunk:
                    self.read(row, "")
                continue
            if (listing_import := self.claim()) is None:
                return False
            readings = [
                reading for row in chunk if (reading := self.read(row, listing_import.currency)).number > self.done
            ]
            write(listing_import, readings)
            listing_import.row = self.done = chunk[-1].number
            listing_import.attempts, listing_import.worked_at = 0, database_now()
            announce("listing_import", listing_import.id)
            commit()
            db.session.expunge_all()
            if time.monotonic() > ends_at:
                return False
        return True

    def claim(self) -> ListingImport | None:
        """The import, unless another job has gone on with it meanwhile."""
        claimed = ListingImport.claim(self.id)
        return claimed if claimed is not None and claimed.row == self.done else None

    def counted(self, rows: Iterator[FeedRow]) -> Iterator[FeedRow]:
        for row in rows:
            self.rows += 1
            if self.rows > MOST_ROWS:
                raise Unreadable(
                    N_("The file has more than {count} rows. Split it into several files."), count=MOST_ROWS
                )
            yield row

    def read(self, row: FeedRow, currency: str) -> Reading:
        """A reference that comes twice is a mistake of the later row."""
        reading = read_row(row, currency)
        first = self.seen.setdefault(reading.external_id, row.number) if reading.external_id else row.number
        if first != row.number and reading.problem is None:
            twice = Refusal(N_("The same reference is in row {number} already."), number=first)
            reading.problem = WrongCell.of_column("external_id", twice)
        return reading


def write(listing_import: ListingImport, readings: list[Reading]) -> None:
    """Writes a chunk, and what is wrong with its bad rows."""
    share_listings()
    good = {reading.external_id: reading for reading in readings if reading.problem is None}
    bad = [reading for reading in readings if reading.problem is not None]
    link_owners(list(good.values()), listing_import.api_key)
    existing = locked(good)
    created = create([good[id] for id in good if id not in existing], listing_import)
    if len(created) + len(existing) < len(good):
        # Another program has made some of them in this moment.
        existing |= locked({id: good[id] for id in good if id not in existing and id not in created})
    changed = alter(
        [(listing, as_offered(listing, good[id].given)) for id, listing in existing.items()], listing_import
    )
    listing_import.created += len(created)
    listing_import.changed += changed
    listing_import.same += len(existing) - changed
    listing_import.bad += len(bad)
    report(listing_import, bad)


def locked(good: dict[str, Reading]) -> dict[str, Listing]:
    """The listings that there are, in the order in which every writer locks them."""
    mine = select(Listing).where(Listing.external_id.in_(list(good))).options(undefer(Listing.description))
    mine = mine.order_by(Listing.external_id).with_for_update(key_share=True)
    rows = db.session.scalars(mine.execution_options(populate_existing=True)) if good else ()
    return {listing.external_id: listing for listing in rows}


def as_offered(listing: Listing, given: dict[str, Any]) -> dict[str, Any]:
    """What is in the feed without a status is on offer, also if it was missing before."""
    return given | ({"status": "available"} if "status" not in given and listing.status == "withdrawn" else {})


def alter(given: list[tuple[Listing, dict[str, Any]]], listing_import: ListingImport) -> int:
    """Changes what differs, with few statements for all. Returns how many listings that were."""
    happenings: dict[str, list[tuple[uuid.UUID, dict[str, Any]]]] = {}
    with db.session.no_autoflush:
        for listing, values in given:
            if changed := listing.alter(values):
                kind, facts = listing.happening(changed)
                happenings.setdefault(kind, []).append((listing.id, facts | owner_of(listing.contact_id)))
    db.session.flush()
    for kind, rows in happenings.items():
        happened_each(kind, rows, actors=[listing_import.by] * len(rows))
    return sum(map(len, happenings.values()))


def create(readings: list[Reading], listing_import: ListingImport) -> set[str]:
    """Returns the references of those that were made."""
    if not readings:
        return set()
    moment = database_now()
    values = [as_row(reading, moment) for reading in readings]
    rows = db.session.execute(NEW, {"rows": json.dumps(values), "tenant": current_tenant_id(), "now": moment}).all()
    facts = [
        (row.id, {"external_id": row.external_id, "status": row.status} | owner_of(row.contact_id)) for row in rows
    ]
    happened_each("listing.created", facts, actors=[listing_import.by] * len(facts))
    return {row.external_id for row in rows}


def as_row(reading: Reading, moment: dt.datetime) -> dict[str, Any]:
    """A new listing as JSON: what the row gives, what follows from it, and nothing for all else."""
    given = {**BLANK, **reading.given}
    given |= derived(reading.external_id, {name: given[name] for name in DERIVED_FROM})
    given["listed_at"] = given.get("listed_at", moment).isoformat()
    given["contact_id"] = given["contact_id"] and str(given["contact_id"])
    return given | {"id": str(uuid7()), "external_id": reading.external_id}


# New listings, all at once. One that another program has made in this moment is left to it.
NEW = text("""
    insert into listings (tenant_id, id, external_id, title, kind, type, type_key, city, city_key, district,
        district_key, price_micros, currency, rooms, area, url, picture_url, description, status, contact_id,
        attributes, source, words, keys, listed_at, news_at, created_at, updated_at)
    select :tenant, id, external_id, title, kind, type, type_key, city, city_key, district, district_key, price_micros,
        currency, rooms, area, url, picture_url, description, status, contact_id, attributes, 'feed', words, keys,
        listed_at, :now, :now, :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, external_id text, title text, kind text, type text,
        type_key text, city text, city_key text, district text, district_key text, price_micros bigint, currency text,
        rooms double precision, area double precision, url text, picture_url text, description text, status text,
        contact_id uuid, attributes jsonb, words text, keys jsonb, listed_at timestamptz)
    on conflict (tenant_id, external_id) do nothing
    returning id, external_id, status, contact_id
""")


def owner_of(contact_id: uuid.UUID | None) -> dict[str, str]:
    return {"contact_id": str(contact_id)} if contact_id else {}


def link_owners(readings: list[Reading], key: ApiKey | None) -> None:
    """Owners are contacts that exist already; a number that no contact has links no one.

    A file of a team's key gives listings to no one out of its reach.
    """
    contacts = existing_contacts([reading.owner for reading in readings if reading.owner])
    if contacts and key and key.kind == "team":
        theirs = select(Contact.id).where(among(Contact.id, contacts.values()), reach.contact_reached(Contact.id, key))
        within = set(db.session.scalars(theirs))
        contacts = {number: id for number, id in contacts.items() if id in within}
    for reading in readings:
        if reading.owner in contacts:
            reading.given["contact_id"] = contacts[reading.owner]


def report(listing_import: ListingImport, bad: list[Reading]) -> None:
    if not bad:
        return
    rows = []
    for reading in bad:
        problem = reading.problem
        assert problem
        column = problem.column if isinstance(problem, WrongCell) else ""
        rows.append({"id": str(uuid7()), "number": reading.number, "column": column} | problem.as_dict())
    values = {"rows": json.dumps(rows), "tenant": current_tenant_id(), "import": listing_import.id}
    db.session.execute(REPORT, values)


REPORT = text("""
    insert into listing_import_problems (tenant_id, id, import_id, number, "column", words, facts)
    select :tenant, id, :import, number, "column", words, facts
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, number bigint, "column" text, words text, facts jsonb)
    on conflict do nothing
""")


def withdraw_missing(listing_import: ListingImport, seen: dict[str, int]) -> None:
    """Withdraws what came by a feed and is not in this one. Never after a feed that is mostly bad or mostly empty."""
    on_offer = Listing.source == "feed", Listing.status.in_(("available", "reserved"))
    listed = db.session.execute(select(Listing.id, Listing.external_id).where(*on_offer)).all()
    missing = [row.id for row in listed if row.external_id not in seen]
    rows = listing_import.good + listing_import.bad
    if listing_import.bad * 100 > rows * MOST_BAD:
        words = N_("Nothing was withdrawn. Rows that could not be read: {bad} of {rows}.")
        listing_import.guard = Refusal(words, bad=listing_import.bad, rows=rows).as_dict()
    elif len(missing) * 100 > len(listed) * MOST_GONE:
        words = N_("Nothing was withdrawn. Listings that are missing in this file: {missing} of {count}.")
        listing_import.guard = Refusal(words, missing=len(missing), count=len(listed)).as_dict()
    else:
        for start in range(0, len(missing), AT_ONCE):
            withdraw(listing_import, missing[start : start + AT_ONCE])


def withdraw(listing_import: ListingImport, ids: list[uuid.UUID]) -> None:
    share_listings()
    mine = select(Listing).where(Listing.id.in_(ids)).order_by(Listing.external_id).with_for_update(key_share=True)
    rows = db.session.scalars(mine.execution_options(populate_existing=True)).all()
    listing_import.withdrawn += alter([(listing, {"status": "withdrawn"}) for listing in rows], listing_import)


def work_on(listing_import: ListingImport) -> None:
    """One turn. Commits; the import is done, has failed, or has more rows to be written in the next turn."""
    writer, id, key = Writer(listing_import), listing_import.id, listing_import.storage_key
    listing_import.state = "importing"
    commit()
    try:
        feed = open_feed(storage.stream(key))
        if (claimed := ListingImport.claim(id)) is None:
            return
        understood(claimed, feed)
        commit()
        is_whole = writer.work(feed)
    except Unreadable as refusal:
        if (broken := ListingImport.claim(id)) is not None:
            broken.fail(refusal)
        return
    if is_whole and (finished := writer.claim()) is not None:
        if finished.withdraws:
            withdraw_missing(finished, writer.seen)
        finished.finish()


def understood(listing_import: ListingImport, feed: Feed) -> None:
    """Notes what was understood of the file. Raises `Unreadable` without the columns that a listing needs."""
    listing_import.format, listing_import.encoding = feed.format, feed.encoding
    listing_import.delimiter = feed.delimiter
    listing_import.columns, listing_import.ignored = feed.columns, feed.ignored[:100]
    has_columns = feed.format in ("csv", "xlsx")
    missing = [name for name in NEEDED if has_columns and name not in feed.columns.values()]
    if missing:
        raise Unreadable(
            N_("The first row needs a column for the reference (such as “Reference” or “ID”) and one for the title.")
        )
