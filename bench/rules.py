"""Automations: what 50 of them cost beside taking messages in, and how soon a keyword's reply is with Meta.

Targets: the drain keeps 0.95 of its rate; a keyword's reply is handed to Meta within a second of the webhook (p95).
"""

from __future__ import annotations

import statistics
import sys
import time

import httpx

from app import create_app
from app.automation.definitions import Definition
from app.automation.models import Automation
from app.config import Settings
from app.garbage import collect_rarely
from app.tenancy import Actor, tenant_scope
from app.wabas.models import PhoneNumber
from bench.drain import analyse, drain_all, fill, measure
from bench.report import percentile, table
from bench.town import Town
from dev.stack import Stack, port_of
from tests.happenings import deliver_to_subscriber
from tests.posts import message, post, signed

RULES, EVENTS, ROUNDS, SAMPLES = 50, 2_000, 5, 60
# The first reply waits for workers that start.
PATIENCE = 90


def run(stack: Stack) -> None:
    with create_app(Settings.from_environment(stack.env)).app_context():
        collect_rarely()
        towns = {"no rule": Town.named("no-rules"), f"{RULES} rules": Town.named("rules")}
        busy = towns[f"{RULES} rules"]
        for place in range(RULES):
            add_rule(busy, f"keyword{place}", "Yes")
        drained, decided = measured(towns, stack)
        keyword = Town.named("keyword")
        add_rule(keyword, "opening", "We are open until six.")
        with tenant_scope(keyword.tenant.id):
            PhoneNumber.get_or_404(keyword.number.id).waba.token = "EAAsink"
    base = statistics.median(drained["no rule"])
    rows = []
    for name in towns:
        rate, decisions = statistics.median(drained[name]), statistics.median(decided[name])
        rows.append([name, f"{EVENTS / rate:,.0f}/s", f"{base / rate:.2f}", f"{EVENTS / decisions:,.0f}/s"])
    heads = ["", "messages drained", "ratio", "rules decided, messages"]
    table(f"Taking messages in with {RULES} rules (aim: 0.95 of the rate without)", heads, rows)
    times = replies(stack, keyword)
    row = ["keyword reply", *(f"{percentile(times, share) * 1000:.0f}" for share in (0.5, 0.95)), "< 1000"]
    table("From the webhook to Meta, ms", ["", "p50", "p95", "target p95"], [row])


def add_rule(town: Town, word: str, reply: str) -> None:
    with tenant_scope(town.tenant.id):
        definition = Definition.read(
            {
                "trigger": {"kind": "keyword", "mode": "word", "words": [word]},
                "conditions": {"kind": "group", "mode": "all", "items": []},
                "steps": [{"kind": "reply", "text": reply}],
            }
        )
        automation = Automation.create(word, definition)
        automation.publish(by=Actor.agent(town.owner))
        automation.switch(is_on=True)


def measured(towns: dict[str, Town], stack: Stack) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds to drain EVENTS, and to decide the rules for them, in turns."""
    drained: dict[str, list[float]] = {name: [] for name in towns}
    decided: dict[str, list[float]] = {name: [] for name in towns}
    for number in range(ROUNDS + 1):
        for name, town in towns.items():
            fill(town, EVENTS)
            seconds = (
                measure(drain_all),
                measure(lambda town=town: deliver_to_subscriber("automations", town.tenant.id)),
            )
            # The first round makes contacts and conversations.
            if number:
                drained[name].append(seconds[0])
                decided[name].append(seconds[1])
        if not number:
            analyse(stack)
    return drained, decided


def replies(stack: Stack, town: Town) -> list[float]:
    """Seconds from the webhook's arrival to the reply at Meta, one customer after the other."""
    stack.start("sink", f"{sys.executable} -m bench.sink {port_of(stack.meta)}")
    for name in ("door", "worker", "clock"):
        stack.start(name)
    stack.wait_for(f"{stack.door}/healthz")
    stack.wait_for(stack.meta)
    with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
        times = [one_reply(client, stack, town, sample) for sample in range(SAMPLES + 3)]
    for name in ("clock", "worker", "door", "sink"):
        stack.parts.pop(name).stop()
    return times[3:]


def one_reply(client: httpx.Client, stack: Stack, town: Town, sample: int) -> float:
    wa_id = f"4915200{sample:06}"
    body = post(message("opening hours?", number=town.number.meta_id, wa_id=wa_id), waba=town.waba_meta_id)
    started = time.monotonic()
    client.post(f"{stack.door}/webhooks/whatsapp", content=body, headers=signed(body)).raise_for_status()
    while time.monotonic() < started + PATIENCE:
        taken = client.get(f"{stack.meta}/taken/{town.number.meta_id}").json()["taken"]
        if arrived := [at for at, to, _ in taken if to.removeprefix("+") == wa_id]:
            return float(arrived[0]) - started
        time.sleep(0.02)
    raise AssertionError(f"no reply to {wa_id}")
