from __future__ import annotations

import csv
import io
import uuid

import pytest
from sqlalchemy import select, update

from app.contacts.consents import Consent
from app.contacts.exports import ContactExport
from app.contacts.fields import ContactField, ContactFieldValue
from app.contacts.imports import ContactImport, ImportRow
from app.contacts.models import Contact
from app.contacts.records import ContactLink, ContactNote
from app.contacts.tags import ContactTag, Tag
from app.inbox.conversations import Message
from app.tenancy import Actor, db, tenant_scope
from tests.arrivals import arrive, conversation, messages
from tests.client import FRAGMENT, Browser
from tests.contacts.people import contact, contacts
from tests.posts import message
from tests.world import World

HOSTILE = [
    "\u202egnp.exe\u202c",
    "\u200b\u200b\u200b",
    "x" * 10_000,
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "Zoë 👩‍👩‍👧",
    "a\x00b",
    "Ž̵̡͎a̸l̶g̷o̸" * 200,
]


@pytest.fixture
def carla(world: World) -> Contact:
    return contact(world, "Carla Mendes", wa_id="16505551234")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_on_every_page(ann: Browser, world: World, name: str) -> None:
    world.connect_numbers()
    arrive(message("Hi", wa_id="16505551234", name=name))
    (existing,) = contacts(world)
    for path in ("~/contacts/", f"~/contacts/{existing.id}", f"~/inbox/{conversation(world).id}", "~/inbox/"):
        page = ann.get(path).text
        assert "<script>alert" not in page and "\u202e" not in page and len(page) < 60_000
    assert 0 < len(existing.name) <= 200


def test_a_contact_is_made_by_hand_once(ann: Browser, world: World) -> None:
    form = {"name": "Greta", "phone": "+47 912 34 567"}
    assert ann.post("~/contacts/", form).status_code == 303
    again = ann.post("~/contacts/", form | {"phone": "0047 91234567"})
    assert again.status_code == 422 and "Another contact has this number" in again.text and len(contacts(world)) == 1


@pytest.mark.parametrize("phone", ["", "12", "650 555 1234", "not a number", "+1 650 555 1234 ext 5", "+" + "9" * 40])
def test_what_is_not_a_number_is_refused_and_stays_in_the_form(ann: Browser, world: World, phone: str) -> None:
    answer = ann.post("~/contacts/", {"name": "Greta", "phone": phone})
    assert answer.status_code == 422 and "Greta" in answer.text and contacts(world) == []


def test_who_was_made_by_hand_is_recognised_when_they_write(ann: Browser, world: World) -> None:
    world.connect_numbers()
    ann.post("~/contacts/", {"name": "Bia", "phone": "+55 11 98765-4321"})
    arrive(message("Oi", wa_id="551187654321", name="bia ♥"))
    assert [each.name for each in contacts(world)] == ["Bia"]


def test_a_name_given_here_is_not_changed_by_the_customer(ann: Browser, world: World) -> None:
    world.connect_numbers()
    arrive(message("Hi", name="carla 🌸"))
    (existing,) = contacts(world)
    ann.post(f"~/contacts/{existing.id}/name", {"name": "Carla Mendes"})
    arrive(message("Hi", name="Queen C"))
    assert [each.name for each in contacts(world)] == ["Carla Mendes"]


def test_a_tag_is_made_where_it_is_needed_and_counted_once(ben: Browser, world: World, carla: Contact) -> None:
    for name in ("VIP", "vip", "VIP"):
        answer = ben.post(f"~/contacts/{carla.id}/tags", {"tag": name}, headers=FRAGMENT)
        assert answer.status_code == 200 and "VIP" in answer.text
    with tenant_scope(world.bakery.id):
        assert [(tag.name, count) for tag, count in db.session.execute(Tag.counted())] == [("VIP", 1)]


