"""Contacts by program."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import select

from app.contacts.fields import ContactField
from app.contacts.models import Contact, ContactIdentity
from app.contacts.tags import Tag
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.number_desks import NumberDesk
from app.people.timeline import timeline
from app.team.models import Team
from app.tenancy import Actor, db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import UNKNOWN_ID, Caller, MakeCaller, statements_of
from tests.world import World, conversation

API = Actor("api", uuid.uuid4(), "Shop")
HANNA = {"phone": "+49 151 1234-5678", "name": "Hanna Vogel"}


def made(answer: Any) -> dict[str, Any]:
    assert answer.status_code < 300, answer.data
    body: dict[str, Any] = answer.json
    return body


def code(answer: Any) -> str:
    return str(answer.get_json(force=True)["code"])


def faults(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.data
    return [one.get("pointer", one.get("parameter")) for one in answer.get_json(force=True)["errors"]]


@pytest.fixture
def size(world: World) -> ContactField:
    with tenant_scope(world.bakery.id):
        field = ContactField(name="Shoe size", kind="number", choices=[])
        db.session.add(field)
    return field


@pytest.fixture
def bread(world: World, carla: Conversation) -> Team:
    """The team of the number that Carla wrote to."""
    with tenant_scope(world.bakery.id):
        team = Team(name="Bread")
        db.session.add(team)
        db.session.flush()
        NumberDesk.change(carla.phone_number_id, team=team, read_receipts="always")
    return team


@pytest.fixture
def other_number(world: World, number: PhoneNumber) -> PhoneNumber:
    """A second number of Bakery's, of no team."""
    with tenant_scope(world.bakery.id):
        second = PhoneNumber(waba_id=number.waba_id, meta_id="777", display_number="+1 555 1", state="connected")
        db.session.add(second)
    return second


def test_a_contact_is_created_and_read_back(shop: Caller, size: ContactField) -> None:
    contact = made(shop.post("/contacts", HANNA | {"tags": ["VIP"], "fields": {"shoe SIZE": 38}}))
    assert (contact["name"], contact["phone"]) == ("Hanna Vogel", "+4915112345678")
    assert [tag["name"] for tag in contact["tags"]] == ["VIP"]
    assert contact["fields"] == {"Shoe size": "38"}
    assert shop.get(f"/contacts/{contact['id']}").json == contact


@pytest.mark.parametrize("more", ["", ',"z":2'])
def test_a_body_of_thousands_of_names_is_refused_at_once(shop: Caller, more: str) -> None:
    body = "{" + "".join(f'"a{n}":1,' for n in range(40_000)) + f'"z":1{more}}}'
    started = time.process_time()
    answer = shop.post("/contacts", body.encode())
    assert (answer.status_code, code(answer)) == (400, "invalid_json")
    assert time.process_time() - started < 1


def test_a_number_that_a_contact_has_is_not_given_twice(shop: Caller) -> None:
    contact = made(shop.post("/contacts", HANNA))
    again = shop.post("/contacts", {"phone": "0049 (151) 12345678"})
    assert (again.status_code, code(again)) == (409, "contact_exists")
    assert again.get_json(force=True)["contact_id"] == contact["id"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"phone": "0151"}, "/phone"),
        ({"phone": None}, "/phone"),
        ({"name": "\u200b"}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"fields": {"Nope": "x"}}, "/fields/Nope"),
        ({"fields": {"a/b~": "x"}}, "/fields/a~1b~0"),
        ({"fields": {"Shoe size": "big"}}, "/fields/Shoe size"),
        ({"fields": {"Shoe size": 1e14 * 10}}, "/fields/Shoe size"),
        ({"tags": [""]}, "/tags/0"),
        ({"bsuid": "US.1"}, "/bsuid"),
    ],
)
def test_each_part_that_is_wrong_is_pointed_at(
    shop: Caller, size: ContactField, change: dict[str, Any], pointer: str
) -> None:
    assert faults(shop.post("/contacts", HANNA | change)) == [pointer]
    assert shop.get("/contacts").json == {"data": [], "next": None}


