"""States, views and counts, as agents see them."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask

from app.inbox.conversations import Conversation
from app.inbox.conversations.activities import Activity
from app.inbox.desk.jobs import enqueue_due, wake_snoozed
from app.tenancy import db, now, tenant_scope
from tests.arrivals import arrive, failures
from tests.client import FRAGMENT, Browser
from tests.inbox.conftest import written
from tests.posts import message
from tests.world import World, conversation


def again(world: World, talk: Conversation) -> Conversation:
    with tenant_scope(world.bakery.id):
        return Conversation.get_or_404(talk.id)


def put(browser: Browser, talk: Conversation, state: str, **more: str) -> int:
    return browser.post(f"~/inbox/{talk.id}/state", {"state": state, **more}, headers=FRAGMENT).status_code


def count(browser: Browser, view: str) -> str:
    """The count beside a view's name."""
    page = browser.get("~/inbox/?view=all").text
    link = re.search(rf'<a class="view" href="[^"]*view={view}"(.*?)</a>', page, re.DOTALL)
    assert link
    number = re.search(r"</span>\s*([\d+]+)</span>", link[1])
    return number[1] if number else ""


@pytest.mark.parametrize("state", ["pending", "snoozed", "resolved", "archived", "spam"])
def test_a_conversation_is_in_the_view_of_its_state(
    ann: Browser, carla: Conversation, world: World, state: str
) -> None:
    assert put(ann, carla, state) == 200
    assert "Carla" in ann.get(f"~/inbox/?view={state}").text
    assert ("Carla" in ann.get("~/inbox/?view=all").text) == (state == "pending")


def test_a_change_of_state_is_an_activity_in_the_thread(ben: Browser, carla: Conversation) -> None:
    put(ben, carla, "resolved")
    assert "Ben resolved this" in ben.get(f"~/inbox/{carla.id}").text


def test_a_change_of_state_can_be_undone(ann: Browser, carla: Conversation, world: World) -> None:
    answer = ann.post(f"~/inbox/{carla.id}/state", {"state": "resolved"}, headers=FRAGMENT).text
    assert "Undo" in answer and 'name="state" value="open"' in answer
    put(ann, carla, "open", until="")
    assert again(world, carla).state == "open"


def test_setting_the_same_state_again_changes_nothing(ann: Browser, carla: Conversation, world: World) -> None:
    for _ in range(3):
        put(ann, carla, "resolved")
    with tenant_scope(world.bakery.id):
        assert db.session.query(Activity).count() == 1


@pytest.mark.parametrize("state", ["pending", "snoozed", "resolved", "archived"])
def test_a_customer_who_writes_opens_it_again(ann: Browser, carla: Conversation, world: World, state: str) -> None:
    put(ann, carla, state)
    arrive(message("One more thing", wa_id="16505551234"))
    assert failures() == [] and again(world, carla).state == "open"
    assert "The customer replied. Reopened" in ann.get(f"~/inbox/{carla.id}").text


@pytest.mark.parametrize("state", ["spam", "blocked"])
def test_spam_stays_out_of_the_way(ann: Browser, carla: Conversation, world: World, state: str) -> None:
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).state = state
    arrive(message("Buy now", wa_id="16505551234"))
    assert again(world, carla).state == state


def test_a_snooze_ends_at_its_time(ann: Browser, app: Flask, carla: Conversation, world: World) -> None:
    put(ann, carla, "snoozed", until="hour")
    wake_snoozed(world.bakery.id)
    assert again(world, carla).state == "snoozed"
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).snoozed_until = now() - dt.timedelta(seconds=1)
    enqueue_due()
    wake_snoozed(world.bakery.id)
    assert again(world, carla).state == "open"
    assert "The snooze ended" in ann.get(f"~/inbox/{carla.id}").text


@pytest.mark.parametrize("until", ["1999-01-01T00:00", "yesterday", "9999-01-01T00:00"])
def test_a_snooze_needs_a_time_to_come(ann: Browser, carla: Conversation, world: World, until: str) -> None:
    assert put(ann, carla, "snoozed", until=until) == 422
    assert again(world, carla).state == "open"


def test_a_state_that_is_none_is_refused(ann: Browser, carla: Conversation, world: World) -> None:
    assert put(ann, carla, "nonsense") == 422 and put(ann, carla, "blocked") == 422


def test_counts_are_right(ann: Browser, carla: Conversation, world: World) -> None:
    assert (count(ann, "all"), count(ann, "unassigned"), count(ann, "mine"), count(ann, "unreplied")) == (
        "1",
        "1",
        "",
        "1",
    )
    ann.post(f"~/inbox/{carla.id}/assignment", {"assignee": "me"}, headers=FRAGMENT)
    assert (count(ann, "unassigned"), count(ann, "mine")) == ("", "1")
    put(ann, carla, "snoozed")
    assert (count(ann, "all"), count(ann, "mine"), count(ann, "snoozed")) == ("", "", "1")


def test_an_answer_ends_the_waiting(ann: Browser, carla: Conversation, world: World) -> None:
    assert "Carla" in ann.get("~/inbox/?view=unreplied").text
    ann.post(f"~/inbox/{carla.id}/messages", {"body": "Yes!"}, headers=FRAGMENT)
    assert "Carla" not in ann.get("~/inbox/?view=unreplied").text
    arrive(message("Great", wa_id="16505551234"))
    assert "Carla" in ann.get("~/inbox/?view=unreplied").text


def test_whoever_waits_longest_is_first(ann: Browser, carla: Conversation, world: World) -> None:
    dora = written(world, talk_with(world, "Dora", "16505550001"), "Me too")
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(dora.id).waiting_since = now() - dt.timedelta(hours=2)
    page = ann.get("~/inbox/list?view=unreplied").text
    assert page.index("Dora") < page.index("Carla")
    page = ann.get("~/inbox/list?view=all&sort=waiting").text
    assert page.index("Dora") < page.index("Carla")