def test_merged_tags_are_on_each_contact_once(ann: Browser, world: World, carla: Contact) -> None:
    other = contact(world, "Dora", wa_id="16505559999")
    with tenant_scope(world.bakery.id):
        for name in ("VIP", "Important"):
            Contact.get_or_404(carla.id).tag(name, by=Actor.agent(world.ann))
        Contact.get_or_404(other.id).tag("Important", by=Actor.agent(world.ann))
        vip, important = Tag.named("VIP"), Tag.named("Important")
        assert vip and important
    ann.post(f"~/contacts/tags/{important.id}/merge", {"into": vip.name})
    with tenant_scope(world.bakery.id):
        assert [(tag.name, count) for tag, count in db.session.execute(Tag.counted())] == [("VIP", 2)]


def test_a_tag_is_not_renamed_to_another(ann: Browser, world: World, carla: Contact) -> None:
    with tenant_scope(world.bakery.id):
        vip, _other = Tag.get_or_make("VIP"), Tag.get_or_make("Regular")
    answer = ann.post(f"~/contacts/tags/{vip.id}", {"name": "regular", "color": "red"})
    assert answer.status_code == 422 and "Merge the two instead" in answer.text


def test_a_deleted_tag_is_gone_from_contacts(ann: Browser, world: World, carla: Contact) -> None:
    with tenant_scope(world.bakery.id):
        Contact.get_or_404(carla.id).tag("VIP", by=Actor.agent(world.ann))
        vip = Tag.named("VIP")
        assert vip
    ann.post(f"~/contacts/tags/{vip.id}/removal")
    with tenant_scope(world.bakery.id):
        assert db.session.query(ContactTag).count() == 0


def test_an_agent_does_not_manage_tags_fields_or_files(ben: Browser, carla: Contact) -> None:
    for path in ("~/contacts/tags", "~/contacts/fields", "~/contacts/imports", f"~/contacts/{carla.id}/erasure"):
        assert ben.get(path).status_code == 403
    assert ben.post("~/contacts/export").status_code == 403


@pytest.mark.parametrize(
    ("kind", "typed", "saved"),
    [
        ("number", " 12.50 ", "12.50"),
        ("number", "12x", None),
        ("number", "NaN", None),
        ("number", "1e999", None),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", "2026-02-30", None),
        ("yes_no", "YES", "yes"),
        ("yes_no", "perhaps", None),
        ("choice", "rye", "Rye"),
        ("choice", "Cake", None),
        ("link", "https://example.com/a", "https://example.com/a"),
        ("link", "javascript:alert(1)", None),
        ("link", "https://", None),
        ("text", "anything <b>", "anything <b>"),
        ("text", "x" * 5_000, None),
    ],
)
def test_a_field_saves_only_what_it_is_for(
    ben: Browser, world: World, carla: Contact, kind: str, typed: str, saved: str | None
) -> None:
    with tenant_scope(world.bakery.id):
        field = ContactField(id=uuid.uuid4(), name="It", kind=kind, choices=["Rye", "White"])
        db.session.add(field)
    answer = ben.post(f"~/contacts/{carla.id}/fields", {f"field-{field.id}": typed}, headers=FRAGMENT)
    assert answer.status_code == (200 if saved else 422)
    with tenant_scope(world.bakery.id):
        values = db.session.scalars(select(ContactFieldValue.value)).all()
    assert values == ([saved] if saved else [])


def test_a_note_is_shown_and_deleted(ben: Browser, world: World, carla: Contact) -> None:
    ben.post(f"~/contacts/{carla.id}/notes", {"note": "Likes the <b>corner</b>\npiece"})
    page = ben.get(f"~/contacts/{carla.id}").text
    assert "&lt;b&gt;corner" in page and "Notes about the customer" in page
    with tenant_scope(world.bakery.id):
        note = db.session.scalars(select(ContactNote)).one()
    ben.post(f"~/contacts/{carla.id}/notes/{note.id}/removal")
    assert "corner" not in ben.get(f"~/contacts/{carla.id}").text


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://x.example", "//x.example", "https://", "data:text/html,x"]
)
def test_a_link_leads_to_the_web_only(ben: Browser, world: World, carla: Contact, url: str) -> None:
    form = {"title": "Order", "url": url, "kind": "order"}
    answer = ben.post(f"~/contacts/{carla.id}/links", form, headers=FRAGMENT)
    assert answer.status_code == 422 and "whole web address" in answer.text
    with tenant_scope(world.bakery.id):
        assert db.session.query(ContactLink).count() == 0