def test_an_upsert_makes_a_contact_once(shop: Caller) -> None:
    first = made(shop.put("/contacts/by/phone/%2B49%20151%2012345678", {"name": "Hanna"}))
    again = made(shop.put("/contacts/by/wa_id/4915112345678", {"name": "Hanna Vogel", "tags": ["VIP"]}))
    assert first["id"] == again["id"] and again["name"] == "Hanna Vogel"
    assert len(shop.get("/contacts").json["data"]) == 1  # type: ignore[index]


def test_another_spelling_is_the_same_person(shop: Caller) -> None:
    first = made(shop.put("/contacts/by/wa_id/5511987654321", {}))
    assert made(shop.put("/contacts/by/wa_id/551187654321", {}))["id"] == first["id"]


def test_who_hides_the_number_is_known_by_the_id_of_whatsapp(shop: Caller) -> None:
    contact = made(shop.put("/contacts/by/bsuid/US.13491208655302741918", {"name": "Ana"}))
    assert (contact["phone"], contact["bsuid"]) == (None, "US.13491208655302741918")
    assert made(shop.get("/contacts/by/bsuid/US.13491208655302741918")) == contact


def test_no_contact_is_made_of_a_username(shop: Caller, carla: Conversation, world: World) -> None:
    assert code(shop.put("/contacts/by/username/carla.m", {})) == "no_such_username"
    with tenant_scope(world.bakery.id):
        db.session.add(ContactIdentity(contact_id=carla.contact_id, kind="username", value="carla.m"))
    assert made(shop.put("/contacts/by/username/@carla.m", {"name": "Carla M"}))["id"] == str(carla.contact_id)


@pytest.mark.parametrize("path", ["phone/0151", "wa_id/x", "wa_id/1", "bsuid/777", "bsuid/us.1", "username/@"])
def test_what_is_no_identity_is_refused(shop: Caller, path: str) -> None:
    assert faults(shop.put(f"/contacts/by/{path}", {})) == ["value"]
    assert shop.get(f"/contacts/by/{path}").status_code == 422


def test_a_kind_that_there_is_not_is_not_found(shop: Caller) -> None:
    assert shop.put("/contacts/by/email/x", {}).status_code == 404


def test_only_what_is_given_changes(shop: Caller, size: ContactField, carla: Conversation) -> None:
    path = f"/contacts/{carla.contact_id}"
    made(shop.patch(path, {"fields": {str(size.id): "38.5"}}))
    renamed = made(shop.patch(path, {"name": "Carla Mendes"}))
    assert (renamed["name"], renamed["fields"]) == ("Carla Mendes", {"Shoe size": "38.5"})
    assert made(shop.patch(path, {"fields": {"Shoe size": None}}))["fields"] == {}


def test_two_who_change_it_at_once_notice(shop: Caller, carla: Conversation) -> None:
    path = f"/contacts/{carla.contact_id}"
    tag = shop.get(path).headers["ETag"]
    assert shop.patch(path, {"name": "One"}, If_Match=tag).status_code == 200
    assert code(shop.patch(path, {"name": "Two"}, If_Match=tag)) == "changed_meanwhile"
    assert code(shop.put("/contacts/by/wa_id/16505551234", {"name": "Two"}, If_Match=tag)) == "changed_meanwhile"
    assert code(shop.put("/contacts/by/wa_id/4915112345678", {}, If_Match=tag)) == "changed_meanwhile"


def test_the_activity_says_which_key_did_it(shop: Caller, world: World) -> None:
    contact = made(shop.post("/contacts", HANNA | {"tags": ["VIP"]}))
    made(shop.patch(f"/contacts/{contact['id']}", {"name": "Hanna"}))
    with tenant_scope(world.bakery.id):
        done = {moment.words: moment.by for moment in timeline(Contact.get_or_404(contact["id"]))}
    by = {words: actor.label for words, actor in done.items() if actor}
    assert set(by.values()) == {"API key “Shop”"}
    assert {"Added manually", "Tagged “VIP”"} < by.keys() and len(by) == 3


def listed(shop: Caller, query: str = "") -> list[str]:
    return [one["name"] for one in made(shop.get(f"/contacts?{query}"))["data"]]


