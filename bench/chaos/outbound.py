"""Replies to customers, each with a unique text, compared with the log of the simulated Meta."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections import Counter, defaultdict
from typing import Any

import httpx
from sqlalchemy.exc import DBAPIError

from app.inbox.conversations import Conversation
from app.tenancy import Actor, db, tenant_scope
from app.wabas.models import PhoneNumber
from bench.chaos.database import Database
from bench.chaos.findings import Finding, differences
from bench.chaos.harm import LEASES_END_AFTER, Harm
from bench.town import Town
from dev.stack import Stack

BATCH = 10
LEASE_SECONDS = 60
# Of each hundred calls; the first four take effect although the answer says otherwise.
FAULTS: dict[str, tuple[float, dict[str, Any]]] = {
    "drop-after-accept": (1.0, {}),
    "accept-then-500": (0.3, {}),
    "accept-then-502": (0.2, {}),
    "stall": (0.3, {"seconds": 3}),
    "http500": (0.2, {}),
    "timeout": (0.1, {"seconds": 2}),
    "refuse": (0.3, {}),
    "429": (0.06, {"code": 130429}),
    "error": (0.06, {"code": 130429}),
}
KNOBS = {"duplicates": 0.1, "reorder": 0.05, "delay_spread": 2.0, "reads_by_itself": 0.5}
SENDERS = ("worker", "second", "postgres")
# How far the two clocks and a timer may be apart, in seconds.
SLACK = 0.5
MESSAGES = """
    select m.body, m.state, m.wamid, a.outcome, extract(epoch from a.started_at)::float,
        extract(epoch from a.finished_at)::float, m.error ->> 'title',
        round(extract(epoch from m.next_attempt_at - now())) || ' s'
    from messages m join tenants t on t.id = m.tenant_id and t.slug = 'outbound'
    left join lateral (select * from send_attempts a where a.tenant_id = m.tenant_id and a.message_id = m.id
        order by a.id desc limit 1) a on true
    where m.direction = 'outbound' order by m.id