def test_consent_is_a_history_whose_last_word_holds(ben: Browser, world: World, carla: Contact) -> None:
    for answer in ("yes", "no"):
        form = {"purpose": "marketing", "answer": answer, "source": "phone", "evidence": f"said {answer}"}
        ben.post(f"~/contacts/{carla.id}/consents", form)
    page = ben.get(f"~/contacts/{carla.id}").text
    assert "said yes" in page and "said no" in page
    with tenant_scope(world.bakery.id):
        assert not Consent.latest(carla.id)["marketing"].is_granted


def test_consent_cannot_be_rewritten(world: World, carla: Contact) -> None:
    with tenant_scope(world.bakery.id):
        db.session.add(Consent(contact_id=carla.id, purpose="marketing", is_granted=False, source="phone"))
    with pytest.raises(Exception, match="permission denied"), tenant_scope(world.bakery.id):
        db.session.execute(update(Consent).values(is_granted=True))


def test_an_export_calculates_nothing_and_comes_back_in(ann: Browser, world: World) -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "＝1", "plain, with “commas”; and\nlines"]
    for number, name in enumerate(names):
        contact(world, name, wa_id=f"1650555{number:04}")
    answer = ann.confirmed().post("~/contacts/export")
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))
    cells = [cell for row in rows for cell in row]
    assert len(rows) == len(names) + 1
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@", "\t", "＝"))]


def test_exporting_everybody_asks_for_the_password_and_leaves_a_trace(
    ann: Browser, world: World, carla: Contact
) -> None:
    assert "/account/confirmation" in ann.post("~/contacts/export").location
    assert "No exports yet" in ann.get("~/contacts/export").text
    assert ann.confirmed().post("~/contacts/export").mimetype == "text/csv"
    page = ann.get("~/contacts/export").text
    assert "Ann" in page and "1 contact" in page


def test_the_trace_of_an_export_cannot_be_changed(world: World) -> None:
    with tenant_scope(world.bakery.id):
        ContactExport.record(by=world.ann)
    with pytest.raises(Exception, match="permission denied"), tenant_scope(world.bakery.id):
        db.session.execute(update(ContactExport).values(contact_count=0))


def test_everything_about_a_person_is_given_out_with_a_trace(ann: Browser, world: World) -> None:
    world.connect_numbers()
    arrive(message("my secret", name="Carla"))
    (existing,) = contacts(world)
    answer = ann.post(f"~/contacts/{existing.id}/person-file")
    file = answer.get_json()
    assert file["conversations"][0]["messages"][0]["body"] == "my secret"
    assert "All data exported as a file" in ann.get(f"~/contacts/{existing.id}/timeline").text


