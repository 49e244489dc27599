"""A backlog to one number, against Meta's limit of 80 messages a second as the simulator enforces it."""

from __future__ import annotations

import time
import uuid

from sqlalchemy import text

from app import create_app
from app.config import Settings
from app.inbox.jobs import deliver
from app.inbox.models import Conversation
from app.tenancy import db, platform_scope, tenant_scope
from app.wabas.models import PhoneNumber
from app.webhooks.drain import drain_batch
from bench.chaos.outbound import Outbound
from bench.report import table
from dev.stack import Stack

MESSAGES, LIMIT = 2000, 80


def run(stack: Stack) -> None:
    stack.start("simulator", "python -m simulator")
    stack.wait_for(stack.meta)
    # Meta's webhooks also count towards a number's limit, so they are let in as they would be.
    stack.start("web")
    stack.wait_for(f"{stack.web}/healthz")
    with create_app(Settings.from_environment(stack.env)).app_context():
        out = Outbound(stack, MESSAGES)
        number_id = queue(out)
        started = time.monotonic()
        while waiting():
            deliver(out.town.tenant.id, number_id)
        rate = MESSAGES / (time.monotonic() - started)
        with platform_scope("bench"):
            refused = db.session.scalar(text("select count(*) from send_attempts where outcome <> 'accepted'"))
    for name in ("web", "simulator"):
        stack.parts.pop(name).stop()
    rows = [[f"{MESSAGES:,} messages to 100 people", f"{rate:.1f}/s", f"{rate / LIMIT:.2f}", str(refused)]]
    table("One number against Meta's limit of 80/s (aim: 0.85, none refused)", ["", "rate", "share", "refused"], rows)


def queue(out: Outbound) -> uuid.UUID:
    """All of them in the outbox, before the first goes out."""
    while drain_batch():
        pass
    with tenant_scope(out.town.tenant.id):
        talks = db.session.scalars(Conversation.newest_first().limit(100)).all()
        for n in range(MESSAGES):
            talks[n % len(talks)].reply(f"answer {n}", by=out.town.owner, client_id=uuid.uuid4())
        number = PhoneNumber.with_meta_id(out.number_meta_id)
        assert number
        return number.id


def waiting() -> bool:
    with platform_scope("bench"):
        return bool(db.session.scalar(text("select exists (select from messages where state = 'queued')")))