@pytest.fixture
def three(number: PhoneNumber, world: World) -> list[Conversation]:
    names = ("Zoë", "Anna", "Ben")
    talks = [conversation(number, wa_id=f"1650555000{place}", name=name) for place, name in enumerate(names)]
    with tenant_scope(world.bakery.id):
        for place, talk in enumerate(talks):
            contact = Contact.get_or_404(talk.contact_id)
            contact.rename(contact.name, by=API)
            contact.last_seen_at = now() - dt.timedelta(days=place)
        Tag.get_or_make("VIP").put_on(talks[0].contact_id)
    return talks


def test_they_are_listed_in_each_order(shop: Caller, three: list[Conversation]) -> None:
    assert listed(shop) == ["Ben", "Anna", "Zoë"]
    assert listed(shop, "sort=name") == ["Anna", "Ben", "Zoë"]
    assert listed(shop, "sort=-last_seen_at") == ["Zoë", "Anna", "Ben"]


@pytest.mark.parametrize("query", ["", "sort=name&", "sort=-last_seen_at&", "filter[search]=%2B1650555&"])
def test_pages_follow_each_other(shop: Caller, three: list[Conversation], query: str) -> None:
    everybody, names, cursor = listed(shop, query), [], ""
    for _ in three:
        page = made(shop.get(f"/contacts?{query}limit=1{cursor}"))
        names += [one["name"] for one in page["data"]]
        cursor = f"&after={page['next']}"
    assert names == everybody and len(set(names)) == 3 and page["next"] is None


def test_they_are_filtered(shop: Caller, three: list[Conversation], world: World) -> None:
    with tenant_scope(world.bakery.id):
        vip = Tag.get_or_make("VIP").id
    since = (now() - dt.timedelta(hours=30)).isoformat().replace("+", "%2B")
    assert listed(shop, f"filter[tag_id]={vip}") == ["Zoë"]
    assert listed(shop, "filter[phone]=%2B1 650 555-0001") == ["Anna"]
    assert listed(shop, "filter[search]=zo") == ["Zoë"]
    assert listed(shop, f"filter[search]=ann&filter[tag_id]={vip}") == []
    assert listed(shop, f"seen_after={since}") == ["Anna", "Zoë"]
    assert listed(shop, f"created_after={since}") == ["Ben", "Anna", "Zoë"]
    assert listed(shop, "created_after=2099-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("filter[phone]=0151", "filter[phone]"),
        ("sort=size", "sort"),
        ("filter[search]=x&sort=name", "sort"),
        ("filter[search]=", "filter[search]"),
        ("filter[tag_id]=x", "filter[tag_id]"),
        ("sort=name&after=bnVsbA", "after"),
        ("limit=101", "limit"),
    ],
)
def test_parameters_that_make_no_sense_are_named(shop: Caller, query: str, parameter: str) -> None:
    assert faults(shop.get(f"/contacts?{query}")) == [parameter]


def test_a_cursor_of_another_order_is_refused(shop: Caller, three: list[Conversation]) -> None:
    cursor = made(shop.get("/contacts?limit=1"))["next"]
    assert faults(shop.get(f"/contacts?sort=name&after={cursor}")) == ["after"]


def test_a_page_takes_as_many_queries_as_one_contact(
    app: Flask, shop: Caller, three: list[Conversation], world: World, size: ContactField
) -> None:
    with tenant_scope(world.bakery.id):
        for talk in three:
            Tag.get_or_make(f"Of {talk.id}").put_on(talk.contact_id)
            size.put_on(talk.contact_id, "38")
    shop.get("/contacts")
    one, all_of_them = (statements_of(app, partial(shop.get, f"/contacts?limit={most}")) for most in (1, 3))
    assert one == all_of_them > 3


def test_tags_are_added_and_removed(shop: Caller, carla: Conversation, world: World) -> None:
    path = f"/contacts/{carla.contact_id}/tags"
    (vip,) = made(shop.post(path, {"name": "VIP"}))["tags"]
    assert made(shop.delete(f"{path}/{vip['id']}"))["tags"] == []
    assert made(shop.post(path, {"id": vip["id"]}))["tags"] == [vip]
    assert made(shop.delete(f"{path}?name=vip"))["tags"] == []
    assert faults(shop.post(path, {"id": str(uuid.uuid4())})) == ["/id"]
    assert faults(shop.post(path, {})) == [""]
    assert faults(shop.delete(path)) == ["name"]


