from __future__ import annotations

import io
import json
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.contacts.tables import Unreadable
from app.extensions import outside
from app.inbox.files.deletions import FileDeletion
from app.listings import feed_writing
from app.listings.feed_files import open_feed
from app.listings.imports import MOST_ATTEMPTS, ImportProblem, ListingImport
from app.listings.jobs import advance_import, fetch_feed, recover_imports
from app.listings.models import Listing
from app.listings.settings import ListingSettings
from app.tenancy import db, tenant_scope
from tests.api.conftest import Caller
from tests.cpu import Meter
from tests.enqueued import Enqueued
from tests.happenings import kinds

from .conftest import Agency, body

HEADER = "Reference,Title,Price,City\n"


def begin(agency: Agency, data: bytes | str, *, withdraws: bool = False) -> ListingImport:
    written = data.encode() if isinstance(data, str) else data
    with tenant_scope(agency.tenant.id):
        file = io.BytesIO(written)
        return ListingImport.begin("f.csv", file, currency="XOF", withdraws=withdraws, source="upload", by=agency.by)


def run(agency: Agency, data: bytes | str, *, withdraws: bool = False) -> ListingImport:
    begun = begin(agency, data, withdraws=withdraws)
    advance_import(agency.tenant.id, str(begun.id))
    with tenant_scope(agency.tenant.id):
        return ListingImport.get_or_404(begun.id)


def counts(done: ListingImport) -> tuple[int, int, int, int]:
    return done.created, done.changed, done.same, done.bad


def listings(agency: Agency) -> dict[str, Listing]:
    with tenant_scope(agency.tenant.id):
        return {one.external_id: one for one in db.session.scalars(Listing.newest_first())}


def reasons(agency: Agency, done: ListingImport) -> list[tuple[int, str, str]]:
    with tenant_scope(agency.tenant.id):
        rows = db.session.scalars(ImportProblem.of(done.id))
        return [(row.number, row.column, row.words.format(**row.facts)) for row in rows]


def table(count: int, price: int = 5) -> str:
    return HEADER + "".join(f"R{place},House {place},{price},Dakar\n" for place in range(count))


def test_good_rows_are_stored_and_bad_ones_reported_with_number_and_reason(agency: Agency) -> None:
    rows = ["A,Villa,500 000 FCFA,Dakar", "B,,5,Dakar", ",x,5,y", "C,ok,-3,z", "A,again,5,y", "D,كوخ,٥٠٠,داكار"]
    done = run(agency, HEADER + "\n".join(rows))
    assert counts(done) == (2, 0, 0, 4)
    assert reasons(agency, done) == [
        (3, "title", "The title is missing."),
        (4, "external_id", "The reference is missing."),
        (5, "price", "The price “-3” is below zero."),
        (6, "external_id", "The same reference is in row 2 already."),
    ]
    assert listings(agency)["D"].title == "كوخ" and listings(agency)["D"].price_micros == 500 * 10**6


ENCODED = {
    "Latin-1 with semicolons": "Référence;Titre;Prix;Ville\nA;Maison à étage;5;Thiès\n".encode("latin-1"),
    "UTF-16 with tabs": "Reference\tTitle\tPrice\tCity\nA\tMaison à étage\t5\tThiès\n".encode("utf-16"),
    "UTF-8 with a mark": ("\ufeffid,name,price,town\r\nA,Maison à étage,5,Thiès\r\n").encode(),
}


@pytest.mark.parametrize("name", ENCODED)
def test_a_file_is_read_in_its_encoding(agency: Agency, name: str) -> None:
    run(agency, ENCODED[name])
    assert (listings(agency)["A"].title, listings(agency)["A"].city) == ("Maison à étage", "Thiès")


def test_a_quote_that_is_never_closed_spoils_its_own_row_only(agency: Agency) -> None:
    done = run(agency, HEADER + 'A,"two\nlines",5,x\nB,"open,5,x\nC,ok,5,x\n')
    assert counts(done) == (2, 0, 0, 1) and sorted(listings(agency)) == ["A", "C"]


