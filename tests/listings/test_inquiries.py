from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from typing import Any

import pytest

from app.contacts.models import Contact
from app.inbox.conversations import Conversation
from app.listings import inquiries
from app.listings.inquiries import Inquiry
from app.listings.models import Listing
from app.listings.settings import ListingSettings
from app.tenancy import Actor, db, happened, now, tenant_scope
from tests.api.conftest import Caller
from tests.client import Browser
from tests.happenings import deliver_to_subscriber, happenings
from tests.world import conversation

from .conftest import Agency, body

NAMES = ("customer", "title", "reference", "price")


def touch(agency: Agency, external_id: str = "DKR-204", type: str = "listing") -> None:
    """The customer comes by a link of a listing."""
    with tenant_scope(agency.tenant.id):
        about: dict[str, Any] = {
            "conversation_id": agency.talk.id,
            "message_id": uuid.uuid4(),
            "is_first": True,
            "is_shared": False,
        }
        happened("entry_point.touched", agency.talk.id, type=type, external_id=external_id, **about)
    deliver_to_subscriber("listings_inquiries", agency.tenant.id)


@pytest.fixture
def owned(agency: Agency) -> Agency:
    """A listing with a landlord, who is notified of inquiries."""
    owner = conversation(agency.number, wa_id="221770000001", name="M. Ndiaye")
    agency.notify("inquiry", NAMES)
    agency.put(contact_id=owner.contact_id)
    return agency


def test_a_link_of_a_listing_makes_an_inquiry_and_tells_the_owner(owned: Agency) -> None:
    touch(owned)
    (inquiry,) = owned.inquiries()
    assert (inquiry.source, inquiry.state, bool(inquiry.owner_notified_at)) == ("link", "new", True)
    (given_facts,) = owned.sent("inquiry")
    assert "Awa Diop" in given_facts.body and "500,000 XOF" in given_facts.body
    facts = happenings(owned.tenant.id, "inquiry.received")[0].facts
    assert facts["conversation_id"] == str(owned.talk.id) and facts["external_id"] == "DKR-204"


def test_the_same_customer_within_days_is_the_same_inquiry(owned: Agency) -> None:
    touch(owned)
    touch(owned)
    assert [one.times for one in owned.inquiries()] == [2] and len(owned.sent("inquiry")) == 1
    with tenant_scope(owned.tenant.id):
        early = now() - dt.timedelta(days=8)
        db.session.execute(db.update(Inquiry).values(created_at=early))
    touch(owned)
    assert len(owned.inquiries()) == 2


def test_a_link_of_something_else_is_no_inquiry(owned: Agency) -> None:
    touch(owned, type="order")
    touch(owned, external_id="nothing")
    assert owned.inquiries() == []


def test_an_owner_who_cannot_be_notified_is_noted_with_the_reason(owned: Agency) -> None:
    with tenant_scope(owned.tenant.id):
        db.session.execute(
            db.text("update conversations set state = 'blocked' where contact_id <> :it"), {"it": owned.talk.contact_id}
        )
    touch(owned)
    assert owned.inquiries()[0].owner_problem == "blocked" and owned.sent("inquiry") == []


def test_one_customer_has_five_owners_notified_in_a_day(owned: Agency, ann: Browser) -> None:
    owner = conversation(owned.number, wa_id="221770000002", name="M. Sow")
    for place in range(7):
        owned.put(f"R{place}", contact_id=owner.contact_id)
        touch(owned, f"R{place}")
    assert [one.owner_problem for one in owned.inquiries()] == [""] * 5 + ["too_many"] * 2
    assert len(owned.sent("inquiry")) == 5
    assert "too many listings in one day" in ann.get("/t/bakery/listings/inquiries").text
    with tenant_scope(owned.tenant.id):
        db.session.execute(db.update(Inquiry).values(created_at=now() - dt.timedelta(days=2)))
    touch(owned)
    assert owned.inquiries()[-1].owner_notified_at


def test_two_inquiries_of_one_customer_at_once_are_counted_one_after_the_other(
    owned: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiries, "MOST_NOTIFIED", 1)
    owner = conversation(owned.number, wa_id="221770000003", name="M. Ba")
    owned.put("R-2", contact_id=owner.contact_id)
    has_sent = threading.Event()

    def ask(reference: str) -> None:
        with owned.app.app_context(), tenant_scope(owned.tenant.id):
            listing = Listing.with_external_id(reference)
            assert listing
            Inquiry.receive(listing, Contact.get_or_404(owned.talk.contact_id), source="api", by=None)
            if not has_sent.is_set():
                has_sent.set()
                # Long enough for the other one to count, if it could.
                time.sleep(0.5)

    threads = [threading.Thread(target=ask, args=(reference,)) for reference in ("DKR-204", "R-2")]
    threads[0].start()
    has_sent.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join(20)
    assert sorted(one.owner_problem for one in owned.inquiries()) == ["", "too_many"]