def test_notes_are_added_listed_and_deleted(shop: Caller, carla: Conversation) -> None:
    path = f"/contacts/{carla.contact_id}/notes"
    note = made(shop.post(path, {"body": "Likes rye."}))
    assert note["by"] == {"kind": "api", "id": str(shop.key.id), "name": "Shop"}
    assert made(shop.get(path))["data"] == [note]
    assert shop.delete(f"{path}/{note['id']}").status_code == 204
    assert shop.delete(f"{path}/{note['id']}").status_code == 404
    assert faults(shop.post(path, {"body": ""})) == ["/body"]


def test_consent_is_a_history_whose_last_word_holds(shop: Caller, carla: Conversation) -> None:
    path = f"/contacts/{carla.contact_id}"
    no = {"purpose": "marketing", "is_granted": False, "source": "phone", "evidence": "Called on Monday."}
    before = {"is_granted": True, "occurred_at": "2026-01-01T00:00:00Z"}
    incoming = made(shop.post(f"{path}/consents", no))
    made(shop.post(f"{path}/consents", no | before))
    assert shop.get(f"{path}/consent").json == {"marketing": incoming, "utility": None}
    assert [one["is_granted"] for one in made(shop.get(f"{path}/consents"))["data"]] == [False, True]
    assert incoming["by"]["name"] == "Shop"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"purpose": "everything"}, "/purpose"),
        ({"source": "import"}, "/source"),
        ({"evidence": ""}, "/evidence"),
        ({"is_granted": "yes"}, "/is_granted"),
        ({"occurred_at": "2099-01-01T00:00:00Z"}, "/occurred_at"),
    ],
)
def test_a_consent_without_evidence_is_none(
    shop: Caller, carla: Conversation, change: dict[str, Any], pointer: str
) -> None:
    yes = {"purpose": "marketing", "is_granted": True, "source": "form", "evidence": "Form 7"}
    assert faults(shop.post(f"/contacts/{carla.contact_id}/consents", yes | change)) == [pointer]


def test_two_contacts_become_one_and_two_again(shop: Caller, carla: Conversation) -> None:
    path, hanna = f"/contacts/{carla.contact_id}", made(shop.post("/contacts", HANNA))
    merge = made(shop.post(f"/contacts/{hanna['id']}/merges", {"other_id": str(carla.contact_id)}))
    assert merge["contact_id"] == str(carla.contact_id) and merge["by"]["kind"] == "api"
    assert made(shop.get(f"/contacts/{hanna['id']}"))["phones"] == ["+4915112345678", "+16505551234"]
    undone = made(shop.post(f"{path}/merges/{merge['id']}/undo"))
    assert undone["undone_by"]["kind"] == "api" and undone["undone_at"]
    assert made(shop.get(f"{path}/merges"))["data"] == [undone]
    assert made(shop.get(f"/contacts/{hanna['id']}"))["id"] == hanna["id"]


def test_a_merge_of_nothing_is_refused(shop: Caller, carla: Conversation) -> None:
    path = f"/contacts/{carla.contact_id}/merges"
    assert code(shop.post(path, {"other_id": str(carla.contact_id)})) == "not_mergeable"
    assert faults(shop.post(path, {"other_id": str(uuid.uuid4())})) == ["/other_id"]
    assert shop.post(f"{path}/{uuid.uuid4()}/undo").status_code == 404


def test_merges_are_undone_from_the_last(shop: Caller, carla: Conversation) -> None:
    path = f"/contacts/{carla.contact_id}/merges"
    others = [made(shop.post("/contacts", {"phone": f"+49 151 1234567{place}"})) for place in (1, 2)]
    first, second = (made(shop.post(path, {"other_id": other["id"]})) for other in others)
    answer = shop.post(f"{path}/{first['id']}/undo")
    assert (code(answer), answer.get_json(force=True)["merge_id"]) == ("later_merge", second["id"])


