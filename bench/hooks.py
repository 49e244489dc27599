"""How many webhooks a second one process delivers, over TLS to a sink of this machine, and what delays whom.

`python -m bench.hooks sink PORT FOLDER` is the sink; `python -m bench.hooks deliver PORT FOLDER` sends what waits, and
prints what it cost.
"""

from __future__ import annotations

import asyncio
import json
import pathlib
import ssl
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
from sqlalchemy import text

from app import create_app
from app.config import Settings
from app.egress import Egress
from app.extensions import outside
from app.garbage import collect_rarely
from app.hooks.deliverer import Deliverer
from app.hooks.endpoints import WebhookEndpoint
from app.tenancy import Actor, db, happened_each, platform_scope, tenant_scope
from app.tenancy.jobs import deliver_happenings
from bench.desk import superuser
from bench.report import percentile, table
from bench.town import Town
from dev.stack import ROOT, Stack, free_port
from tests.push.push_services import NAME, OPEN_INTERNET, certified

EVENTS = 10_000
CONVERSATIONS, EACH = 1_000, 10
BEHIND = 1_000_000
MESSAGES = text("select id, conversation_id, phone_number_id from messages where tenant_id = :tenant order by id")
WAITING = text("""
    select exists (select from webhook_deliveries d join webhook_endpoints e on e.tenant_id = d.tenant_id
        and e.id = d.endpoint_id where d.state = 'waiting' and e.description <> 'behind')
""")
# A webhook that has a million events to catch up with, written as quickly as the database takes them.
BACKLOG = text("""
    insert into webhook_deliveries (tenant_id, id, endpoint_id, event_id, event_ids, type, is_ordered, is_collecting,
        state, attempts, tries, next_attempt_at, error, created_at)
    select :tenant, gen_random_uuid(), :endpoint, gen_random_uuid(), array[cast(:event as uuid)], 'webhook.test', false,
        false, 'waiting', 0, 0, now(), '', now()
    from generate_series(1, :count)
""")


# The sink


class Connection(asyncio.Protocol):
    """Takes requests one after the other, notes when each came, and answers at once; under /hang never."""

    taken: defaultdict[str, list[float]] = defaultdict(list)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.waiting = transport, b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while True:
            head, ends, rest = self.waiting.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            if not ends or len(rest) < length:
                return
            self.waiting = rest[length:]
            path = head.split(b" ", 2)[1].decode()
            if path == "/taken":
                self.answer(json.dumps(self.taken).encode())
                self.taken.clear()
                continue
            self.taken[path].append(time.time())
            if path != "/hang":
                self.answer(b"ok")

    def answer(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        self.transport.write(head + body)  # type: ignore[attr-defined]


async def serve(port: int, folder: pathlib.Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "push.crt", folder / "push.key")
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=1024, ssl=context)
    await server.serve_forever()


# The deliverer


def deliver(port: int, folder: pathlib.Path) -> None:
    trust = ssl.create_default_context(cafile=str(folder / "push.crt"))
    with create_app().app_context():
        outside().egress = Egress(lambda *_: [OPEN_INTERNET], trust=trust, route=lambda _: ("127.0.0.1", port))
        collect_rarely()
        began = time.process_time()
        while is_waiting():
            Deliverer(outside().egress).run()
    print(json.dumps({"cpu": time.process_time() - began}))


def is_waiting() -> bool:
    with platform_scope("bench"):
        return bool(db.session.scalar(WAITING))


# The measures