"""


class Outbound:
    def __init__(self, stack: Stack, count: int, people: int = 200) -> None:
        self.count, self.people = count, people
        self.meta = httpx.Client(base_url=f"{stack.meta}/control/api", timeout=30, trust_env=False)
        self.town = Town.named("outbound")
        ids = self.post("seed", name="Outbound", display_phone_number="+1 555 078 3000")
        self.number_meta_id = ids["phone_number_id"]
        stack.once(
            *("flask", "numbers", "connect", "--tenant", "outbound", "--waba-id", ids["waba_id"]),
            *("--phone-number-id", ids["phone_number_id"], "--token", ids["token"]),
            *("--display-number", "+1 555 078 3000"),
        )
        for n in range(people):
            self.post("inbound", phone_number_id=self.number_meta_id, text="hi", **{"from": f"1650556{n:04}"})

    def post(self, path: str, **body: object) -> dict[str, Any]:
        answer = self.meta.post(f"/{path}", json=body)
        answer.raise_for_status()
        return answer.json()  # type: ignore[no-any-return]

    def misbehave(self) -> None:
        """From now on Meta is at its worst."""
        self.post("knobs", **KNOBS)
        for kind, (share, more) in FAULTS.items():
            times = max(1, round(self.count * share / 100))
            self.post("faults", edge="messages", kind=kind, times=times, chance=2 * times / self.count, **more)

    def behave(self) -> None:
        """From now on Meta makes no mistakes."""
        self.meta.delete("/faults").raise_for_status()

    def talks(self) -> list[uuid.UUID]:
        with tenant_scope(self.town.tenant.id):
            return [talk.id for talk in db.session.scalars(Conversation.newest_first().limit(self.people))]

    def answer(self, dice: random.Random, rate: float) -> None:
        """Agents write, batch by batch; what may not have been saved they save again under the same ids."""
        talks = self.talks()
        order = [n % len(talks) for n in range(self.count)]
        dice.shuffle(order)
        ids = [uuid.uuid4() for _ in order]
        for start in range(0, self.count, BATCH):
            batch = range(start, min(start + BATCH, self.count))
            while not self.save([(talks[order[n]], f"answer {n}", ids[n]) for n in batch]):
                time.sleep(0.2)
            time.sleep(BATCH / rate)

    def save(self, answers: list[tuple[uuid.UUID, str, uuid.UUID]]) -> bool:
        try:
            with tenant_scope(self.town.tenant.id):
                number = PhoneNumber.with_meta_id(self.number_meta_id)
                assert number
                for talk, words, client_id in answers:
                    Conversation.get_or_404(talk).reply(words, by=Actor.agent(self.town.owner), client_id=client_id)
        except DBAPIError:
            return False
        return True

    @property
    def accepted(self) -> list[dict[str, Any]]:
        return self.meta.get("/accepted").json()["accepted"]  # type: ignore[no-any-return]

    @property
    def log(self) -> list[str]:
        """The words of all that Meta took, in its order."""
        return [json.loads(row["body"])["body"] for row in self.accepted]

    @property
    def fates(self) -> dict[str, tuple[str, str]]:
        """By its words: what Meta says became of a message, and its wamid."""
        rows = self.meta.get("/messages").json()["messages"]
        sent = [row for row in rows if row["direction"] == "out"]
        return {json.loads(row["content"])["body"]: (row["status"], row["id"]) for row in sent}

    def is_settled(self, database: Database) -> bool:
        """Nothing is under way any more, on either side."""
        fates = self.fates
        return all(
            (state, wamid) == fates.get(words, ("unknown", None)) for words, state, wamid, *_ in database.rows(MESSAGES)
        )

    def findings(self, database: Database, harms: list[Harm]) -> list[Finding]:
        rows = database.rows(MESSAGES)
        fates = self.fates
        log = self.log
        return [
            *differences("answer", {f"answer {n}": True for n in range(self.count)}, [(row[0], True) for row in rows]),
            *(Finding("doubled", "send", words, 1, times) for words, times in Counter(log).items() if times > 1),
            *(Finding("lost", "accepted answer", words, "a row") for words in set(log) - {row[0] for row in rows}),
            *self.wrong(rows, fates),
            *self.out_of_order(rows, harms),
            *self.find_unexplained(rows, harms),
        ]

    def wrong(self, rows: list[Any], fates: dict[str, tuple[str, str]]) -> list[Finding]:
        """Meta knows what became of it and we do not, or the other way round."""
        differences_found = []
        for words, state, wamid, *_, trouble, wait in rows:
            if words in fates and (state, wamid) != fates[words]:
                differences_found.append(Finding("wrong", "answer", words, fates[words], (state, wamid)))
            elif words not in fates and state in ("queued", "dispatching"):
                differences_found.append(Finding("stuck", "answer", words, "sent or unknown", (state, trouble, wait)))
            elif words not in fates and state != "unknown":
                differences_found.append(Finding("lost", "answer", words, "a fate", state))
        return differences_found

    def out_of_order(self, rows: list[Any], harms: list[Harm]) -> list[Finding]:
        """One message after the other to each person. Only what was on its way while its lease was ended for it may
        come late, from a sender that wakes or from one that waits for Meta: nothing can call it back."""
        began = {row[0]: row[4] for row in rows}
        ends = [harm.began + LEASES_END_AFTER for harm in harms if harm.kind.startswith("stop")]
        talks: dict[str, list[int]] = defaultdict(list)
        for row in self.accepted:
            words = json.loads(row["body"])["body"]
            if not any(began[words] < end + SLACK and row["accepted_at"] > end - SLACK for end in ends):
                talks[row["wa_id"]].append(int(words.removeprefix("answer ")))
        return [Finding("wrong", "order", who, sorted(ns), ns) for who, ns in talks.items() if ns != sorted(ns)]

    def find_unexplained(self, rows: list[Any], harms: list[Harm]) -> list[Finding]:
        reasons = self.reasons(rows, harms)
        return [Finding("unexplained", "unknown", words, "a reason") for words, reason in reasons.items() if not reason]

    def reasons(self, rows: list[Any], harms: list[Harm]) -> dict[str, str]:
        """For each message whose delivery is unconfirmed, why it cannot be known."""
        reasons, silent = {}, []
        for words, state, _, outcome, started, finished, *_ in rows:
            if state == "unknown":
                end = finished or (started or 0) + LEASE_SECONDS
                reasons[words] = self.describe_harm(started, end, harms) if outcome != "accepted" else ""
                if outcome == "unknown" and not reasons[words]:
                    silent.append(words)
        # Meta's silences are counted: no more of them than were ordered.
        for words in silent[: self.struck("http500", "timeout", "refuse")]:
            reasons[words] = "no answer from Meta"
        return reasons

    def describe_harm(self, started: float | None, end: float, harms: list[Harm]) -> str:
        for harm in harms:
            if started and harm.victim in SENDERS and started - 1 < harm.over and harm.began < end:
                return f"{harm.kind} while sending"
        return ""

    def struck(self, *kinds: str) -> int:
        """How often Meta did nothing and did not say so."""
        rows = self.meta.get("/faults").json()["faults"]
        ordered = {kind: max(1, round(self.count * FAULTS[kind][0] / 100)) for kind in kinds}
        return sum(ordered[row["kind"]] - row["remaining"] for row in rows if row["kind"] in ordered)