def test_a_person_is_erased_for_good(shop: Caller, carla: Conversation) -> None:
    path = f"/contacts/{carla.contact_id}"
    assert [shop.post(f"{path}/erasure").status_code for _ in range(2)] == [204, 204]
    contact = made(shop.get(path))
    assert (contact["is_erased"], contact["name"], contact["phone"]) == (True, "", None)
    note, name = shop.post(f"{path}/notes", {"body": "x"}), shop.patch(path, {"name": "Carla"})
    assert {code(note), code(name)} == {"contact_erased"}
    content = {"name": "hello", "language": {"code": "en"}}
    template = {"type": "raw", "raw": {"type": "template", "content": content, "text": "Hello"}}
    for to in ({"contact_id": str(carla.contact_id)}, {"conversation_id": str(carla.id)}):
        for message in ({"type": "text", "text": {"body": "x"}}, template):
            assert code(shop.post("/messages", message | {"to": to})) == "contact_erased"
    assert made(shop.get("/contacts"))["data"] == []


def test_the_person_file_has_everything(shop: Caller, carla: Conversation, world: World) -> None:
    with tenant_scope(world.bakery.id):
        incoming = Message(conversation_id=carla.id, phone_number_id=carla.phone_number_id, direction="inbound")
        incoming.state, incoming.body = "received", "Rye, please"
        db.session.add(incoming)
    answer = shop.get(f"/contacts/{carla.contact_id}/person-file")
    assert answer.status_code == 200 and answer.json
    assert answer.json["conversations"][0]["messages"][0]["body"] == "Rye, please"
    with tenant_scope(world.bakery.id):
        assert "All data exported as a file" in [one.words for one in timeline(Contact.get_or_404(carla.contact_id))]


CALLS: list[tuple[str, str, Any, str]] = [
    ("GET", "", None, "contacts:read"),
    ("PATCH", "", {"name": "x"}, "contacts:write"),
    ("POST", "/tags", {"name": "x"}, "contacts:write"),
    ("DELETE", "/tags?name=x", None, "contacts:write"),
    ("GET", "/notes", None, "contacts:read"),
    ("POST", "/notes", {"body": "x"}, "contacts:write"),
    ("GET", "/consent", None, "contacts:read"),
    ("GET", "/consents", None, "contacts:read"),
    (
        "POST",
        "/consents",
        {"purpose": "marketing", "is_granted": True, "source": "form", "evidence": "x"},
        "consents:write",
    ),
    ("GET", "/merges", None, "contacts:read"),
    ("POST", "/merges", {"other_id": str(uuid.uuid4())}, "contacts:write"),
    ("POST", f"/merges/{UNKNOWN_ID}/undo", None, "contacts:write"),
    ("POST", "/erasure", None, "contacts:erase"),
    ("GET", "/person-file", None, "contacts:export"),
    ("GET", "/costs", None, "usage:read"),
]


@pytest.mark.parametrize(("method", "path", "body", "scope"), CALLS)
def test_the_neighbour_finds_nothing_and_a_scope_is_needed(
    caller: MakeCaller, world: World, carla: Conversation, method: str, path: str, body: Any, scope: str
) -> None:
    whole = f"/contacts/{carla.contact_id}{path}"
    assert caller(world.shoes).call(method, whole, body).status_code == 404
    others = [name for name in caller().key.scopes if name != scope]
    assert code(caller(scopes=others).call(method, whole, body)) == "missing_scope"


def test_lists_and_upserts_of_the_neighbour_are_their_own(
    caller: MakeCaller, world: World, carla: Conversation, shop: Caller
) -> None:
    theirs = caller(world.shoes)
    assert made(theirs.get("/contacts"))["data"] == []
    assert theirs.get("/contacts/by/wa_id/16505551234").status_code == 404
    assert made(theirs.put("/contacts/by/wa_id/16505551234", {"name": "X"}))["id"] != str(carla.contact_id)
    assert made(shop.get(f"/contacts/{carla.contact_id}"))["name"] == "Carla"
    other = made(theirs.get("/contacts"))["data"][0]["id"]
    assert faults(shop.post(f"/contacts/{carla.contact_id}/merges", {"other_id": other})) == ["/other_id"]