def test_json_is_read_as_a_list_wrapped_or_by_lines(agency: Agency) -> None:
    rows: list[dict[str, Any]] = [
        {"id": 1, "title": "a", "price": 5, "attributes": {"pool": True}},
        {"id": 2, "title": "b"},
    ]
    assert counts(run(agency, json.dumps(rows))) == (2, 0, 0, 0)
    assert counts(run(agency, json.dumps({"listings": rows}))) == (0, 0, 2, 0)
    assert counts(run(agency, "\n".join(map(json.dumps, rows)) + "\n{broken\n")) == (0, 0, 2, 1)
    assert listings(agency)["1"].attributes == {"pool": True}


DEEP = b'{"listings": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"
HALF = "Villa \ud83c"


@pytest.mark.parametrize(
    "odd",
    [
        {"title": HALF},
        {"title": [HALF]},
        {"description": HALF},
        {"floor": HALF},
        {HALF: "x"},
        {"attributes": {HALF: HALF}},
        {"price": HALF},
        {"kind": HALF},
        {"url": HALF},
        {"id": HALF},
    ],
)
def test_an_odd_row_of_json_prevents_no_other_from_being_stored(agency: Agency, odd: dict[str, Any]) -> None:
    rows = [{"id": "A", "title": "a"}, {"id": "B", "title": "b"} | odd, {"id": "C", "title": "c"}]
    for feed in (json.dumps(rows), "\n".join(map(json.dumps, rows))):
        done = run(agency, feed)
        assert done.state == "done" and done.row == 3 and {"A", "C"} <= set(listings(agency))


def test_half_an_emoji_is_stored_as_a_replacement_character(agency: Agency) -> None:
    run(agency, json.dumps([{"id": "A", "title": HALF + "\U0001f3e1", "attributes": {"view": HALF}}]))
    assert listings(agency)["A"].title == "Villa \ufffd\U0001f3e1"
    assert listings(agency)["A"].attributes == {"view": "Villa \ufffd"}


def test_an_item_of_json_costs_the_same_however_much_follows() -> None:
    meter, data = Meter(), b"[" + b"1," * 5_000 + b'"' + b"x" * 4_000_000 + b'"]'
    assert meter.seconds(lambda: list(open_feed([data]).rows)) < meter.most


def test_a_file_that_breaks_off_stores_what_came_and_withdraws_nothing(agency: Agency) -> None:
    run(agency, table(4))
    done = run(agency, '[{"id": "R0", "title": "x"}, {"id": "R1", "ti', withdraws=True)
    assert done.state == "failed" and "after row 1" in done.failure["words"].format(**done.failure["facts"])
    assert {one.status for one in listings(agency).values()} == {"available"}


def test_a_second_import_changes_only_what_differs(agency: Agency) -> None:
    run(agency, table(3))
    assert counts(run(agency, table(3).replace("House 1", "Villa 1"))) == (0, 1, 2, 0)
    assert kinds(agency.tenant.id)[3:] == ["listing.changed"]


def test_missing_listings_are_withdrawn_only_if_chosen(agency: Agency) -> None:
    run(agency, table(4))
    assert run(agency, table(3)).withdrawn == 0
    assert run(agency, table(3), withdraws=True).withdrawn == 1
    assert listings(agency)["R3"].status == "withdrawn"
    run(agency, table(4))
    assert listings(agency)["R3"].status == "available"


@pytest.mark.parametrize("feed", [table(1), HEADER + "x,,,\n" * 4 + "R0,a,5,b\nR1,a,5,b\nR2,a,5,b\n"])
def test_a_feed_that_is_mostly_empty_or_bad_withdraws_nothing(agency: Agency, feed: str) -> None:
    run(agency, table(4))
    done = run(agency, feed, withdraws=True)
    assert done.withdrawn == 0 and done.guard["words"].startswith("Nothing was withdrawn")


