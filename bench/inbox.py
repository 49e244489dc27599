"""The inbox's pages with 100,000 conversations, a full request each, row security on."""

from __future__ import annotations

import time

from app import create_app
from app.config import Settings
from app.inbox.conversations import Conversation
from app.team.models import UserSession
from app.tenancy import db, global_scope, tenant_scope
from bench.report import percentile, table
from bench.town import Town
from dev.stack import Stack

CONVERSATIONS, MESSAGES_EACH, REQUESTS = 100_000, 3, 200


def run(stack: Stack) -> None:
    app = create_app(Settings.from_environment(stack.env))
    with app.app_context():
        town = Town.named("inbox")
        town.fill(CONVERSATIONS, MESSAGES_EACH)
        with tenant_scope(town.tenant.id):
            page = db.session.scalars(Conversation.newest_first().limit(50)).all()[-1]
        with global_scope():
            token = UserSession.begin(town.owner, user_agent="bench", ip="127.0.0.1")
    base = "/t/inbox/inbox"
    cursor = f"{round(page.last_message_at.timestamp() * 1_000_000)}-{page.id}"
    pages = {
        "inbox page": f"{base}/",
        "list": f"{base}/list",
        "second page of the list": f"{base}/list?before={cursor}",
        "unread only": f"{base}/list?filter=unread",
        "conversation": f"{base}/{page.id}",
    }
    client = app.test_client()
    with client.session_transaction() as session:
        session.update({"_user_id": token, "_fresh": True})
    rows = []
    for name, path in pages.items():
        times = []
        for _ in range(REQUESTS):
            started = time.perf_counter()
            answer = client.get(path)
            times.append(time.perf_counter() - started)
            assert answer.status_code == 200
        size = f"{len(answer.data) / 1000:.0f} kB"
        rows.append([name, *(f"{percentile(times, share) * 1000:.0f}" for share in (0.5, 0.95)), size])
    heads = ["", "p50 ms", "p95 ms", "size"]
    table(f"Server time with {CONVERSATIONS:,} conversations (aim: under 150 ms)", heads, rows)