def test_a_note_of_another_contact_is_not_deleted(shop: Caller, carla: Conversation) -> None:
    hanna = made(shop.post("/contacts", HANNA))
    note = made(shop.post(f"/contacts/{hanna['id']}/notes", {"body": "x"}))
    assert shop.delete(f"/contacts/{carla.contact_id}/notes/{note['id']}").status_code == 404


def test_a_teams_key_reaches_who_wrote_to_its_numbers(
    caller: MakeCaller, carla: Conversation, bread: Team, other_number: PhoneNumber
) -> None:
    ours = caller(kind="team", team_id=bread.id)
    dora = conversation(other_number, wa_id="16505559999", name="Dora")
    assert listed(ours) == ["Carla"] and listed(ours, "filter[search]=dora") == []
    assert listed(ours, "filter[phone]=%2B16505559999") == []
    assert ours.get(f"/contacts/{dora.contact_id}").status_code == 404
    assert ours.get("/contacts/by/wa_id/16505559999").status_code == 404
    assert made(ours.patch(f"/contacts/{carla.contact_id}", {"name": "Carla M"}))["name"] == "Carla M"


def test_a_teams_key_learns_and_changes_nothing_of_others(
    caller: MakeCaller, world: World, carla: Conversation, bread: Team, other_number: PhoneNumber
) -> None:
    ours, dora = caller(kind="team", team_id=bread.id), conversation(other_number, "16505559999", "Dora")
    put = ours.put("/contacts/by/phone/+16505559999", {"name": "Mine", "tags": ["x"]})
    post = ours.post("/contacts", {"phone": "+1 650 555 9999", "name": "Mine"})
    for answer in (put, post):
        assert (answer.status_code, code(answer)) == (403, "out_of_reach")
        assert "Dora" not in answer.text and str(dora.contact_id) not in answer.text
    with tenant_scope(world.bakery.id):
        assert Contact.get_or_404(dora.contact_id).name == "Dora" and Tag.named("x") is None


def test_a_teams_key_reaches_who_it_made_until_they_write_elsewhere(
    caller: MakeCaller, world: World, bread: Team, other_number: PhoneNumber
) -> None:
    ours, another = (caller(kind="team", team_id=bread.id) for _ in range(2))
    for name in ("Hanna", "Hanna V"):
        hanna = made(ours.put("/contacts/by/phone/+4915112345678", {"name": name}))
    assert made(ours.get(f"/contacts/{hanna['id']}"))["name"] == "Hanna V"
    assert another.get(f"/contacts/{hanna['id']}").status_code == 404
    with tenant_scope(world.bakery.id):
        db.session.add(Conversation(phone_number_id=other_number.id, contact_id=uuid.UUID(hanna["id"])))
    assert ours.get(f"/contacts/{hanna['id']}").status_code == 404


def test_a_teams_key_does_nothing_to_messages_of_others(
    caller: MakeCaller, world: World, carla: Conversation, bread: Team, other_number: PhoneNumber
) -> None:
    with tenant_scope(world.bakery.id):
        db.session.add(Conversation(phone_number_id=other_number.id, contact_id=carla.contact_id))
    ours, path = caller(kind="team", team_id=bread.id), f"/contacts/{carla.contact_id}"
    calls = [ours.post(f"{path}/erasure"), ours.get(f"{path}/person-file"), ours.get(f"{path}/costs")]
    calls += [ours.post(f"{path}/merges", {"other_id": str(carla.contact_id)})]
    assert {code(answer) for answer in calls} == {"out_of_reach"}
    with tenant_scope(world.bakery.id):
        assert not db.session.scalars(select(Contact.erased_at).where(Contact.id == carla.contact_id)).one()


def test_the_customers_own_id_is_an_identity(shop: Caller) -> None:
    first = made(shop.put("/contacts/by/external_id/crm-1042", {"name": "Hanna", "phone": "+49 151 12345678"}))
    assert (first["external_id"], first["phone"]) == ("crm-1042", "+4915112345678")
    again = made(shop.put("/contacts/by/external_id/crm-1042", {"name": "Hanna Vogel"}))
    assert (again["id"], again["phone"], again["name"]) == (first["id"], "+4915112345678", "Hanna Vogel")
    assert made(shop.get("/contacts/by/external_id/crm-1042"))["id"] == first["id"]


