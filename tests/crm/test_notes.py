"""One note for each resolved conversation, and never a second one."""

from __future__ import annotations

import datetime as dt

import pytest

from app.crm.notes import CrmNote
from app.tenancy import db, now, tenant_scope
from tests.client import Browser
from tests.happenings import deliver_to_subscriber

from .conftest import Crm


@pytest.fixture
def noted(crm: Crm) -> Crm:
    """The owner has switched notes on."""
    crm.set(writes_notes=True)
    return crm


def test_a_note_says_who_when_how_much_and_where(noted: Crm) -> None:
    noted.say("Is the villa free?", "My budget is secret")
    noted.resolve()
    (text,) = noted.server.texts
    for part in ("Fatou Ndiaye", "By: Ann", "2 received, 0 sent", f"/t/bakery/inbox/{noted.talk.id}"):
        assert part in text, part
    assert "secret" not in text and noted.notes()[0].state == "written"


def test_messages_are_quoted_only_where_the_owner_chose_so(noted: Crm) -> None:
    noted.set(quotes_messages=True)
    noted.say("Is it <b>free</b> & near?")
    noted.resolve()
    assert "Fatou Ndiaye: Is it &lt;b&gt;free&lt;/b&gt; &amp; near?" in noted.server.texts[0]


def test_it_belongs_to_the_contact_and_the_deal(noted: Crm) -> None:
    noted.resolve()
    (note,) = noted.server.notes.values()
    if noted.provider == "pipedrive":
        assert (note["person_id"], note["deal_id"]) == (101, 501)
    else:
        types = [(one["to"]["id"], one["types"][0]["associationTypeId"]) for one in note["associations"]]
        assert types == [("101", 202), ("501", 214)]


def test_without_the_owners_choice_no_note_is_written(crm: Crm) -> None:
    crm.resolve()
    assert crm.server.notes == {} and crm.notes() == []


def test_a_resolution_that_is_heard_twice_is_one_note(noted: Crm) -> None:
    noted.resolve()
    with tenant_scope(noted.id):
        db.session.execute(db.text("delete from happening_cursors where subscriber = 'crm'"))
    deliver_to_subscriber("crm", noted.id)
    noted.pass_time()
    assert len(noted.server.notes) == 1


def test_each_resolution_has_its_own_note_with_its_own_messages(noted: Crm) -> None:
    noted.say("One")
    noted.resolve()
    noted.say("Two", "Three")
    noted.resolve()
    assert ["1 received" in noted.server.texts[0], "2 received" in noted.server.texts[1]] == [True, True]


def test_an_answer_that_is_lost_leads_to_one_note(noted: Crm) -> None:
    noted.server.fail(at=WRITING[noted.provider], works=True, is_silent=True)
    noted.resolve()
    assert len(noted.server.notes) == 1 and noted.notes()[0].state == "writing"
    noted.pass_time()
    assert len(noted.server.notes) == 1 and noted.notes()[0].state == "written"
    assert noted.notes()[0].external_id == "9000"


WRITING = {"hubspot": "POST /crm/v3/objects/notes", "pipedrive": "POST /v1/notes"}
LOOKING = {"hubspot": "associations/notes", "pipedrive": "GET /v1/notes"}


def test_an_error_after_it_was_written_leads_to_one_note(noted: Crm) -> None:
    noted.server.fail(502, b"<html>", at=WRITING[noted.provider], works=True)
    noted.resolve()
    noted.pass_time()
    assert len(noted.server.notes) == 1 and noted.notes()[0].state == "written"


def test_a_worker_that_dies_after_writing_leads_to_one_note(noted: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(self: CrmNote, external_id: str) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(CrmNote, "settle", die)
        with pytest.raises(Killed):
            noted.resolve()
    noted.pass_time()
    assert len(noted.server.notes) == 1 and noted.notes()[0].state == "written"


def test_what_did_not_arrive_is_written_later(noted: Crm) -> None:
    noted.server.fail(429, {"status": "error"}, at=WRITING[noted.provider], headers={"Retry-After": "5"})
    noted.resolve()
    assert noted.notes()[0].state == "waiting"
    noted.pass_time()
    assert len(noted.server.notes) == 1


def test_it_is_not_written_again_while_looking_for_it_fails(noted: Crm) -> None:
    noted.server.fail(at=WRITING[noted.provider], works=True, is_silent=True)
    noted.server.fail(429, {"status": "error"}, at=LOOKING[noted.provider])
    noted.resolve()
    noted.pass_time()
    assert noted.notes()[0].state == "writing"
    noted.pass_time()
    assert len(noted.server.notes) == 1 and noted.notes()[0].state == "written"


def test_a_note_is_given_up_after_three_days_and_no_sooner(noted: Crm) -> None:
    noted.server.fail(500, times=100, at=WRITING[noted.provider])
    noted.resolve()
    for _ in range(10):
        noted.pass_time()
    assert noted.notes()[0].state == "writing"
    with tenant_scope(noted.id):
        CrmNote.get_or_404(noted.notes()[0].id).resolved_at = now() - dt.timedelta(days=3, minutes=1)
    noted.pass_time()
    assert noted.notes()[0].state == "failed"


def test_a_customer_whom_the_crm_does_not_know_gets_none(noted: Crm, ann: Browser) -> None:
    noted.server.people.clear()
    noted.resolve()
    assert noted.server.notes == {} and noted.notes()[0].state == "nobody"
    assert "No contact with the number: 1" in ann.get("~/crm/").text


def test_what_was_resolved_before_the_connection_was_made_gets_none(noted: Crm) -> None:
    noted.set(created_at=now() + dt.timedelta(minutes=1))
    noted.resolve()
    assert noted.notes() == []


def test_an_erased_customer_gets_none(noted: Crm, ann: Browser) -> None:
    with tenant_scope(noted.id):
        from app.contacts.models import Contact
        from app.people.erasure import erase
        from app.tenancy import Actor

        erase(Contact.get_or_404(noted.talk.contact_id), by=Actor.agent(noted.world.ann))
    noted.resolve()
    assert noted.server.notes == {}


def test_the_choice_is_saved(crm: Crm, ann: Browser) -> None:
    ann.post(f"~/crm/{crm.provider}/notes", {f"{crm.provider}-notes-writes_notes": "y"})
    assert (crm.connection.writes_notes, crm.connection.quotes_messages) == (True, False)
    ann.post(f"~/crm/{crm.provider}/notes", {f"{crm.provider}-notes-quotes_messages": "y"})
    assert (crm.connection.writes_notes, crm.connection.quotes_messages) == (False, False)
