"""What the backlog of one business does to a message, a job and an import of another: the worst of some."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import redis
from rq.serializers import JSONSerializer
from sqlalchemy import Select, select, text

from app import create_app
from app.config import Settings
from app.contacts.imports import ContactImport
from app.inbox.conversations import Message
from app.tenancy import db, later, tenant_scope
from app.tenancy.lanes import Lane
from bench.report import table
from bench.town import Town
from dev.stack import Stack
from tests.posts import message, post, signed

TRIES, PAUSE = 8, 0.25
POSTS, EACH = 100, 100
JOBS = 1_000
ROWS = 20_000
WAITING = text("select count(*) from webhook_events where drained_at is null")


def run(stack: Stack) -> None:
    """Each neighbour at its worst: 10,000 messages at once; a thousand jobs; three large imports."""
    for name in ("door", "worker"):
        stack.start(name)
    stack.wait_for(f"{stack.door}/healthz")
    with create_app(Settings.from_environment(stack.env)).app_context():
        busy, calm = Town.named("busy"), Town.named("calm")
        lane = Lane("default", connection=redis.Redis.from_url(stack.env["REDIS_URL"]), serializer=JSONSerializer)
        rows = [
            measured("a message, beside 10,000", lambda: one_message(stack, calm), lambda: flood(stack, busy)),
            measured("a job, beside 1,000", lambda: one_job(calm, lane), lambda: enqueue(busy, JOBS)),
            measured("an import of 10, beside three of 20,000", lambda: an_import(calm, 10), lambda: imports(busy)),
        ]
    for name in ("door", "worker"):
        stack.parts.pop(name).stop()
    heads = ["", "idle ms", "beside ms", "ratio"]
    table("What waits beside the backlog of another business (aim: twice its idle time at most)", heads, rows)


def measured(name: str, one: Callable[[], float], backlog: Callable[[], object]) -> list[str]:
    one()
    idle = statistics.median(repeated(one))
    backlog()
    beside = max(repeated(one))
    return [name, f"{idle * 1000:.0f}", f"{beside * 1000:.0f}", f"{beside / idle:.1f}"]


def repeated(one: Callable[[], float]) -> list[float]:
    times = []
    for _ in range(TRIES):
        times.append(one())
        time.sleep(PAUSE)
    return times


def until(is_there: Callable[[], bool]) -> float:
    started = time.perf_counter()
    while not is_there():
        time.sleep(0.005)
    return time.perf_counter() - started


def send(client: httpx.Client, body: bytes) -> None:
    client.post("/webhooks/whatsapp", content=body, headers=signed(body)).raise_for_status()


def one_message(stack: Stack, town: Town) -> float:
    """Seconds from Meta's post to the message's row."""
    wamid = f"wamid.{uuid.uuid4().hex}"
    stored = select(Message.id).where(Message.wamid == wamid)
    with httpx.Client(base_url=stack.door, trust_env=False) as client:
        send(client, post(message("hi", number=town.number.meta_id, wamid=wamid), waba=town.waba_meta_id))
    return until(lambda: is_stored(town, stored))


def is_stored(town: Town, query: Select[Any]) -> bool:
    with tenant_scope(town.tenant.id):
        return db.session.scalar(query) is not None


def flood(stack: Stack, town: Town) -> None:
    with httpx.Client(base_url=stack.door, trust_env=False) as client:
        for n in range(POSTS):
            many = (message("hi", number=town.number.meta_id, wa_id=f"1650{n:03}{k:04}") for k in range(EACH))
            send(client, post(*many, waba=town.waba_meta_id))


def enqueue(town: Town, count: int) -> None:
    for _ in range(count):
        with tenant_scope(town.tenant.id):
            later("outbound.mark_read", uuid.uuid4())


def one_job(town: Town, lane: Lane) -> float:
    """Seconds until a job that does next to nothing is taken."""
    enqueue(town, 1)
    mine = f"{lane.key}:of:{town.tenant.id}"
    return until(lambda: not lane.connection.exists(mine))


def begin_import(town: Town, rows: int) -> uuid.UUID:
    lines = "\n".join(f"Name {n},+1650555{n:04}" for n in range(rows))
    with tenant_scope(town.tenant.id):
        begun = ContactImport.begin("people.csv", f"name,phone\n{lines}\n".encode(), country="US", by=town.owner).id
        later("contacts.advance_import", begun)
    return begun


def an_import(town: Town, rows: int) -> float:
    """Seconds until a file of so many contacts is read and checked."""
    begun = begin_import(town, rows)
    ready = select(ContactImport.id).where(ContactImport.id == begun, ContactImport.state == "ready")
    taken = until(lambda: is_stored(town, ready))
    with tenant_scope(town.tenant.id):
        db.session.get_one(ContactImport, (town.tenant.id, begun)).state = "done"
    return taken


def imports(town: Town) -> None:
    for _ in range(3):
        begin_import(town, ROWS)
