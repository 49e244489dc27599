"""Short links: where they lead, what they say, what is counted, and what happens to ten thousand clicks."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.entry_points.jobs import count_clicks, delete_old_references
from app.entry_points.links import PER_VISITOR, link_to
from app.entry_points.models import EntryClicks, EntryPoint, EntryReference, SlugTaken
from app.entry_points.reports import figures_of
from app.extensions import outside
from app.tenancy import db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.closing.closures import mark_closed
from tests.world import World

from .conftest import PERSON, VILLA, Site


def test_a_link_opens_the_chat_with_words_and_a_reference(villas: Site) -> None:
    answer = villas.open({"title": "Villa in Dakar", "lang": "fr"})
    assert answer.status_code == 302 and "/wa.me/15550783881?text=Bonjour%2C%20je" in answer.location
    (reference,) = villas.references
    assert villas.words({"title": "Villa in Dakar"}).startswith("Bonjour, je suis intéressé par Villa in Dakar (ref ")
    assert reference.language == "fr" and reference.expires_at - reference.created_at == dt.timedelta(days=30)


def test_nothing_is_stored_in_the_browser_nor_about_it(villas: Site) -> None:
    answer = villas.open(X_Forwarded_For="203.0.113.9")
    assert "Set-Cookie" not in answer.headers and answer.headers["Cache-Control"] == "no-store"
    assert not any("203.0.113.9" in str(value) for value in vars(villas.references[0]).values())


def test_the_browsers_language_chooses_the_words(villas: Site) -> None:
    assert villas.words(Accept_Language="ar-SN,fr;q=0.5").startswith("مرحبا، أنا مهتم بـ Villas")
    assert villas.words(Accept_Language="sv").startswith("Bonjour")
    assert villas.words({"lang": "ar-EG"}, Accept_Language="fr").startswith("مرحبا")


def test_what_a_page_says_is_claimed_and_cut(villas: Site) -> None:
    long = {"title": "x" * 5_000 + "\u202e", "url": "javascript:alert(1)", "price": "1e9", "type": "No Type!"}
    villas.open(long | {"id": "7" * 900, "utm_source": "n" * 900, "utm_campaign": "spring"})
    (reference,) = villas.references
    assert reference.subject == {"type": "page", "external_id": "7" * 200, "title": "x" * 200, "is_claimed": True}
    assert reference.utm == {"source": "n" * 100, "campaign": "spring"}


def test_what_we_signed_is_no_claim_and_cannot_be_changed(app: Flask, villas: Site) -> None:
    address = link_to(villas.entry_point, VILLA, {"utm_source": "site"})
    query = dict(pair.split("=") for pair in address.partition("?")[2].split("&"))
    signed = VILLA | {"sig": query["sig"]}
    villas.open(signed)
    villas.open(signed | {"price": "1"})
    villas.open(signed | {"utm_campaign": "added"})
    assert [bool(one.subject.get("is_claimed")) for one in villas.references] == [False, True, False]
    assert villas.references[0].subject["price_micros"] == 500_000_000_000


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"Sec_Purpose": "prefetch;prerender"}),
        ("GET", {"X_Moz": "prefetch"}),
        ("GET", {"Sec_Fetch_Dest": "image"}),
        ("GET", {"User_Agent": "WhatsApp/2.23.20.0 A"}),
        ("GET", {"User_Agent": "facebookexternalhit/1.1"}),
        ("GET", {"User_Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}),
        ("GET", {"User_Agent": ""}),
    ],
)
def test_robots_previews_and_prefetching_do_not_count(villas: Site, method: str, headers: dict[str, Any]) -> None:
    assert villas.code(method=method, **headers) == villas.entry_point.reference
    assert villas.references == []


def test_beyond_the_limits_a_link_works_without_a_row(villas: Site) -> None:
    codes = [villas.code() for _ in range(PER_VISITOR + 5)]
    assert len(villas.references) == PER_VISITOR and codes[-1] == villas.entry_point.reference
    assert codes.count(villas.entry_point.reference) == 5


def test_one_visitor_uses_up_no_other_visitors_references(villas: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.entry_points.links.PER_MINUTE", PER_VISITOR + 1)
    for _ in range(PER_VISITOR + 10):
        villas.open()
    elsewhere = {"REMOTE_ADDR": "203.0.113.7"}
    other = villas.client.get(f"/c/{villas.entry_point.slug}", environ_base=elsewhere, headers=PERSON)
    assert villas.entry_point.reference not in other.location and len(villas.references) == PER_VISITOR + 1


def test_an_entry_point_makes_so_many_references_a_minute(villas: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.entry_points.links.PER_MINUTE", 2)
    codes = [villas.code() for _ in range(4)]
    assert len(villas.references) == 2 and codes[2:] == [villas.entry_point.reference] * 2


def test_clicks_beyond_the_limits_are_counted(villas: Site) -> None:
    for _ in range(PER_VISITOR + 3):
        villas.open()
    count_clicks()
    count_clicks()
    assert [row.count for row in villas.rows(EntryClicks)] == [3]
    with tenant_scope(villas.tenant.id):
        day = dt.timedelta(days=1)
        assert figures_of(villas.entry_point.id, now() - day, now() + day).clicks == PER_VISITOR + 3


def test_without_redis_a_link_works(villas: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.extensions import connect_redis

    monkeypatch.setattr(outside(), "redis", connect_redis("redis://127.0.0.1:1/0"))
    assert villas.code() == villas.entry_point.reference and villas.references == []


def test_a_link_that_has_ended_says_so(villas: Site) -> None:
    with tenant_scope(villas.tenant.id):
        EntryPoint.get_or_404(villas.entry_point.id).active_until = now()
    answer = villas.open()
    assert answer.status_code == 410 and "This link has ended" in answer.text and "Set-Cookie" not in answer.headers


def test_an_unknown_link_leads_nowhere(villas: Site) -> None:
    assert villas.client.get("/c/nothing").status_code == 404


def test_a_deleted_short_link_is_taken_again_by_the_same_business_only(
    villas: Site, number: PhoneNumber, world: World
) -> None:
    slug = villas.entry_point.slug
    with tenant_scope(villas.tenant.id):
        EntryPoint.get_or_404(villas.entry_point.id).remove()
    assert villas.open().status_code == 404
    with pytest.raises(SlugTaken), tenant_scope(world.shoes.id):
        EntryPoint.create("Other", number, slug=slug, kind="link")
    with tenant_scope(villas.tenant.id):
        EntryPoint.create("Again", number, slug=slug, kind="link", texts=villas.entry_point.texts)
        with pytest.raises(SlugTaken):
            EntryPoint.create("Twice", number, slug=slug, kind="link")
    assert villas.open().status_code == 302


def test_old_references_are_deleted(villas: Site) -> None:
    villas.open()
    with tenant_scope(villas.tenant.id):
        db.session.execute(db.update(EntryReference).values(created_at=now() - dt.timedelta(days=101)))
    villas.open()
    delete_old_references()
    assert len(villas.references) == 1


def test_files_for_pages_elsewhere_never_change(villas: Site) -> None:
    answer = villas.client.get("/c/files/widget-1.js")
    assert answer.headers["Access-Control-Allow-Origin"] == "*" and "immutable" in answer.headers["Cache-Control"]
    assert villas.client.get("/c/files/..%2Fmodels.py").status_code == 404


def test_a_visit_costs_three_statements(villas: Site) -> None:
    """The first visit has found out whose link it is; that is remembered."""
    villas.open(VILLA)
    statements: list[str] = []
    event.listen(Engine, "before_cursor_execute", note := lambda *call: statements.append(call[2]))
    villas.open(VILLA)
    event.remove(Engine, "before_cursor_execute", note)
    assert [one.split()[0].lower() for one in statements] == ["begin;", "select", "insert"]


def test_a_link_that_leads_elsewhere_since_is_followed_there(villas: Site) -> None:
    before = villas.open(VILLA).location
    with tenant_scope(villas.tenant.id):
        old = EntryPoint.get_or_404(villas.entry_point.id)
        number, slug = old.phone_number, old.slug
        old.remove()
        EntryPoint.create("Again", number, slug=slug, kind="link", texts=[{"language": "en", "text": "New words"}])
    after = villas.open(VILLA)
    assert after.status_code == 302 and "New%20words" in after.location and after.location != before


def test_a_link_of_a_closed_business_leads_nowhere(villas: Site, world: World) -> None:
    mark_closed(world)
    assert villas.client.get(f"/c/{villas.entry_point.slug}", headers=PERSON).status_code == 404