def test_the_member_who_takes_care_of_it_gets_the_conversation(agency: Agency) -> None:
    agency.put(member_id=agency.world.ben.id)
    with tenant_scope(agency.tenant.id):
        settings = ListingSettings.current()
        settings.assigns_member = True
        settings.save()
    touch(agency)
    with tenant_scope(agency.tenant.id):
        assert Conversation.get_or_404(agency.talk.id).assignee_id == agency.world.ben.id


def test_a_reply_of_a_person_answers_what_is_new(owned: Agency) -> None:
    touch(owned)
    with tenant_scope(owned.tenant.id):
        Conversation.get_or_404(owned.talk.id).reply("Yes, it is free.", by=owned.by, client_id=uuid.uuid4())
    deliver_to_subscriber("listings_replies", owned.tenant.id)
    assert owned.inquiries()[0].state == "answered"


def test_an_automatic_reply_answers_nothing(owned: Agency) -> None:
    touch(owned)
    with tenant_scope(owned.tenant.id):
        Conversation.get_or_404(owned.talk.id).reply("Hello", by=Actor.system("away"), client_id=uuid.uuid4())
    deliver_to_subscriber("listings_replies", owned.tenant.id)
    assert owned.inquiries()[0].state == "new"


def test_a_program_adds_an_inquiry_and_moves_it(agency: Agency, shop: Caller) -> None:
    agency.put()
    made = shop.post("/inquiries", {"listing": "DKR-204", "contact_id": str(agency.talk.contact_id), "text": "Free?"})
    assert made.status_code == 201 and body(made)["state"] == "new"
    moved = shop.put(f"/inquiries/{body(made)['id']}/state", {"state": "viewing_booked"})
    assert body(moved)["state"] == "viewing_booked"
    assert [one["id"] for one in body(shop.get("/inquiries?filter[listing]=DKR-204"))["data"]] == [body(made)["id"]]


def test_an_inquiry_about_nothing_names_every_mistake(agency: Agency, shop: Caller) -> None:
    answer = shop.post("/inquiries", {"listing": "no", "contact_id": str(uuid.uuid4())})
    assert [one["pointer"] for one in body(answer)["errors"]] == ["/listing", "/contact_id"]


def test_an_erased_contact_leaves_no_inquiry_and_owns_nothing(owned: Agency) -> None:
    from app.people.erasure import erase

    touch(owned)
    with tenant_scope(owned.tenant.id):
        listing = Listing.with_external_id("DKR-204")
        assert listing
        for id in (owned.talk.contact_id, listing.contact_id):
            erase(Contact.get_or_404(id), by=owned.by)
    assert owned.inquiries() == []
    with tenant_scope(owned.tenant.id):
        assert db.session.scalar(db.select(Listing.contact_id)) is None


def test_an_appointment_is_about_what_the_customer_asked_for_last(agency: Agency) -> None:
    for external_id in ("DKR-204", "DKR-205"):
        agency.put(external_id)
        touch(agency, external_id)
    with tenant_scope(agency.tenant.id):
        about: dict[str, Any] = {"version": 1, "starts_at": "2026-12-01T09:30:00+00:00", "source": "api"}
        happened("appointment.booked", uuid.uuid4(), contact_id=agency.talk.contact_id, **about)
    deliver_to_subscriber("listings_viewings", agency.tenant.id)
    with tenant_scope(agency.tenant.id):
        states = {one.listing.external_id: one.state for one in db.session.scalars(db.select(Inquiry))}
    assert states == {"DKR-204": "new", "DKR-205": "viewing_booked"}


def test_a_cancelled_viewing_leaves_the_inquiry_answered(agency: Agency) -> None:
    agency.put()
    touch(agency)
    about: dict[str, Any] = {"contact_id": agency.talk.contact_id, "source": "api"}
    for kind, state in (("booked", "viewing_booked"), ("cancelled", "answered"), ("booked", "viewing_booked")):
        with tenant_scope(agency.tenant.id):
            facts = about | {"version": 1, "starts_at": "2026-12-01T09:30:00+00:00"}
            happened(f"appointment.{kind}", uuid.uuid4(), **facts)
        deliver_to_subscriber("listings_viewings", agency.tenant.id)
        assert agency.inquiries()[0].state == state
