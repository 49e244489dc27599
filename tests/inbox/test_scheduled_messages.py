from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select
from werkzeug.exceptions import NotFound

from app.inbox.conversations import Conversation, Later, Message
from app.inbox.outbound import jobs
from app.tenancy import Actor, Tenant, db, now, tenant_scope
from tests.arrivals import arrive
from tests.enqueued import Enqueued
from tests.posts import message
from tests.world import BAKERY_NUMBER, SHOES_NUMBER, World


def schedule(tenant: Tenant, count: int) -> None:
    with tenant_scope(tenant.id):
        talk = db.session.scalars(select(Conversation)).one()
        for _ in range(count):
            talk.reply("later", by=Actor("api"), client_id=uuid.uuid4(), later=Later(now()))


def test_what_one_business_has_scheduled_does_not_delay_another_business(
    world: World, enqueued: Enqueued, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.connect_numbers()
    arrive(message(number=BAKERY_NUMBER), message(number=SHOES_NUMBER))
    schedule(world.bakery, 3)
    schedule(world.shoes, 1)
    monkeypatch.setattr(jobs, "AT_ONCE", 2)
    jobs.release_scheduled()
    tenants = {job.args[0] for job in enqueued.jobs if job.func_name == "outbound.release"}
    assert tenants == {str(world.bakery.id), str(world.shoes.id)}


def test_a_job_of_one_business_releases_no_message_of_another(world: World) -> None:
    world.connect_numbers()
    arrive(message(number=BAKERY_NUMBER))
    schedule(world.bakery, 1)
    with tenant_scope(world.bakery.id):
        id = db.session.scalars(select(Message.id).where(Message.state == "scheduled")).one()
    with pytest.raises(NotFound):
        jobs.release_message(str(world.shoes.id), str(id))
    with tenant_scope(world.bakery.id):
        assert Message.get_or_404(id).state == "scheduled"
