"""Blocking people here and at WhatsApp."""

from __future__ import annotations

from app.inbox.conversations import Conversation
from app.inbox.desk.blocks import Block
from app.inbox.desk.jobs import sync_block
from app.tenancy import db, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.simulated import Road
from tests.world import World


def block_of(world: World) -> Block | None:
    with tenant_scope(world.bakery.id):
        return db.session.query(Block).one_or_none()


def test_blocking_hides_at_once_and_tells_whatsapp_from_a_worker(ann: Browser, road: Road) -> None:
    talk = road.customer_writes("Buy my pills")
    answer = ann.post(f"~/inbox/{talk.id}/block", {"reason": "spam"}, headers=FRAGMENT)
    assert "Blocking at WhatsApp" in answer.text
    assert "Carla" in ann.get("~/inbox/list?view=blocked").text and "Carla" not in ann.get("~/inbox/list?view=all").text
    sync_block(road.world.bakery.id, talk.id)
    assert "Blocked at WhatsApp" in ann.get(f"~/inbox/{talk.id}").text


def test_unblocking_tells_whatsapp_too(ann: Browser, road: Road) -> None:
    talk = road.customer_writes("Buy my pills")
    ann.post(f"~/inbox/{talk.id}/block", {"reason": "spam"}, headers=FRAGMENT)
    sync_block(road.world.bakery.id, talk.id)
    ann.post(f"~/inbox/{talk.id}/state", {"state": "open"}, headers=FRAGMENT)
    sync_block(road.world.bakery.id, talk.id)
    assert block_of(road.world) is None
    with tenant_scope(road.world.bakery.id):
        assert Conversation.get_or_404(talk.id).state == "open"
    road.customer_writes("Sorry!")


def test_a_block_that_whatsapp_refuses_is_explained_and_stays_here(ann: Browser, road: Road) -> None:
    talk = road.customer_writes("Hi", wa_id="16505559999", name="Dan")
    with tenant_scope(road.world.bakery.id):
        conversation = Conversation.get_or_404(talk.id)
        identity = next(one for one in conversation.contact.identities if one.kind == "wa_id")
        identity.value = "10000000000"
    ann.post(f"~/inbox/{talk.id}/block", {"reason": "abuse"}, headers=FRAGMENT)
    sync_block(road.world.bakery.id, talk.id)
    block = block_of(road.world)
    assert block and block.state == "refused" and block.error
    assert "Blocked here only" in ann.get(f"~/inbox/{talk.id}").text


def test_a_block_needs_a_reason(ann: Browser, carla: Conversation) -> None:
    assert ann.post(f"~/inbox/{carla.id}/block", {"reason": ""}, headers=FRAGMENT).status_code == 422