def test_who_has_the_number_gets_the_id(shop: Caller, carla: Conversation) -> None:
    body = {"phone": "+1 650 555 1234"}
    assert made(shop.put("/contacts/by/external_id/crm-7", body))["id"] == str(carla.contact_id)
    assert made(shop.put("/contacts/by/wa_id/16505551234", {"external_id": "shop-7"}))["external_id"] == "shop-7"
    assert made(shop.get("/contacts/by/external_id/crm-7"))["id"] == str(carla.contact_id)


def test_an_id_without_a_number_makes_a_contact_that_may_get_one_later(shop: Caller) -> None:
    first = made(shop.put("/contacts/by/external_id/crm-8", {"name": "Hanna"}))
    assert first["phone"] is None
    later = made(shop.put("/contacts/by/external_id/crm-8", {"phone": "+4915112345678"}))
    assert (later["id"], later["phone"]) == (first["id"], "+4915112345678")


def test_two_contacts_are_not_made_one_by_an_id(shop: Caller, carla: Conversation) -> None:
    other = made(shop.put("/contacts/by/external_id/crm-9", {"name": "Hanna", "phone": "+4915112345678"}))
    answer = shop.put("/contacts/by/wa_id/16505551234", {"external_id": "crm-9"})
    assert code(answer) == "contact_exists" and answer.json and answer.json["contact_id"] == other["id"]
    assert faults(shop.put("/contacts/by/external_id/crm-9", {"phone": "+16505551234"})) == ["/phone"]
    new = {"phone": "+4915112345679", "external_id": "crm-9"}
    assert code(shop.post("/contacts", new)) == "contact_exists"
    assert shop.get("/contacts/by/phone/+4915112345679").status_code == 404


@pytest.mark.parametrize("id", ["crm/7 ü", "a" * 200, "+49", "%"])
def test_any_text_is_a_customers_own_id(shop: Caller, id: str) -> None:
    answer = made(shop.put(f"/contacts/by/external_id/{quote(id, safe='')}", {"name": "Hanna"}))
    assert answer["external_id"] == id
    assert made(shop.get(f"/contacts/by/external_id/{quote(id, safe='')}"))["id"] == answer["id"]


def test_ids_of_the_neighbour_are_their_own(shop: Caller, caller: MakeCaller, world: World) -> None:
    ours = made(shop.put("/contacts/by/external_id/crm-1", {"name": "Hanna"}))
    theirs = caller(world.shoes)
    assert theirs.get("/contacts/by/external_id/crm-1").status_code == 404
    assert made(theirs.put("/contacts/by/external_id/crm-1", {"name": "X"}))["id"] != ours["id"]


@pytest.mark.parametrize("id", ["crm  7", "\u200bcrm 7 ", "crm\n7", "می\u200cخواهم"])
def test_an_id_in_the_address_is_read_as_one_in_the_body(shop: Caller, id: str) -> None:
    contact = made(shop.post("/contacts", HANNA | {"external_id": id}))
    assert made(shop.put(f"/contacts/by/external_id/{quote(id, safe='')}", {"name": "Hanna"}))["id"] == contact["id"]


def test_the_id_that_was_given_last_counts(shop: Caller, carla: Conversation) -> None:
    given = [shop.put("/contacts/by/wa_id/16505551234", {"external_id": id}) for id in ("a", "b", "a")]
    assert [made(one)["external_id"] for one in given] == ["a", "b", "a"]


def test_a_contact_has_so_many_ids_and_still_its_phone(shop: Caller, carla: Conversation) -> None:
    for n in range(50):
        made(shop.put("/contacts/by/wa_id/16505551234", {"external_id": f"crm-{n}"}))
    assert made(shop.get(f"/contacts/{carla.contact_id}"))["phone"] == "+16505551234"
    assert shop.put("/contacts/by/wa_id/16505551234", {"external_id": "crm-50"}).status_code == 422
