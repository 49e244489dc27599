"""What customers send: posts of every kind, some twice, some late; posted again until they are acknowledged."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from typing import Any

import httpx

from app.inbox.conversations import Message
from app.meta.outgoing import Outgoing
from app.tenancy import Actor, db, tenant_scope
from app.wabas.models import PhoneNumber
from bench.chaos.database import Database
from bench.chaos.findings import Finding
from bench.chaos.model import Model
from bench.town import Town
from tests.posts import message, post, signed, status
from tests.world import conversation, number

POSTERS = 8
PEOPLE = 15
DOUBLED, DISORDERED, BATCHED = 0.10, 0.05, 0.15
FAR = 200
# In a hundred changes.
MIX = {"text": 66, "status": 14, "reaction": 10, "edit": 5, "revoke": 2, "location": 3}
PATHS = (("sent",), ("sent", "delivered"), ("sent", "delivered", "read"), ("sent", "read"), ("sent", "failed"))
Change = dict[str, Any]


class Inbound:
    """Three businesses with four numbers; `rate` posts a second at most."""

    def __init__(self, door: str, count: int, dice: random.Random, rate: float) -> None:
        self.door, self.count, self.dice, self.rate = door, count, dice, rate
        self.model = Model()
        self.repeated = 0
        self.lock = threading.Lock()
        towns = [Town.named(f"inbound-{n}") for n in range(3)]
        second = number(towns[0].tenant, "990000000000001", "990000000000002", "+1 555 078 3882")
        self.numbers = [(town, town.number, town.waba_meta_id) for town in towns]
        self.numbers.append((towns[0], second, "990000000000001"))
        self.start = int(time.time()) - count - 3600
        self.mine = {
            made.meta_id: self.sent_before(town, made, f"166{nth}") for nth, (town, made, _) in enumerate(self.numbers)
        }
        self.bubbles: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.posts = self.shuffle(self.in_batches([self.change(n) for n in range(count)]))

    def sent_before(self, town: Town, made: PhoneNumber, code: str) -> list[str]:
        """Messages of ours that Meta has taken already, each in a conversation of its own."""
        wamids = []
        for n in range(max(3, self.count // 100)):
            wa_id, wamid = f"{code}{n:07}", f"wamid.ours.{made.meta_id}.{n}"
            talk = conversation(made, wa_id)
            with tenant_scope(town.tenant.id):
                talk = db.session.merge(talk)
                owner = Actor.agent(town.owner)
                ours = Message.outbound(talk, Outgoing("text", "Ours"), by=owner, client_id=None)  # type: ignore[arg-type]
                ours.state, ours.wamid, ours.occurred_at = "accepted", wamid, ours.occurred_at.replace(microsecond=0)
                db.session.add(ours)
                db.session.flush()
                talk.show_last(ours)
                talk.last_inbound_at = None
            self.model.wrote(made.meta_id, wamid, wa_id, int(ours.occurred_at.timestamp()))
            wamids.append(wamid)
        return wamids

    def change(self, n: int) -> tuple[str, Change]:
        """A change, and the WABA it is about. Each is a second later than the one before."""
        _, made, waba = self.dice.choice(self.numbers)
        wa_id, at = f"1650{self.dice.randrange(PEOPLE):07}", self.start + n
        (kind,) = self.dice.choices([*MIX], weights=[*MIX.values()])
        if kind == "status":
            wamid = self.dice.choice(self.mine[made.meta_id]) if self.dice.random() < 0.95 else f"wamid.else.{n % 9}"
            step = self.dice.choice(self.dice.choice(PATHS))
            return waba, status(wamid, step, number=made.meta_id, at=at - at % 5)
        change = self.about_another(kind, (made.meta_id, wa_id), n)
        wamid = f"wamid.chaos.{n}"
        if not change or kind == "location":
            self.bubbles[made.meta_id, wa_id].append(wamid)
        return waba, message(f"Message {n}", number=made.meta_id, wa_id=wa_id, wamid=wamid, at=at, **change)

    def about_another(self, kind: str, where: tuple[str, str], n: int) -> Change:
        if kind == "location":
            return {"type": kind, kind: {"latitude": 38.9, "longitude": -77.0}}
        before = self.bubbles[where][-20:]
        if kind == "text" or not before:
            return {}
        about = self.dice.choice(before) if self.dice.random() < 0.97 else f"wamid.elsewhere.{n}"
        if kind == "reaction":
            return {"type": kind, kind: {"message_id": about, "emoji": self.dice.choice(["👍", "❤️", ""])}}
        edited = {"message": {"type": "text", "text": {"body": f"Edited {n}"}}} if kind == "edit" else {}
        return {"type": kind, kind: {"original_message_id": about, **edited}}

    def in_batches(self, changes: list[tuple[str, Change]]) -> list[bytes]:
        """Mostly one change to a post, sometimes several of one WABA."""
        open_: dict[str, list[Change]] = defaultdict(list)
        bodies = []
        for waba, change in changes:
            open_[waba].append(change)
            if len(open_[waba]) >= 5 or self.dice.random() > BATCHED:
                bodies.append(post(*open_.pop(waba), waba=waba))
        return bodies + [post(*left, waba=waba) for waba, left in open_.items()]

    def shuffle(self, bodies: list[bytes]) -> list[bytes]:
        for body in bodies:
            self.model.read(body)
        again = self.dice.sample(range(len(bodies)), int(len(bodies) * DOUBLED))
        places = [(n, body) for n, body in enumerate(bodies)] + [
            (n + self.dice.randrange(FAR), bodies[n]) for n in again
        ]
        late = set(self.dice.sample(range(len(places)), int(len(places) * DISORDERED)))
        shaken = [
            (place + self.dice.randint(-FAR, FAR) if n in late else place, body)
            for n, (place, body) in enumerate(places)
        ]
        return [body for _, body in sorted(shaken, key=lambda each: each[0])]

    def run(self) -> None:
        """Returns when every post has been acknowledged."""
        self.waiting = list(enumerate(self.posts))[::-1]
        self.began = time.monotonic()
        posters = [threading.Thread(target=self.deliver) for _ in range(POSTERS)]
        for poster in posters:
            poster.start()
        for poster in posters:
            poster.join()

    def next(self) -> tuple[int, bytes] | None:
        with self.lock:
            return self.waiting.pop() if self.waiting else None

    def deliver(self) -> None:
        """Like Meta: again and again until there is a 200."""
        with httpx.Client(base_url=self.door, timeout=5, trust_env=False) as client:
            while item := self.next():
                time.sleep(max(0.0, self.began + item[0] / self.rate - time.monotonic()))
                while not self.is_acknowledged(client, item[1]):
                    self.repeated += 1
                    time.sleep(0.1)

    def is_acknowledged(self, client: httpx.Client, body: bytes) -> bool:
        try:
            return client.post("/webhooks/whatsapp", content=body, headers=signed(body)).status_code == 200
        except httpx.HTTPError:
            return False

    def findings(self, database: Database) -> list[Finding]:
        return database.against(self.model, [made.meta_id for _, made, _ in self.numbers])
