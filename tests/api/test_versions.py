"""Headers that announce what will end, and the responses to programs written for an older version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from flask import Flask
from sqlalchemy import update

from app.api import ApiKey, Shape, versions
from app.api.declaring import ENDPOINTS
from app.api.deprecations import Deprecation
from app.api.document import document
from app.api.pages import PageQuery
from app.api.versions import Change
from app.developers import reference
from app.developers.views.reference import markdown_in
from app.tenancy import db, tenant_scope
from tests.api.conftest import Caller
from tests.client import isolated

OLDER, NEWER = "2026-11-29", "2027-03-01"
GOES = Deprecation("2027-01-10", "Use `colour`.", "2028-01-10")
ANNOUNCED = {"Deprecation": "@1799539200", "Sunset": "Mon, 10 Jan 2028 00:00:00 GMT"}


class Query(PageQuery):
    tint: Annotated[str | None, GOES] = None


class Inner(Shape):
    tint: Annotated[str | None, GOES] = None


class Body(Shape):
    name: str
    inner: list[Inner] = []


@pytest.fixture(autouse=True)
def fresh(app: Flask) -> Iterator[None]:
    """The document and its pages are made once."""
    made_once = (document, reference.tag_pages, reference.calls, markdown_in)
    for function in made_once:
        function.cache_clear()
    yield
    for function in made_once:
        function.cache_clear()


def declare(monkeypatch: pytest.MonkeyPatch, endpoint: str, **parts: Any) -> None:
    for name, value in parts.items():
        if name == "view":
            value.__name__ = endpoint
        monkeypatch.setitem(vars(ENDPOINTS[endpoint]), name, value)


def announced_in(answer: Any) -> dict[str, str]:
    return {name: answer.headers[name] for name in ANNOUNCED if name in answer.headers}


def test_an_endpoint_says_that_it_will_end(shop: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, "list_tags", deprecated=GOES)
    answer = shop.get("/tags")
    assert answer.status_code == 200 and announced_in(answer) == ANNOUNCED
    assert answer.headers["Link"].endswith('/developers/changelog>; rel="deprecation"; type="text/html"')
    assert announced_in(shop.get("/contacts")) == {}


def test_what_has_no_last_day_yet_says_only_since_when(shop: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, "list_tags", deprecated=Deprecation("2027-01-10", "Use `colour`."))
    assert announced_in(shop.get("/tags")) == {"Deprecation": ANNOUNCED["Deprecation"]}


def test_a_parameter_says_so_where_it_is_given(shop: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, "list_tags", query=Query, view=lambda query: None)
    assert announced_in(shop.get("/tags?tint=red")) == ANNOUNCED
    assert announced_in(shop.get("/tags")) == {}


def test_a_member_of_a_body_says_so_where_it_is_given(shop: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, "create_tag", body=Body, view=lambda body: None)
    assert announced_in(shop.post("/tags", {"name": "x", "inner": [{"tint": "red"}]})) == ANNOUNCED
    assert announced_in(shop.post("/tags", {"name": "x", "inner": [{}]})) == {}


def test_a_version_says_so_to_who_uses_it(shop: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "VERSIONS", (OLDER, NEWER))
    monkeypatch.setitem(versions.ENDING, OLDER, GOES)
    assert announced_in(shop.get("/tags")) == ANNOUNCED
    assert announced_in(shop.get("/tags", Switchboard_Version=NEWER)) == {}


def test_the_document_and_the_changelog_say_what_will_end(
    app: Flask, shop: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(monkeypatch, "list_tags", deprecated=GOES, query=Query)
    declare(monkeypatch, "create_tag", body=Body)
    monkeypatch.setitem(versions.ENDING, OLDER, GOES)
    operation = document()["paths"]["/tags"]["get"]
    (tint,) = (one for one in operation["parameters"] if one["name"] == "tint")
    member = document()["components"]["schemas"]["Inner"]["properties"]["tint"]
    page = reference.slug(operation["tags"][0])
    assert operation["deprecated"] and tint["deprecated"] and member["deprecated"]
    text = isolated(shop.client.get, "/developers/changelog.md").text
    for name in (f"Version `{OLDER}`", "`GET /tags`", "`GET /tags: tint`", "`Inner.tint`"):
        assert f"- {name}: Deprecated since 2027-01-10 and ends on 2028-01-10. Use `colour`." in text
    assert text.count("Deprecated since") == 4 == 1 + len(reference.deprecated())
    assert "Deprecated since 2027-01-10" in isolated(shop.client.get, f"/developers/{page}.md").text


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version in which the name of a tag became its title."""
    monkeypatch.setattr(versions, "VERSIONS", (OLDER, NEWER))
    monkeypatch.setattr(versions, "NEWEST", NEWER)

    class Titled(Shape):
        title: str

    declare(monkeypatch, "create_tag", body=Titled, view=lambda body: body)
    declare(monkeypatch, "get_me", view=lambda: Titled(title="VIP"))
    back = {"answer": lambda answer: {"name": answer["title"]}, "body": lambda body: {"title": body["name"]}}
    changes = [Change(NEWER, name, "The name is the title.", **back) for name in ("create_tag", "get_me")]
    monkeypatch.setattr(versions, "CHANGES", changes)


@pytest.mark.usefixtures("newer")
def test_a_key_has_the_shapes_of_its_version(shop: Caller) -> None:
    assert shop.post("/tags", {"name": "VIP"}).json == {"name": "VIP"}
    assert shop.post("/tags", {"title": "VIP"}, Switchboard_Version=NEWER).json == {"title": "VIP"}


@pytest.mark.usefixtures("newer")
def test_a_key_of_the_newest_version_may_ask_for_an_older_one(shop: Caller) -> None:
    with tenant_scope(shop.key.tenant_id):
        db.session.execute(update(ApiKey).values(version=NEWER))
    assert shop.post("/tags", {"title": "VIP"}).json == {"title": "VIP"}
    answer = shop.post("/tags", {"name": "VIP"}, Switchboard_Version=OLDER)
    assert answer.json == {"name": "VIP"} and answer.headers["Switchboard-Version"] == OLDER


@pytest.mark.usefixtures("newer")
def test_an_etag_is_the_same_in_every_version(shop: Caller) -> None:
    answers = [shop.get("/me", Switchboard_Version=version) for version in (OLDER, NEWER)]
    assert [each.json for each in answers] == [{"name": "VIP"}, {"title": "VIP"}]
    assert len({each.headers["ETag"] for each in answers}) == 1


@pytest.mark.parametrize("version", ["2025-01-01", "2026-11-30", "latest", ""])
def test_a_version_that_never_was_is_refused(shop: Caller, version: str) -> None:
    answer = shop.get("/tags", Switchboard_Version=version)
    assert answer.status_code == 400 and answer.json and answer.json["code"] == "unknown_version"
