"""The pipeline, a record's page, and the cards beside a conversation."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import select

from app.contacts.models import Contact
from app.inbox.conversations import Message
from app.people.erasure import erase
from app.people.merges import ContactMerge
from app.records.attributes import Attribute, WrongLink, money, read_link
from app.records.models import Record, RecordLink, of_contact
from app.records.stages import RecordStage
from app.tenancy import Actor, db, now, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.happenings import happenings, kinds
from tests.world import World

from .conftest import Shelf


def define(shelf: Shelf, *stages: tuple[str, str], type: str = "deal") -> None:
    with tenant_scope(shelf.id):
        RecordStage.define(type, stages)


def test_defined_stages_come_in_order_then_unknown_ones_then_none(shelf: Shelf, ann: Browser) -> None:
    define(shelf, ("Viewing", "open"), ("Won", "won"))
    for title, stage in (("A", "Somewhere"), ("B", "viewing "), ("C", ""), ("D", "WON")):
        shelf.add(title, stage=stage)
    page = ann.get("~/records/").text
    places = [page.index(f"<bdi>{name}</bdi>") for name in ("Viewing", "Won", "Somewhere", "No stage")]
    assert places == sorted(places) and page.count("Not in your stages") == 1


def test_totals_are_by_currency_and_by_owner(shelf: Shelf, ann: Browser) -> None:
    shelf.add("Villa", stage="New", amount_micros=500_000 * 10**6, currency="XOF", owner_name="Awa")
    shelf.add("Flat", stage="New", amount_micros=250_000 * 10**6, currency="XOF", owner_name="Ben")
    shelf.add("House", stage="New", amount_micros=10_500_000, currency="EUR", owner_name="Awa")
    everybody, awas = ann.get("~/records/").text, ann.get("~/records/?owner=Awa").text
    assert money(750_000 * 10**6, "XOF") in everybody and "€10.50" in everybody
    assert money(750_000 * 10**6, "XOF") not in awas and "Flat" not in awas and "House" in awas


def test_a_record_is_moved_by_a_form(shelf: Shelf, ben: Browser) -> None:
    define(shelf, ("Viewing", "open"), ("Won", "won"))
    record = shelf.add("Villa", stage="Viewing", linked=True)
    answer = ben.post(f"~/records/{record.id}/stage", {"stage": "Won", "back": "board"})
    assert answer.headers["Location"].endswith(f"/records/?type=deal#record-{record.id}")
    (staged,) = happenings(shelf.id, "record.staged")
    assert (staged.subject_id, staged.facts["stage"]) == (shelf.talk.contact_id, "Won")
    assert "From “Viewing” to “Won”" in ben.get(f"~/records/{record.id}").text


def test_what_a_connection_copies_is_not_moved_here(shelf: Shelf, ben: Browser) -> None:
    record = shelf.add("Villa", stage="Viewing")
    with tenant_scope(shelf.id):
        Record.get_or_404(record.id).is_mirrored = True
    ben.post(f"~/records/{record.id}/stage", {"stage": "Won"})
    assert shelf.now(record).stage == "Viewing"


def test_a_long_column_leads_to_its_list(shelf: Shelf, ann: Browser) -> None:
    for place in range(23):
        shelf.add(f"Deal {place}", stage="New & hot")
    assert "Show 3 more" in ann.get("~/records/").text
    assert ann.get("~/records/list?type=deal&stage=new+%26+HOT").text.count("row-link") == 23


@pytest.mark.parametrize("words", ["villa", "DAK", "vil dakar", "A-17/2", "17", "فيلا"])
def test_records_are_found_by_the_beginnings_of_words_and_by_their_id(shelf: Shelf, ann: Browser, words: str) -> None:
    shelf.add("Villa in Dakar فيلا", external_id="A-17/2")
    shelf.add("Flat in Thiès", external_id="B-18/3")
    page = ann.get("~/records/list", query_string={"q": words}).text
    assert "Villa in Dakar" in page and "Thiès" not in page


def test_the_palette_finds_records(shelf: Shelf, ben: Browser) -> None:
    record = shelf.add("Villa in Dakar", stage="Viewing")
    page = ben.get("~/inbox/palette?q=dak", headers=FRAGMENT).text
    assert f"/records/{record.id}" in page and "Viewing" in page
    assert str(record.id) not in ben.get("~/inbox/palette?q=thies", headers=FRAGMENT).text


def test_the_search_page_finds_records(shelf: Shelf, ben: Browser) -> None:
    record = shelf.add("Villa in Dakar", stage="Viewing")
    assert f"/records/{record.id}" in ben.get("~/inbox/search?q=dak").text
    assert "No results" in ben.get("~/inbox/search?q=thies").text


def test_a_record_is_shown_beside_the_conversation_with_typed_values(shelf: Shelf, ben: Browser) -> None:
    attributes = [
        {"name": "Price", "value": {"amount_micros": 500_000 * 10**6, "currency": "XOF"}},
        {"name": "Free from", "value": "2027-01-31"},
        {"name": "Pool", "value": True},
    ]
    shelf.add("Villa", type="property", linked=True, url="https://agency.example/villa", attributes=attributes)
    page = ben.get(f"~/inbox/{shelf.talk.id}/details", headers=FRAGMENT).text
    for part in (
        "Villa",
        money(500_000 * 10**6, "XOF"),
        "31 January 2027",
        "Yes",
        'href="https://agency.example/villa"',
    ):
        assert part in page, part


def test_the_card_updates_itself_alone(shelf: Shelf, ben: Browser) -> None:
    shelf.add("Villa", linked=True)
    fragment = ben.get(f"~/records/beside/{shelf.talk.id}", headers=FRAGMENT).text
    assert "Villa" in fragment and "<html" not in fragment
    assert ben.get(f"~/records/beside/{shelf.talk.id}").status_code == 303


def test_an_agent_searches_links_and_unlinks(shelf: Shelf, ben: Browser) -> None:
    record = shelf.add("Villa in Dakar")
    assert "Villa in Dakar" in ben.get(f"~/records/new?conversation={shelf.talk.id}&q=dakar").text
    ben.post(f"~/records/{record.id}/links", {"conversation_id": str(shelf.talk.id)})
    with tenant_scope(shelf.id):
        link = db.session.scalars(select(RecordLink)).one()
    assert "Villa in Dakar" in ben.get(f"~/records/of/{shelf.talk.contact_id}", headers=FRAGMENT).text
    ben.post(f"~/records/{record.id}/links/{link.id}/removal", {"conversation_id": str(shelf.talk.id)})
    assert "Villa in Dakar" not in ben.get(f"~/records/of/{shelf.talk.contact_id}", headers=FRAGMENT).text
    assert kinds(shelf.id)[-2:] == ["record.linked", "record.unlinked"]


def test_an_agent_enters_a_record_by_hand(shelf: Shelf, ben: Browser) -> None:
    typed = {"type": "property", "title": "Villa", "amount": "500 000,50", "currency": "xof"}
    ben.post("~/records/", typed | {"contact_id": str(shelf.talk.contact_id), "url": "https://agency.example/"})
    with tenant_scope(shelf.id):
        (record,) = db.session.scalars(of_contact(shelf.talk.contact_id)).all()
    assert (record.amount_micros, record.currency, record.source) == (500_000_500_000, "XOF", "here")


WRONG = ["http://a.example", "javascript:alert(1)", "https://", "https://me@a.example", "https://a .example", "//a.b"]


@pytest.mark.parametrize("written", WRONG)
def test_links_are_https_and_nothing_else(written: str) -> None:
    with pytest.raises(WrongLink):
        read_link(written)


def test_a_form_with_mistakes_says_which(shelf: Shelf, ben: Browser) -> None:
    answer = ben.post("~/records/", {"type": "deal", "url": "http://x.example", "amount": "lots"})
    assert answer.status_code == 422
    for words in ("Enter a title.", "begins with https://", "such as 1250.50", "letters of the currency"):
        assert words in answer.text, words


def test_values_that_only_look_like_dates_are_texts() -> None:
    kinds_of = {value: Attribute("a", value).kind for value in ("2027-02-30", "2027-01-31", "9999-99-99T10:00Z")}
    assert kinds_of == {"2027-02-30": "text", "2027-01-31": "date", "9999-99-99T10:00Z": "text"}
    assert Attribute("a", "2027-01-31T10:00:00+02:00").kind == "moment"


def test_the_page_counts_what_was_written_and_by_whom(shelf: Shelf, ann: Browser, world: World) -> None:
    record = shelf.add("Villa", linked=True)
    with tenant_scope(shelf.id):
        for direction, author in (("inbound", None), ("inbound", None), ("outbound", world.ben)):
            incoming = Message(conversation_id=shelf.talk.id, phone_number_id=shelf.talk.phone_number_id)
            incoming.direction, incoming.state, incoming.body, incoming.occurred_at = direction, "sent", "Hi", now()
            incoming.author_kind, incoming.author_id = ("agent", author.id) if author else (None, None)
            db.session.add(incoming)
    page = ann.get(f"~/records/{record.id}").text
    assert "3 messages" in page and "2 received, 1 sent" in page and "<bdi>Ben</bdi>" in page


def test_a_record_that_was_not_confirmed_for_long_is_marked(shelf: Shelf, ann: Browser) -> None:
    record = shelf.add("Villa")
    with tenant_scope(shelf.id):
        Record.get_or_404(record.id).seen_at = now() - dt.timedelta(days=31)
    assert "May be out of date" in ann.get("~/records/").text


def test_stages_are_defined_by_admins(shelf: Shelf, ann: Browser, ben: Browser) -> None:
    assert ben.get("~/records/settings").status_code == 403
    ann.post("~/records/settings/lead", {"open": "New\nnew\n\nCalled", "won": "Won", "lost": "Lost"})
    with tenant_scope(shelf.id):
        stages = [(stage.name, stage.outcome) for stage in RecordStage.of("lead")]
    assert stages == [("New", "open"), ("Called", "open"), ("Won", "won"), ("Lost", "lost")]
    assert ann.post("~/records/settings/lead", {"open": "\n".join(map(str, range(40)))}).status_code == 422


def test_an_erased_contact_takes_along_what_is_about_no_one_else(shelf: Shelf, world: World) -> None:
    villa, deal = shelf.add("Villa", type="property", linked=True), shelf.add("Carla's deal", linked=True)
    shared = shelf.add("Family deal", linked=True)
    with tenant_scope(shelf.id):
        other = conversation_of(shelf, "16505559999")
        Record.get_or_404(shared.id).link(other, by=shelf.by)
        erase(Contact.get_or_404(shelf.talk.contact_id), by=Actor.agent(world.ann))
    with tenant_scope(shelf.id):
        assert {record.id for record in db.session.scalars(select(Record))} == {villa.id, shared.id}
        assert [link.contact_id for link in db.session.scalars(select(RecordLink))] == [other]
        assert Record.find(deal.id) is None


def conversation_of(shelf: Shelf, wa_id: str) -> uuid.UUID:
    from app.contacts.models import ContactIdentity

    contact = Contact(id=uuid.uuid4(), name="Other")
    db.session.add(contact)
    db.session.flush()
    db.session.add(ContactIdentity(contact_id=contact.id, kind="wa_id", value=wa_id))
    return contact.id


def test_links_move_with_a_merge_and_back(shelf: Shelf, world: World) -> None:
    record = shelf.add("Villa")
    with tenant_scope(shelf.id):
        other = conversation_of(shelf, "16505559999")
        Record.get_or_404(record.id).link(other, by=shelf.by)
    with tenant_scope(shelf.id):
        merge = ContactMerge.merge(
            Contact.get_or_404(shelf.talk.contact_id), Contact.get_or_404(other), by=Actor.agent(world.ann)
        )
        assert db.session.scalars(of_contact(merge.contact_id)).all()
        merge.undo(by=Actor.agent(world.ann))
    with tenant_scope(shelf.id):
        assert [link.contact_id for link in db.session.scalars(select(RecordLink))] == [other]


def test_a_stranger_sees_no_record(shelf: Shelf, sue: Browser) -> None:
    record = shelf.add("Villa")
    assert sue.get(f"~/records/{record.id}").status_code == 404


def test_deleting_is_for_admins_and_takes_the_links_along(shelf: Shelf, ann: Browser, ben: Browser) -> None:
    record = shelf.add("Villa", linked=True)
    assert ben.post(f"~/records/{record.id}/removal").status_code == 403
    ann.post(f"~/records/{record.id}/removal")
    with tenant_scope(shelf.id):
        assert db.session.scalars(select(RecordLink)).all() == []