def test_windows_that_close_soon_are_a_view(ann: Browser, carla: Conversation, world: World) -> None:
    assert "Carla" not in ann.get("~/inbox/list?view=closing").text
    with tenant_scope(world.bakery.id):
        Conversation.get_or_404(carla.id).last_inbound_at = now() - dt.timedelta(hours=22)
    assert "Carla" in ann.get("~/inbox/list?view=closing").text


def talk_with(world: World, name: str, wa_id: str) -> Conversation:
    with tenant_scope(world.bakery.id):
        from app.wabas.models import PhoneNumber

        number = db.session.scalars(db.select(PhoneNumber)).one()
    return conversation(number, wa_id=wa_id, name=name)


def test_a_list_goes_on_page_by_page_in_every_order(ann: Browser, carla: Conversation, world: World) -> None:
    for n in range(45):
        talk = talk_with(world, f"Person {n:02}.", f"4915100000{n:03}")
        with tenant_scope(world.bakery.id):
            it = Conversation.get_or_404(talk.id)
            it.last_message_at = it.waiting_since = it.last_inbound_at = now() - dt.timedelta(minutes=n + 1)
    for sort in ("newest", "waiting", "closing"):
        first = ann.get(f"~/inbox/list?view=all&sort={sort}").text
        more = re.search(r'before=([^"&]+)', first)
        assert more
        second = ann.get(f"~/inbox/list?view=all&sort={sort}&before={more[1]}").text
        names = re.findall(r'row-name">([^<]+)<', first + second)
        assert len(names) == 46 and len(set(names)) == 46, sort


def test_the_unread_filter_shows_what_i_have_not_read(
    ann: Browser, ben: Browser, carla: Conversation, world: World
) -> None:
    assert "Carla" in ann.get("~/inbox/list?filter=unread").text
    ann.post(f"~/inbox/{carla.id}/reading", headers=FRAGMENT)
    assert "Carla" not in ann.get("~/inbox/list?filter=unread").text
    assert "Carla" in ben.get("~/inbox/list?filter=unread").text


def test_unread_again_is_for_one_agent(ann: Browser, ben: Browser, carla: Conversation) -> None:
    for browser in (ann, ben):
        browser.post(f"~/inbox/{carla.id}/reading", headers=FRAGMENT)
    ann.post(f"~/inbox/{carla.id}/unreading", headers=FRAGMENT)
    assert "row-unread" in ann.get("~/inbox/").text and "row-unread" not in ben.get("~/inbox/").text


def test_a_view_is_saved_and_shared(ann: Browser, ben: Browser, sue: Browser, carla: Conversation) -> None:
    ann.post("~/inbox/views", {"name": "Urgent", "view": "closing", "shared": "1"})
    assert "Urgent" in ben.get("~/inbox/").text
    ben.post("~/inbox/views", {"name": "Bens own", "view": "mine"})
    assert "Bens own" in ben.get("~/inbox/").text and "Bens own" not in ann.get("~/inbox/").text
    assert sue.get("~/inbox/views").status_code == 404


def test_a_shared_view_is_not_an_agents_to_remove(ann: Browser, ben: Browser, world: World) -> None:
    ann.post("~/inbox/views", {"name": "Urgent", "view": "closing", "shared": "1"})
    results = re.search(r"/inbox/views/([0-9a-f-]{36})/removal", ann.get("~/inbox/views").text)
    assert results and "/removal" not in ben.get("~/inbox/views").text
    assert ben.post(f"~/inbox/views/{results[1]}/removal").status_code == 403
    assert ann.post(f"~/inbox/views/{results[1]}/removal").status_code == 303


@pytest.mark.parametrize("junk", ["view=nope", "sort=;drop", "number=1", "team=x&agent=y", "before=junk", "filter=no"])
def test_garbage_in_an_address_shows_the_usual_list(ann: Browser, carla: Conversation, junk: str) -> None:
    answer = ann.get(f"~/inbox/?{junk}")
    assert answer.status_code == 200 and "Carla" in answer.text


def test_a_tag_is_a_view(ann: Browser, carla: Conversation, world: World) -> None:
    from app.contacts.tags import Tag

    with tenant_scope(world.bakery.id):
        vip, other = Tag.get_or_make("VIP"), Tag.get_or_make("Other")
        vip.put_on(carla.contact_id)
    assert "Carla" in ann.get(f"~/inbox/list?view=all&tag={vip.id}").text
    assert "Carla" not in ann.get(f"~/inbox/list?view=all&tag={other.id}").text
    assert "VIP" in ann.get("~/inbox/").text


def test_the_first_page_is_light(ann: Browser, carla: Conversation, world: World) -> None:
    """60 kB of HTML at most, with a full list."""
    for n in range(30):
        written(
            world, talk_with(world, f"Person {n:02}", f"4915100000{n:03}"), "Two rye loaves and one croissant, please"
        )
    assert len(ann.get("~/inbox/").data) < 60_000


def test_a_conversation_is_not_merged_or_blocked_by_its_state(ben: Browser, carla: Conversation, world: World) -> None:
    for state in ("merged", "blocked"):
        assert ben.post(f"~/inbox/{carla.id}/state", {"state": state}, headers=FRAGMENT).status_code == 422
        assert again(world, carla).state == "open"


def test_who_has_resolved_everything_is_done(ann: Browser, carla: Conversation) -> None:
    put(ann, carla, "resolved")
    page = ann.get("~/inbox/?view=all").text
    assert "All done" in page and "No conversations yet" not in page