def test_what_was_made_by_hand_is_never_missing_in_a_feed(agency: Agency) -> None:
    agency.put("OWN")
    run(agency, table(2), withdraws=True)
    assert listings(agency)["OWN"].status == "available"


def test_a_killed_job_goes_on_where_it_was(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_writing, "AT_ONCE", 2)
    begun = begin(agency, table(5))
    monkeypatch.setattr(feed_writing, "SECONDS", -1)
    for _ in range(2):
        advance_import(agency.tenant.id, str(begun.id))
    assert len(listings(agency)) == 4
    monkeypatch.setattr(feed_writing, "SECONDS", 100)
    advance_import(agency.tenant.id, str(begun.id))
    with tenant_scope(agency.tenant.id):
        assert counts(ListingImport.get_or_404(begun.id)) == (5, 0, 0, 0)


def test_a_lost_job_is_enqueued_again(agency: Agency, enqueued: Enqueued) -> None:
    begun = begin(agency, table(1))
    with tenant_scope(agency.tenant.id):
        db.session.execute(db.text("update listing_imports set worked_at = worked_at - interval '2 minutes'"))
    recover_imports()
    assert "listings.advance_import" in enqueued.names and begun.state == "waiting"


def test_a_file_that_is_not_there_is_tried_again_later_and_ends_with_its_import(
    agency: Agency, enqueued: Enqueued
) -> None:
    """As where the store is unavailable, or the process was killed that stored it."""
    begun = begin(agency, table(1))
    key = begun.storage_key
    outside().storage.delete(key)
    for _ in range(MOST_ATTEMPTS):
        enqueued.clear()
        advance_import(agency.tenant.id, str(begun.id))
        assert "listings.advance_import" not in enqueued.names
    advance_import(agency.tenant.id, str(begun.id))
    with tenant_scope(agency.tenant.id):
        assert (ListingImport.get_or_404(begun.id).state, unwanted_files()) == ("failed", [key])


def unwanted_files() -> list[str]:
    return list(db.session.scalars(db.select(FileDeletion.storage_key)))


@pytest.mark.parametrize("data", [b"<html>", b"\x89PNG\r\n\x1a\n\x00\x00", b"a,b\n1,2\n", b"\n\n", DEEP])
def test_what_is_no_feed_fails_with_words(agency: Agency, data: bytes) -> None:
    done = run(agency, data)
    assert done.state == "failed" and done.failure["words"]


def test_an_empty_file_is_refused_at_once(agency: Agency) -> None:
    with pytest.raises(Unreadable):
        begin(agency, b"")


def test_the_feed_is_fetched_from_public_addresses_only(agency: Agency) -> None:
    with tenant_scope(agency.tenant.id):
        settings = ListingSettings.current()
        settings.feed_url = "https://127.0.0.1/feed.csv"
        settings.save()
    fetch_feed(agency.tenant.id)
    with tenant_scope(agency.tenant.id):
        assert "public one" in ListingSettings.current().feed_failure["words"]


def test_a_program_imports_a_file_and_reads_what_became_of_it(agency: Agency, shop: Caller) -> None:
    sent = shop.call(
        "POST", "/listings/imports?currency=XOF", (table(2) + ",x,1,y\n").encode(), Content_Type="text/csv"
    )
    assert sent.status_code == 202
    id = body(sent)["id"]
    advance_import(agency.tenant.id, id)
    done = body(shop.get(f"/listings/imports/{id}"))
    assert (done["created"], done["bad"], done["state"]) == (2, 1, "done")
    assert body(shop.get(f"/listings/imports/{id}/problems"))["data"] == [
        {"row": 4, "column": "external_id", "reason": "The reference is missing."}
    ]


def test_more_changed_rows_cost_few_statements_more(agency: Agency) -> None:
    counts = []
    for count in (10, 60):
        run(agency, table(count).encode())
        statements: list[str] = []
        event.listen(Engine, "before_cursor_execute", note := lambda *call, seen=statements: seen.append(call[2]))
        assert run(agency, table(count, price=7).encode()).changed == count
        event.remove(Engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[1] <= counts[0] + 5
