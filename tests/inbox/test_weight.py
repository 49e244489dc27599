"""What the desk's pages weigh: a first view comes in one go, also over a bad line."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest
from sqlalchemy import text

from app.entry_points.models import EntryPoint
from app.entry_points.subjects import Subject
from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation
from app.inbox.desk.lists import PAGE as ROWS
from app.inbox.desk.saved_views import SavedView
from app.inbox.desk.thread import PAGE as BUBBLES
from app.team.models import Team
from app.tenancy import Actor, db, now, tenant_scope
from tests import world as people
from tests.client import FRAGMENT, Browser
from tests.world import World

BUDGET = 62_000
WORDS = "Good morning! Could you keep two loaves of rye bread for me until six, and are the rolls from today? Thank you"


@pytest.fixture
def busy(world: World) -> Conversation:
    """A desk with all it can hold: more conversations than a page, each tagged, taken, waiting; a thread on and on."""
    number, _ = world.connect_numbers()
    people.number(world.bakery, "302290129340398", "306540352242922", "+1 555 078 3899")
    talks = [people.conversation(number, wa_id=f"1650555{n:04}", name=f"Customer Number {n}") for n in range(ROWS + 5)]
    with tenant_scope(world.bakery.id):
        db.session.add_all(Team(name=name) for name in ("Ovens", "Counter", "Delivery"))
        db.session.add(ServicePolicy(first_response_minutes=60))
        for name in ("Wholesale", "Today's rolls", "Complaints"):
            db.session.add(SavedView(name=name, owner_id=world.ann.id, is_shared=True, arguments={"view": "all"}))
        entry_point = EntryPoint.create("Villas on our site", number, kind="page")
        for talk in talks:
            row = Conversation.get_or_404(talk.id)
            row.last_message_preview, row.assignee_id = WORDS, world.ben.id
            row.begin_about(Subject("property", "V-12", "Villa in Dakar", 500_000_000_000, "XOF"), entry_point.id)
            row.news_at = row.waiting_since = row.last_message_at = now()
            row.contact.tag("Regular", by=Actor.agent(world.ann))
            row.contact.tag("Complaint", by=Actor.agent(world.ann))
        fill_thread(talks[0], world)
    return talks[0]


def fill_thread(talk: Conversation, world: World) -> None:
    """Both sides in turn, all known to WhatsApp; every fifth answers another, two in ten are a file."""
    rows = [
        {"id": str(uuid.uuid4()), "n": n, "at": (now() - dt.timedelta(minutes=3 * (BUBBLES + 5 - n))).isoformat()}
        for n in range(BUBBLES + 5)
    ]
    values = {"tenant": world.bakery.id, "talk": talk.id, "number": talk.phone_number_id, "ann": world.ann.id}
    db.session.execute(THREAD, values | {"rows": json.dumps(rows), "words": WORDS})


THREAD = text("""
    insert into messages (tenant_id, id, conversation_id, phone_number_id, direction, type, body, state, wamid,
        reply_to_wamid, author_id, client_id, occurred_at, created_at, fence, attempts)
    select :tenant, id, :talk, :number, case when n % 2 = 0 then 'inbound' else 'outbound' end, 'text', :words,
        case when n % 2 = 0 then 'received' else 'read' end, 'wamid.' || n,
        case when n % 5 = 4 then 'wamid.' || (n - 1) end, case when n % 2 = 1 then cast(:ann as uuid) end,
        case when n % 2 = 1 then gen_random_uuid() end, at, at, 0, 0
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, n int, at timestamptz)
""")


@pytest.mark.parametrize("path", ["~/inbox/?view=all", "~/inbox/{id}?view=all"])
def test_a_first_view_is_within_its_budget(ann: Browser, busy: Conversation, path: str) -> None:
    page = ann.get(path.format(id=busy.id)).data
    assert len(page) < BUDGET, f"{len(page):,} bytes"


def test_list_and_details_are_loaded_when_there_is_room_for_them(ann: Browser, busy: Conversation) -> None:
    page = ann.get(f"~/inbox/{busy.id}?view=mine&at=1").text
    assert 'hx-get="/t/bakery/inbox/list?view=mine"' in page
    assert f'hx-get="/t/bakery/inbox/{busy.id}/details"' in page
    pane = ann.get(f"~/inbox/{busy.id}/details").text
    assert "Regular" in pane and "data-back" in pane
    assert "data-back" not in ann.get(f"~/inbox/{busy.id}/details", headers=FRAGMENT).text


def test_a_switch_of_view_brings_the_list_alone(ann: Browser, busy: Conversation) -> None:
    page = ann.get("~/inbox/?view=mine", headers=FRAGMENT).text
    assert page.lstrip().startswith('<div id="list"') and 'hx-target="#views-list"' in page
    back = ann.get("~/inbox/?view=mine", headers=FRAGMENT | {"HX-History-Restore-Request": "true"}).text
    assert back.startswith("<!doctype html>")