def test_a_long_conversation_is_given_out_whole_and_in_order(
    ann: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.people.person_file.AT_ONCE", 2)
    world.connect_numbers()
    arrive(*(message(f"{n}", name="Carla") for n in range(5)))
    (existing,) = contacts(world)
    file = ann.post(f"~/contacts/{existing.id}/person-file").get_json()
    (talk,) = file["conversations"]
    assert [one["body"] for one in talk["messages"]] == ["0", "1", "2", "3", "4"]


def test_a_person_who_never_wrote_has_a_file_too(ann: Browser, world: World) -> None:
    with tenant_scope(world.bakery.id):
        existing = Contact(name="Zoe")
        db.session.add(existing)
    file = ann.post(f"~/contacts/{existing.id}/person-file").get_json()
    assert file["contact"]["name"] == "Zoe" and file["conversations"] == []


def test_an_erased_person_is_nowhere_and_still_counted(ann: Browser, world: World, superuser_url: str) -> None:
    world.connect_numbers()
    arrive(message("CANARY words", name="CANARY name", wa_id="16505550042"))
    (existing,) = contacts(world)
    talk = conversation(world)
    ann.post(f"~/contacts/{existing.id}/name", {"name": "CANARY renamed"})
    ann.post(f"~/contacts/{existing.id}/notes", {"note": "CANARY note"})
    ann.post(f"~/inbox/{talk.id}/messages", {"body": "CANARY answer"})
    assert ann.post(f"~/contacts/{existing.id}/erasure", {"word": "ERASE"}).status_code == 303
    assert holders_of(superuser_url, "CANARY") == holders_of(superuser_url, "16505550042") == []
    assert len(messages(world)) == 2 and messages(world)[1].state == "cancelled"
    assert "Erased at the customer" in ann.get(f"~/inbox/{talk.id}").text
    assert "All data erased" in ann.get(f"~/contacts/{existing.id}/timeline").text


def test_with_a_person_their_rows_of_imports_are_erased(ann: Browser, world: World) -> None:
    world.connect_numbers()
    arrive(message("Olá", name="Rita", wa_id="5511987654321"))
    with tenant_scope(world.bakery.id):
        upload = ContactImport(filename="list.csv", created_by_id=world.ann.id)
        db.session.add(upload)
        db.session.flush()
        for number, wa_id in enumerate(("551187654321", "4915112345678"), 1):
            db.session.add(ImportRow(import_id=upload.id, number=number, wa_id=wa_id, name="Rita"))
    (existing,) = contacts(world)
    ann.post(f"~/contacts/{existing.id}/erasure", {"word": "ERASE"})
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(db.select(ImportRow.wa_id)).all() == ["4915112345678"]


def holders_of(superuser_url: str, word: str) -> list[str]:
    """The tables that hold a word, but for what WhatsApp posted, which ends by itself."""
    import psycopg

    with psycopg.connect(superuser_url) as connection:
        tables = connection.execute(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        ).fetchall()
        return [
            table
            for (table,) in tables
            if table != "webhook_events"
            and connection.execute(f'select 1 from "{table}" t where t::text like %s', (f"%{word}%",)).fetchone()
        ]


def test_no_one_is_erased_without_the_word(ann: Browser, world: World, carla: Contact) -> None:
    answer = ann.post(f"~/contacts/{carla.id}/erasure", {"word": "yes"})
    assert answer.status_code == 422 and "Nothing was erased" in answer.text
    assert [each.name for each in contacts(world)] == ["Carla Mendes"]


def test_an_erased_person_who_writes_again_is_a_new_contact(ann: Browser, world: World) -> None:
    world.connect_numbers()
    arrive(message("Hi", name="Carla"))
    (existing,) = contacts(world)
    ann.post(f"~/contacts/{existing.id}/erasure", {"word": "ERASE"})
    arrive(message("Me again", name="Carla"))
    assert [each.name for each in contacts(world)] == ["", "Carla"]
    with tenant_scope(world.bakery.id):
        assert db.session.query(Message).count() == 2


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("phone=%2B4915112345678", "Germany"),
        ("phone=015112345678&country=DE", "+49 1511 2345678"),
        ("phone=015112345678", "has no country code"),
        ("phone=015", ""),
        ("", ""),
    ],
)
def test_a_number_that_is_typed_is_read_at_once(ben: Browser, typed: str, words: str) -> None:
    page = ben.get(f"~/contacts/new/number?{typed}", headers=FRAGMENT).text
    assert words in page and (words or "icon" not in page)


def test_a_number_that_is_none_of_a_country_says_which_country(ben: Browser) -> None:
    page = ben.get("~/contacts/new/number?phone=1234567&country=NO", headers=FRAGMENT).text
    assert "Norway" in page
    form = {"name": "Greta", "phone": "1234567", "country": "NO"}
    assert "phone number in Norway" in ben.post("~/contacts/", form).text
