"""The table of contacts: found, filtered, sorted, counted, tagged in bulk."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
from sqlalchemy import update

from app.contacts import listing
from app.contacts.arrival import Sender, recognise
from app.contacts.consents import Consent
from app.contacts.fields import ContactField
from app.contacts.models import Contact
from app.contacts.tags import Tag
from app.tenancy import db, now, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.contacts.people import contact
from tests.world import World


@pytest.fixture
def three(world: World) -> dict[str, Contact]:
    """Anna was seen last, Émile before her, Zoë never; Zoë was added last."""
    people = {name: contact(world, name, wa_id=f"1650555000{n}") for n, name in enumerate(("Émile", "anna", "Zoë"))}
    with tenant_scope(world.bakery.id):
        for days, name in ((2, "Émile"), (1, "anna")):
            seen = now() - dt.timedelta(days=days)
            db.session.execute(update(Contact).where(Contact.id == people[name].id).values(last_seen_at=seen))
    return people


def names_on(page: str) -> list[str]:
    return re.findall(r'<span class="truncate"><bdi>([^<]+)', page)


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("", ["anna", "Émile", "Zoë"]),
        ("last_seen", ["anna", "Émile", "Zoë"]),
        ("name", ["anna", "Émile", "Zoë"]),
        ("nonsense", ["anna", "Émile", "Zoë"]),
    ],
)
def test_contacts_are_sorted(ben: Browser, three: dict[str, Contact], sort: str, names: list[str]) -> None:
    assert names_on(ben.get(f"~/contacts/?sort={sort}").text) == names


@pytest.mark.parametrize("sort", ["name", "last_seen", "created"])
def test_pages_neither_repeat_nor_skip(ben: Browser, world: World, sort: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    for number in range(10):
        contact(world, f"Anna {number % 4}", wa_id=f"1650555{number:04}")
    seen: list[str] = []
    path = f"~/contacts/?sort={sort}"
    while path:
        page = ben.get(path, headers=FRAGMENT).text
        seen += re.findall(r'name="id"\s+value="([^"]+)"', page)
        more = re.search(r'class="more"\s+href="([^"]+)"', page)
        path = more[1].replace("&amp;", "&") if more else ""
    assert len(seen) == len(set(seen)) == 10


@pytest.mark.parametrize(
    "after", ["x", "|", "2026-01-01|x", f"x|{uuid.UUID(int=1)}", "9" * 300, f"2026-01-01|{uuid.UUID(int=1)}"]
)
@pytest.mark.parametrize("sort", ["name", "last_seen", "created"])
def test_a_place_that_is_none_is_the_first_page_or_an_empty_one(
    ben: Browser, three: dict[str, Contact], sort: str, after: str
) -> None:
    assert ben.get("~/contacts/", query_string={"sort": sort, "after": after}).status_code == 200


def test_contacts_are_counted_up_to_a_bound(
    ben: Browser, three: dict[str, Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "3 contacts" in ben.get("~/contacts/").text
    assert "1 contact" in ben.get("~/contacts/?q=zoe").text
    monkeypatch.setattr(listing, "MOST_COUNTED", 2)
    assert "More than 2 contacts" in ben.get("~/contacts/").text


def test_contacts_are_filtered_by_tag_field_and_consent(ben: Browser, world: World, three: dict[str, Contact]) -> None:
    with tenant_scope(world.bakery.id):
        tag = Tag.get_or_make("VIP")
        tag.put_on(three["Zoë"].id)
        field = ContactField(id=uuid.uuid4(), name="City", kind="text", choices=[])
        db.session.add(field)
        db.session.flush()
        field.put_on(three["anna"].id, "Köln am Rhein")
        for is_granted in (True, False):
            db.session.add(
                Consent(contact_id=three["Émile"].id, purpose="marketing", is_granted=is_granted, source="phone")
            )
            db.session.flush()
    assert names_on(ben.get(f"~/contacts/?tag={tag.id}").text) == ["Zoë"]
    assert names_on(ben.get(f"~/contacts/?field={field.id}").text) == ["anna"]
    assert names_on(ben.get(f"~/contacts/?field={field.id}&value=koln").text) == ["anna"]
    assert names_on(ben.get(f"~/contacts/?field={field.id}&value=bonn").text) == []
    assert names_on(ben.get("~/contacts/?consent=no").text) == ["Émile"]
    assert names_on(ben.get("~/contacts/?consent=yes").text) == []
    assert names_on(ben.get("~/contacts/?consent=none").text) == ["anna", "Zoë"]
    assert names_on(ben.get(f"~/contacts/?q=zoe&tag={tag.id}").text) == ["Zoë"]
    assert names_on(ben.get("~/contacts/?q=zoe&consent=no").text) == []


def test_each_member_chooses_columns(ben: Browser, ann: Browser, world: World, three: dict[str, Contact]) -> None:
    with tenant_scope(world.bakery.id):
        field = ContactField(id=uuid.uuid4(), name="City", kind="text", choices=[])
        db.session.add(field)
        db.session.flush()
        field.put_on(three["anna"].id, "Köln")
    ben.post("~/contacts/columns", {"column": ["created", f"field:{field.id}", "password"]})
    page = ben.get("~/contacts/").text
    assert "Köln" in page and 'class="contact-phone"' not in page
    assert "Köln" not in ann.get("~/contacts/").text


def test_many_contacts_are_tagged_and_untagged_and_it_is_undone(
    ben: Browser, world: World, three: dict[str, Contact]
) -> None:
    with tenant_scope(world.bakery.id):
        Tag.get_or_make("VIP").put_on(three["Zoë"].id)
    chosen = [str(three[name].id) for name in ("anna", "Zoë")]
    where = ben.post("~/contacts/taggings", {"id": [*chosen, "x", str(uuid.uuid4())], "tag": "vip", "action": "add"})
    page = ben.get(where.location).text
    assert "Added “VIP” to 1 contact" in page
    undo = re.search(r'action="(/[^"]+/undo)"', page)
    assert undo
    for _twice in range(2):
        ben.post(undo[1])
    with tenant_scope(world.bakery.id):
        assert [(tag.name, count) for tag, count in db.session.execute(Tag.counted())] == [("VIP", 1)]
    where = ben.post("~/contacts/taggings", {"id": chosen, "tag": "VIP", "action": "remove"})
    assert "Removed “VIP” from 1 contact" in ben.get(where.location).text


def test_everybody_who_matches_is_tagged_at_once(ben: Browser, world: World, three: dict[str, Contact]) -> None:
    ben.post("~/contacts/taggings", {"all": "1", "tag": "Winter", "action": "add", "consent": "none"})
    with tenant_scope(world.bakery.id):
        assert [(tag.name, count) for tag, count in db.session.execute(Tag.counted())] == [("Winter", 3)]


@pytest.mark.parametrize(
    "form", [{}, {"tag": "VIP"}, {"id": str(uuid.uuid4())}, {"id": "x", "tag": "x", "action": "remove"}]
)
def test_a_bulk_change_of_nothing_says_what_is_missing(ben: Browser, world: World, form: dict[str, str]) -> None:
    where = ben.post("~/contacts/taggings", form)
    assert where.status_code == 303 and ben.get(where.location).status_code == 200


def test_when_a_contact_wrote_last_is_remembered(world: World) -> None:
    carla = contact(world, "Carla", wa_id="16505551234")
    early, late = (dt.datetime(2026, 11, day, tzinfo=dt.UTC) for day in (1, 2))
    with tenant_scope(world.bakery.id):
        assert Contact.get_or_404(carla.id).seen_at is None
        for seen_at in (late, early, None):
            recognise([Sender("16505551234", None, None, None, "Carla", seen_at=seen_at)])
    with tenant_scope(world.bakery.id):
        assert Contact.get_or_404(carla.id).seen_at == late
