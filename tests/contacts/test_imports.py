from __future__ import annotations

import io

import pytest
from sqlalchemy import select

from app.contacts.consents import Consent
from app.contacts.imports import ContactImport
from app.contacts.models import Contact
from app.tenancy import db, tenant_scope
from tests.client import Browser
from tests.contacts.people import contact, contacts
from tests.world import World


def upload(browser: Browser, table: str | bytes, name: str = "people.csv") -> str:
    """Begins an import; returns where it is looked through."""
    data = table.encode() if isinstance(table, str) else table
    answer = browser.post("~/contacts/imports", {"file": (io.BytesIO(data), name)}, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    return answer.location


def test_a_file_is_shown_before_anything_is_kept(ann: Browser, world: World) -> None:
    page = ann.get(upload(ann, "Full name;Mobile;Tags\nGreta;+47 912 34 567;VIP\n")).text
    assert "Greta" in page and "1 new contact" in page and contacts(world) == []


def test_an_import_makes_contacts_with_tags_and_consent(ann: Browser, world: World) -> None:
    where = upload(ann, "name,phone,tags,opt-in\nGreta,+47 91234567,VIP;Oslo,yes\nHans,4915798765432,,\n")
    columns = {"column-0": "name", "column-1": "phone", "column-2": "tags", "column-3": "marketing"}
    assert ann.post(f"{where}/run").status_code == 422
    ann.post(f"{where}/mapping", columns | {"evidence": "Newsletter form"})
    ann.post(f"{where}/run")
    with tenant_scope(world.bakery.id):
        greta = db.session.scalars(select(Contact).where(Contact.name == "Greta")).one()
        assert [tag.name for tag in greta.tags] == ["VIP", "Oslo"] and greta.phone == "+47 91 23 45 67"
        assert [(each.is_granted, each.evidence) for each in db.session.scalars(select(Consent))] == [
            (True, "Newsletter form")
        ]
    assert "Greta" in ann.get("~/contacts/?q=gret").text


def test_rows_with_mistakes_say_what_is_wrong_and_stop_everything(ann: Browser, world: World) -> None:
    where = upload(ann, "name,phone\nGood,+4791234567\nBad,12\nTwice,0047 912 34 567\n")
    page = ann.get(where).text
    assert "“12” has no country code" in page and "is in row 2 already" in page
    assert ann.post(f"{where}/run").status_code == 422 and contacts(world) == []
    ann.post(f"{where}/run", {"leave_out": "1"})
    assert [each.name for each in contacts(world)] == ["Good"]


def test_an_import_that_fails_halfway_leaves_nothing(
    ann: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = upload(ann, "name,phone,tags\nGreta,+4791234567,VIP\n")
    monkeypatch.setattr(ContactImport, "add_belongings", lambda *_: 1 / 0)
    assert ann.post(f"{where}/run").status_code == 500
    assert contacts(world) == []


def test_running_twice_imports_once(ann: Browser, world: World) -> None:
    where = upload(ann, "name,phone\nGreta,+4791234567\n")
    for _ in range(2):
        assert ann.post(f"{where}/run").status_code == 303
    assert len(contacts(world)) == 1


def test_who_is_here_already_keeps_the_name(ann: Browser, world: World) -> None:
    contact(world, "Bia", wa_id="551187654321")
    where = upload(ann, "name,phone,tags\nBeatriz,+55 11 98765-4321,VIP\n")
    ann.post(f"{where}/run")
    (bia,) = contacts(world)
    with tenant_scope(world.bakery.id):
        again = Contact.get_or_404(bia.id)
        assert again.name == "Bia" and [tag.name for tag in again.tags] == ["VIP"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty"),
        (b"name,phone\n", "nothing below it"),
        (b"PK\x03\x04rest", "This is no CSV file"),
        (b"\x00\x01\x02", "This is no CSV file"),
        (",".join("c" * 100).encode() + b"\n1\n", "more than 60 columns"),
    ],
)
def test_what_is_no_table_is_refused_in_words(ann: Browser, data: bytes, words: str) -> None:
    given = {"file": (io.BytesIO(data), "x.csv")}
    answer = ann.post("~/contacts/imports", given, content_type="multipart/form-data")
    assert answer.status_code == 422 and words in answer.text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_in_whatever_a_spreadsheet_writes(ann: Browser, encoding: str) -> None:
    assert "Zoë" in ann.get(upload(ann, "name;phone\nZoë;+4791234567\n".encode(encoding))).text


def test_what_was_exported_comes_back_as_it_was(ann: Browser, world: World) -> None:
    for number, name in enumerate(("=1+1", "'quoted", "Zoë")):
        contact(world, name, wa_id=f"1650555{number:04}")
    exported = ann.post("~/contacts/export").get_data()
    with tenant_scope(world.bakery.id):
        for each in db.session.scalars(select(Contact)):
            db.session.delete(each)
    ann.post(f"{upload(ann, exported)}/run")
    assert sorted(each.name for each in contacts(world)) == ["'quoted", "=1+1", "Zoë"]
