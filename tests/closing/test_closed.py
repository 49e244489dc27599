"""What owners ask for, and what members of a closed business see."""

from __future__ import annotations

import pathlib
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from app.closing.jobs import mail
from app.closing.models import Closure
from app.config import Settings
from app.tenancy import db, tenant_scope
from tests.client import Browser
from tests.closing.closures import Closing, mark_closed
from tests.world import World


@pytest.mark.parametrize("page", ["", "inbox/", "settings", "costs", "contacts/", "closing"])
def test_every_page_leads_to_one_that_says_so(world: World, ann: Browser, page: str) -> None:
    mark_closed(world)
    assert ann.get(f"/t/bakery/{page}").location == "/t/bakery/closing/closed"
    assert "This business is closed" in ann.get("/t/bakery/closing/closed").text


def test_a_form_and_a_fragment_do_too_and_a_stream_ends(world: World, ann: Browser) -> None:
    mark_closed(world)
    assert ann.post("/t/bakery/costs/plan/end").location == "/t/bakery/closing/closed"
    fragment = ann.get("/t/bakery/inbox/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (401, "/t/bakery/closing/closed")
    assert ann.get("/t/bakery/live", headers={"Accept": "text/event-stream"}).status_code == 401


def test_its_data_can_be_downloaded_for_90_days(world: World, ann: Browser) -> None:
    ann.confirmed()
    mark_closed(world, 89)
    assert ann.post("/t/bakery/contacts/export").content_type.startswith("text/csv")
    assert ann.get("/t/bakery/costs/export").content_type.startswith("text/csv")
    mark_closed(world, 92)
    assert ann.post("/t/bakery/contacts/export").location == "/t/bakery/closing/closed"
    assert "could be downloaded until" in ann.get("/t/bakery/closing/closed").text


def test_an_agent_is_not_offered_what_they_may_not_download(world: World, ben: Browser) -> None:
    mark_closed(world)
    page = ben.get("/t/bakery/closing/closed").text
    assert "An owner can still download" in page and "/export" not in page
    assert ben.get("/t/bakery/costs/export").status_code == 403


def test_a_stranger_does_not_learn_that_it_is_closed(world: World, sue: Browser) -> None:
    mark_closed(world)
    assert sue.get("/t/bakery/closing/closed").status_code == sue.get("/t/nowhere/closing/closed").status_code == 404


def test_of_an_open_business_the_page_leads_in(ann: Browser) -> None:
    assert ann.get("/t/bakery/closing/closed").location == "/t/bakery/"


def test_an_owner_asks_and_an_admin_sees_why(world: World, ann: Browser, closing: Closing) -> None:
    ann.confirmed()
    assert ann.post("/t/bakery/closing/request", {"wish": ""}).status_code == 422
    ann.post("/t/bakery/closing/request", {"wish": "we move to the beach"})
    assert "we move to the beach" in closing.page() and "we move to the beach" in closing.pat.get("/platform/").text
    closing.ask("as its owner asks")
    assert (closing.load().state, closing.load().wish) == ("waiting", "we move to the beach")


def test_an_owner_who_asks_gives_the_password_first(ann: Browser) -> None:
    assert "/account/confirmation" in ann.post("/t/bakery/closing/request", {"wish": "we move"}).location


def test_an_owner_withdraws_their_request_but_not_the_operators(world: World, ann: Browser, closing: Closing) -> None:
    closing.ask()
    ann.post("/t/bakery/closing/withdrawal")
    assert closing.load().state == "waiting"
    closing.pat.post(f"{closing.path}/{closing.load().id}/withdrawal")
    ann.confirmed()
    ann.post("/t/bakery/closing/request", {"wish": "we move"})
    ann.post("/t/bakery/closing/withdrawal")
    assert closing.load().state == "withdrawn"


def test_agents_do_not_ask_for_it(world: World, ben: Browser) -> None:
    assert ben.get("/t/bakery/closing").status_code == 403
    assert ben.post("/t/bakery/closing/request", {"wish": "we move"}).status_code == 403
    with tenant_scope(world.bakery.id):
        assert not db.session.scalars(select(Closure)).all()


def test_owners_get_a_mail(world: World, settings: Settings) -> None:
    mark_closed(world)
    folder = pathlib.Path(urlsplit(settings.mail_url).path)
    # Other tests leave mails there.
    before = set(folder.glob("*.eml"))
    mail(world.bakery.id)
    (written,) = set(folder.glob("*.eml")) - before
    words = written.read_text()
    written.unlink()
    assert "ann@example.com" in words and "/t/bakery/closing/closed" in words
