"""The tags and the fields of a business by program."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest

from app.config import Settings
from app.contacts.fields import ContactField
from app.contacts.tags import Tag
from app.inbox.conversations import Conversation
from app.tenancy import db, tenant_scope
from tests.api.conftest import Caller, MakeCaller
from tests.api.test_contacts import code, faults, made
from tests.world import World


def test_a_tag_is_made_changed_and_deleted(shop: Caller, carla: Conversation) -> None:
    tag = made(shop.post("/tags", {"name": "VIP", "color": "pink"}))
    assert made(shop.get("/tags")) == {"data": [tag], "next": None}
    made(shop.post(f"/contacts/{carla.contact_id}/tags", {"id": tag["id"]}))
    renamed = made(shop.patch(f"/tags/{tag['id']}", {"name": "Regular"}))
    assert (renamed["name"], renamed["color"]) == ("Regular", "pink")
    assert shop.delete(f"/tags/{tag['id']}").status_code == 204
    assert made(shop.get(f"/contacts/{carla.contact_id}"))["tags"] == []


def test_two_tags_have_two_names(shop: Caller) -> None:
    made(shop.post("/tags", {"name": "VIP"}))
    other = made(shop.post("/tags", {"name": "Regular"}))
    assert code(shop.post("/tags", {"name": "vip"})) == "tag_exists"
    assert code(shop.patch(f"/tags/{other['id']}", {"name": "vip"})) == "tag_exists"


def test_a_tag_is_found_by_name_and_in_pages(shop: Caller) -> None:
    names = [made(shop.post("/tags", {"name": f"No. {place}"}))["name"] for place in range(3)]
    first = made(shop.get("/tags?limit=2"))
    second = made(shop.get(f"/tags?limit=2&after={first['next']}"))
    assert [tag["name"] for tag in (*first["data"], *second["data"])] == names
    assert [tag["name"] for tag in made(shop.get("/tags?filter[name]=no. 1"))["data"]] == ["No. 1"]


def test_a_tag_is_not_changed_over_the_change_of_others(shop: Caller) -> None:
    tag = made(shop.post("/tags", {"name": "VIP"}))
    answer = shop.patch(f"/tags/{tag['id']}", {"name": "Regular"}, If_Match='"x"')
    assert code(answer) == "changed_meanwhile"


@pytest.mark.parametrize("step", ["refresh_locked", "put_on"])
def test_a_tag_that_another_deletes_at_the_same_moment_is_gone(
    shop: Caller, carla: Conversation, monkeypatch: pytest.MonkeyPatch, settings: Settings, step: str
) -> None:
    tag, own = made(shop.post("/tags", {"name": "VIP"})), getattr(Tag, step)

    def late(self: Tag, *arguments: Any, **more: Any) -> Any:
        with psycopg.connect(settings.database_url) as other:
            other.execute("select set_config('app.tenant_id', %s, false)", [str(shop.key.tenant_id)])
            other.execute("delete from tags where id = %s", [tag["id"]])
        return own(self, *arguments, **more)

    monkeypatch.setattr(Tag, step, late)
    if step == "put_on":
        answer = shop.post(f"/contacts/{carla.contact_id}/tags", {"id": tag["id"]})
    else:
        answer = shop.patch(f"/tags/{tag['id']}", {"name": "Regular"})
    assert (answer.status_code, code(answer)) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": "x" * 41}, "/name"),
        ({"name": "x", "color": "gold"}, "/color"),
    ],
)
def test_a_tag_needs_a_name_and_a_color_that_exists(shop: Caller, body: dict[str, Any], pointer: str) -> None:
    assert faults(shop.post("/tags", body)) == [pointer]


def test_there_is_an_end_to_tags(shop: Caller, carla: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.contacts.api.tags.MOST_TAGS", 1)
    made(shop.post("/tags", {"name": "One"}))
    assert code(shop.post("/tags", {"name": "Two"})) == "too_many_tags"
    assert code(shop.post(f"/contacts/{carla.contact_id}/tags", {"name": "Two"})) == "too_many_tags"
    made(shop.post(f"/contacts/{carla.contact_id}/tags", {"name": "one"}))


def test_fields_are_listed_with_what_they_take(shop: Caller, world: World, caller: MakeCaller) -> None:
    with tenant_scope(world.bakery.id):
        db.session.add(ContactField(name="Bread", kind="choice", choices=["Rye", "Spelt"]))
    (field,) = made(shop.get("/contact-fields"))["data"]
    assert (field["name"], field["kind"], field["choices"]) == ("Bread", "choice", ["Rye", "Spelt"])
    assert made(caller(world.shoes).get("/contact-fields"))["data"] == []


def test_the_neighbour_finds_nothing_and_a_scope_is_needed(shop: Caller, caller: MakeCaller, world: World) -> None:
    tag, theirs = made(shop.post("/tags", {"name": "VIP"})), caller(world.shoes)
    assert made(theirs.get("/tags"))["data"] == []
    assert theirs.patch(f"/tags/{tag['id']}", {"name": "x"}).status_code == 404
    assert theirs.delete(f"/tags/{tag['id']}").status_code == 404
    assert shop.delete(f"/tags/{uuid.uuid4()}").status_code == 404
    unscoped, path = caller(scopes=["messages:read"]), f"/tags/{tag['id']}"
    calls = [unscoped.get("/tags"), unscoped.get("/contact-fields"), unscoped.post("/tags", {"name": "x"})]
    calls += [unscoped.patch(path, {"name": "x"}), unscoped.delete(path)]
    assert {code(answer) for answer in calls} == {"missing_scope"}
