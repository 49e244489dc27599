"""The first hour of a business: a checklist made of facts, and sample conversations that touch nothing else."""

from __future__ import annotations

import re

import psycopg
import pytest
from sqlalchemy import select, update

from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Message
from app.message_templates.models import MessageTemplate
from app.team.models import Invitation
from app.tenancy import Role, db, now, tenant_scope
from app.wabas.models import PhoneNumber
from app.welcome.models import LONGEST_ANSWER, Welcome
from app.welcome.samples import SAMPLES
from tests.client import FRAGMENT, Browser
from tests.enqueued import Enqueued
from tests.world import World

REPLIES = "~/welcome/samples/saturday/replies"


def done(browser: Browser) -> list[str]:
    """The numbers of the steps that are checked off."""
    return re.findall(r'data-step="(\d)" data-done="true"', browser.get("~/welcome").text)


def stored(world: World) -> Welcome:
    with tenant_scope(world.bakery.id):
        return Welcome.current()


def test_a_new_business_begins_with_its_first_steps(ann: Browser) -> None:
    assert ann.get("~/").location == "/t/bakery/welcome"
    assert "First steps" in ann.get("~/welcome").text


def test_an_agent_begins_in_the_inbox(ben: Browser) -> None:
    assert ben.get("~/").location == "/t/bakery/inbox/"
    assert ben.get("~/welcome").status_code == 403


def test_a_business_whose_first_message_has_arrived_begins_in_the_inbox(world: World, ann: Browser) -> None:
    number, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        db.session.execute(update(PhoneNumber).where(PhoneNumber.id == number.id).values(hello_seen_at=now()))
    assert ann.get("~/").location == "/t/bakery/inbox/"


def test_the_checklist_of_a_new_business_has_only_its_team(ann: Browser) -> None:
    """Ben works at Bakery already."""
    assert done(ann) == ["4"]


def test_an_invitation_checks_off_the_team(world: World, sue: Browser) -> None:
    sue.tenant = "shoes"
    assert done(sue) == []
    with tenant_scope(world.shoes.id):
        Invitation.offer("ned@example.com", Role.AGENT, by=world.sue)
    assert done(sue) == ["4"]


@pytest.mark.parametrize(
    ("step", "column"), [("2", {"hello_seen_at": now()}), ("3", {"has_photo": True})], ids=["hello", "photo"]
)
def test_a_number_and_what_it_has_are_checked_off(
    world: World, ann: Browser, step: str, column: dict[str, object]
) -> None:
    number, _ = world.connect_numbers()
    assert done(ann) == ["1", "4"]
    with tenant_scope(world.bakery.id):
        db.session.execute(update(PhoneNumber).where(PhoneNumber.id == number.id).values(column))
    assert step in done(ann)


def test_a_number_that_is_disconnected_is_to_be_connected(world: World, ann: Browser) -> None:
    number, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        db.session.execute(update(PhoneNumber).where(PhoneNumber.id == number.id).values(state="disconnected"))
    assert "1" not in done(ann)


def test_saved_hours_are_checked_off(world: World, ann: Browser) -> None:
    with tenant_scope(world.bakery.id):
        db.session.add(ServicePolicy.current())
    assert "5" in done(ann)


@pytest.mark.parametrize(
    ("name", "status", "is_done"),
    [("order_ready", "APPROVED", True), ("order_ready", "PENDING", False), ("hello_world", "APPROVED", False)],
)
def test_a_template_counts_once_it_is_approved(
    world: World, ann: Browser, name: str, status: str, is_done: bool
) -> None:
    number, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        template = MessageTemplate(waba_id=number.waba_id, meta_id="1", name=name, language="en", category="UTILITY")
        template.status, template.parameter_format, template.components = status, "POSITIONAL", []
        db.session.add(template)
    assert ("6" in done(ann)) is is_done


def test_the_checklist_loads_alone_when_something_changes(ann: Browser) -> None:
    part = ann.get("~/welcome", headers=FRAGMENT).text
    assert 'id="checklist"' in part and "<html" not in part