@dataclass
class Measure:
    """So many businesses with one webhook each, at which messages have arrived."""

    name: str
    businesses: int = 1
    events: int = EVENTS
    # Another business with a million deliveries waiting, whose server hangs.
    is_beside_a_hanging_one: bool = False

    def run(self, stack: Stack, port: int, folder: pathlib.Path) -> list[str]:
        wrote = sum(self.write(place) for place in range(self.businesses))
        if self.is_beside_a_hanging_one:
            fall_behind()
        with httpx.Client(verify=False, base_url=f"https://127.0.0.1:{port}", trust_env=False) as sink:
            sink.get("/taken")
            command = [sys.executable, "-m", "bench.hooks", "deliver", str(port), str(folder)]
            began = time.time()
            done = subprocess.run(command, cwd=ROOT, env=stack.env, stdout=subprocess.PIPE, check=True)
            cost = json.loads(done.stdout.splitlines()[-1])["cpu"]
            taken: dict[str, list[float]] = sink.get("/taken", timeout=60).json()
        return self.row(taken, cost, wrote, began)

    def write(self, place: int) -> float:
        """Has its messages happen, and the subscriber write the deliveries. Returns how long the latter took."""
        town = Town.named(f"{self.name}-{place}".replace(" ", "-"))
        share = self.events // self.businesses
        town.fill(share // EACH, EACH)
        with tenant_scope(town.tenant.id):
            WebhookEndpoint.create(f"https://{NAME}/{place}", by=Actor.system("bench"))
            rows = db.session.execute(MESSAGES, {"tenant": town.tenant.id}).all()
            facts = [
                (row.id, {"conversation_id": str(row.conversation_id), "phone_number_id": str(row.phone_number_id)})
                for row in rows
            ]
            happened_each("message.received", [(id, fact | {"type": "text"}) for id, fact in facts])
        began = time.monotonic()
        for _ in range(share // 500 + 1):
            deliver_happenings(town.tenant.id, "webhooks")
        return time.monotonic() - began

    def row(self, taken: dict[str, list[float]], cost: float, wrote: float, began: float) -> list[str]:
        times = sorted(at for path, came in taken.items() if path != "/hang" for at in came)
        rate = len(times) / (times[-1] - times[0])
        waits = [at - times[0] for at in times]
        return [
            self.name,
            f"{len(times):,}",
            f"{rate:.0f}/s",
            f"{cost / len(times) * 1000:.2f} ms",
            f"{self.events / wrote:.0f}/s",
            f"{times[0] - began:.1f} s",
            f"{percentile(waits, 0.95):.1f} s",
        ]


def fall_behind() -> None:
    town = Town.named("behind")
    with tenant_scope(town.tenant.id):
        endpoint = WebhookEndpoint.create(f"https://{NAME}/hang", by=Actor.system("bench"), description="behind")
        first = endpoint.send_test(by=Actor.system("bench"))
        db.session.flush()
        values: dict[str, Any] = {"tenant": town.tenant.id, "endpoint": endpoint.id, "event": first.event_id}
        db.session.execute(BACKLOG, values | {"count": BEHIND})
    with platform_scope("bench"):
        db.session.execute(text("analyze webhook_deliveries"))


def read_on(superuser_url: str, count: int = BEHIND) -> list[str]:
    """How long the subscriber takes for a page, at the beginning and further on, when it is so far behind."""
    town = Town.named("far-behind")
    town.fill(1, 1)
    with tenant_scope(town.tenant.id):
        WebhookEndpoint.create(f"https://{NAME}/behind", by=Actor.system("bench"))
        row = db.session.execute(MESSAGES, {"tenant": town.tenant.id}).one()
        facts = {"conversation_id": str(row.conversation_id), "phone_number_id": str(row.phone_number_id)}
        happened_each("message.received", [(row.id, facts | {"type": "text"})])
    deliver_happenings(town.tenant.id, "webhooks")
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for _ in range(count // TOGETHER):
            connection.execute(HAPPENINGS, {"tenant": town.tenant.id, "count": TOGETHER})
    times = [page_of(town.tenant.id) for _ in range(100)]
    first, last = (f"{percentile(part, 0.5) * 1000:.0f} ms" for part in (times[:20], times[-20:]))
    return ["far behind", f"{count:,}", first, last]


def page_of(tenant_id: uuid.UUID) -> float:
    began = time.monotonic()
    deliver_happenings(tenant_id, "webhooks")
    return time.monotonic() - began


# The same thing happens many times more, in one transaction.
TOGETHER = 1_000
HAPPENINGS = """
insert into happenings (tenant_id, id, kind, subject_id, facts, at)
select h.tenant_id, uuidv7(), h.kind, h.subject_id, h.facts, now()
from (select * from happenings where tenant_id = %(tenant)s limit 1) h cross join generate_series(1, %(count)s)
"""

MEASURES = (
    Measure("one webhook"),
    Measure("twenty businesses", businesses=20),
    Measure("beside a million behind, hanging", events=5_000, is_beside_a_hanging_one=True),
)


def run(stack: Stack) -> None:
    folder = stack.folder / "hooks"
    folder.mkdir()
    certified(folder)
    port = free_port(9_700)
    stack.start("hook-sink", f"{sys.executable} -m bench.hooks sink {port} {folder}")
    time.sleep(2)
    with create_app(Settings.from_environment(stack.env)).app_context():
        rows = [measure.run(stack, port, folder) for measure in MEASURES]
    stack.parts.pop("hook-sink").stop()
    heads = ["", "delivered", "rate", "CPU each", "written", "first after", "95 % within"]
    table("Webhooks of one process (aims: 1,000/s; a hanging one delays no other)", heads, rows)
    with create_app(Settings.from_environment(stack.env)).app_context():
        row = read_on(superuser(stack))
    table("Reading on (aim: a page takes as long wherever it is)", ["", "happenings", "first pages", "later"], [row])


if __name__ == "__main__":
    what, number, place = sys.argv[1:]
    if what == "sink":
        asyncio.run(serve(int(number), pathlib.Path(place)))
    else:
        deliver(int(number), pathlib.Path(place))