def test_an_owner_dismisses_it_and_finds_it_in_the_settings(world: World, ann: Browser) -> None:
    assert ann.post("~/welcome/dismissal").location == "/t/bakery/inbox/"
    assert ann.get("~/").location == "/t/bakery/inbox/"
    assert 'href="/t/bakery/welcome"' in ann.get("~/settings").text
    assert "Dismiss" not in ann.get("~/welcome").text


def test_an_admin_does_not_dismiss_it(world: World, ben: Browser, superuser_url: str) -> None:
    with psycopg.connect(superuser_url) as connection:
        connection.execute("update memberships set role = 'admin' where user_id = %s", (world.ben.id,))
    assert "Dismiss" not in ben.get("~/welcome").text
    assert ben.post("~/welcome/dismissal").status_code == 403


def test_every_link_of_the_checklist_opens(world: World, ann: Browser) -> None:
    links = re.findall(r'class="row-link" href="([^"]+)"', ann.get("~/welcome").text)
    assert len(links) == 9 and all(ann.get(link).status_code == 200 for link in links)


# Samples


def test_a_sample_answers_every_reply_until_it_ends(ann: Browser) -> None:
    for customer_says in SAMPLES["saturday"].replies:
        assert ann.post(REPLIES, {"body": "Yes, from 8 to 6."}).status_code == 303
        assert customer_says in ann.get("~/welcome/samples/saturday").text
    page = ann.get("~/welcome/samples/saturday").text
    assert "This sample has ended." in page and page.count("Yes, from 8 to 6.") == 2
    ann.post(REPLIES, {"body": "One more"})
    assert "One more" not in ann.get("~/welcome/samples/saturday").text


@pytest.mark.parametrize("body", ["", "  \n", "x" * (LONGEST_ANSWER + 1)])
def test_a_reply_that_will_not_do_is_refused_at_the_field(world: World, ann: Browser, body: str) -> None:
    answer = ann.post(REPLIES, {"body": body})
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text
    assert stored(world).samples == {}


def test_a_sample_is_no_conversation_and_sends_nothing(world: World, ann: Browser, enqueued: Enqueued) -> None:
    enqueued.clear()
    ann.post(REPLIES, {"body": "Yes, from 8 to 6."})
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(Conversation)).all() == []
        assert db.session.scalars(select(Message)).all() == []
    assert enqueued.names == []
    assert "Maya" not in ann.get("~/inbox/?view=all").text + ann.get("~/contacts/").text


def test_samples_are_gone_at_once_with_what_was_written(world: World, ann: Browser) -> None:
    ann.post(REPLIES, {"body": "Yes, from 8 to 6."})
    assert ann.post("~/welcome/samples/removal").location == "/t/bakery/welcome"
    assert stored(world).samples == {}
    assert "Maya" not in ann.get("~/welcome").text
    assert ann.get("~/welcome/samples/saturday").status_code == 404
    assert ann.post(REPLIES, {"body": "Hello?"}).status_code == 404


def test_samples_of_one_business_are_not_anothers(world: World, ann: Browser, sue: Browser) -> None:
    ann.post(REPLIES, {"body": "Yes, from 8 to 6."})
    sue.tenant = "shoes"
    assert "Yes, from 8 to 6." not in sue.get("~/welcome/samples/saturday").text


def test_a_sample_shows_who_replied_and_what_real_conversations_have(ann: Browser) -> None:
    ann.post(REPLIES, {"body": "Yes, from 8 to 6."})
    page = ann.get("~/welcome/samples/saturday").text
    assert '<span class="truncate">Ann</span>' in page and "In a real conversation" in page


def test_a_sample_that_does_not_exist_is_not_found(ann: Browser) -> None:
    assert ann.get("~/welcome/samples/nothing").status_code == 404


def test_the_inbox_says_how_many_first_steps_are_left(world: World, ann: Browser, ben: Browser) -> None:
    assert "First steps: 1 of 6 done" in ann.get("~/inbox/").text
    assert "First steps:" not in ben.get("~/inbox/").text
    with tenant_scope(world.bakery.id):
        Welcome.locked().dismiss()
    assert "First steps:" not in ann.get("~/inbox/").text
