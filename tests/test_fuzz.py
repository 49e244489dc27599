"""Every route with parameters that make no sense: it refuses in words, never with a 500, and within its time.

`FUZZ_ROUNDS` asks for more than the suite has time for.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import random
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from werkzeug.datastructures import MultiDict
from werkzeug.routing import Rule

from app.tenancy import db, global_scope, platform_scope
from app.webhook_events.models import HeldChange, WebhookEvent
from app.webhooks.drain import drain_batch
from tests.client import FRAGMENT, Browser, isolated
from tests.cpu import Meter, cpu_of
from tests.posts import message, post
from tests.test_isolation import WORDS, Foreign
from tests.world import World

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "3"))
VERBS = ("GET", "POST", "PUT", "DELETE")
ID = "01a22463-83b9-75e7-80f6-f816a489c12c"
NASTY = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "-1",
    "0",
    "9" * 30,
    "9" * 400,
    "1e400",
    "NaN",
    "1.5",
    "\u0661\u0662\u0663",
    "\u00b2",
    "true",
    "null",
    "[]",
    "9999-12-31",
    "9999-12-31T23:59",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01",
    "0001-01-01T00:00",
    "0001-01-01T00:00:00+14:00",
    "2026-02-30",
    "25:61",
    f"urn:uuid:{ID}",
    f"{{{ID}}}",
    ID.replace("-", ""),
    ID.upper(),
    "../../etc/passwd",
    "//example.com",
    "\u202e\u05e9\u05dc\u05d5\u05dd",
    "\u738b\u5c0f\u660e" * 30,
    "e\u0301" * 300,
    "\U0001f469\u200d\U0001f467" * 40,
    "'; drop table users; --",
    "<script>alert(1)</script>",
    "%00%ff",
    "a@b.c, " * 300,
    "name=value;" * 40,
    "x" * 5_000,
    "[" * 5_000,
    '{"a":' * 2_000,
    "\n" * 500,
    "*_~`" * 500,
    "| | |",
)
LONG = ("x" * 300_000, "a@b.example\n" * 25_000, "[" * 200_000, "\x00" * 100_000, "\u0301" * 80_000, "@Sue " * 40_000)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    FRAGMENT,
    {"HX-Request": "true", "HX-History-Restore-Request": "true"},
    {"Referer": "http://[::1"},
    {"Referer": "javascript:alert(1)"},
    {"Accept-Language": "x" * 500 + ", \u00ff;q=9, de;q=-1, *;q=NaN"},
    {"Range": "bytes=-0,9999999999999999999999-1"},
    {"Range": "bytes=\u00b2-"},
    {"If-Modified-Since": "Fri, 99 Foo 99999 99:99:99 GMT", "If-None-Match": "W/\u00ff"},
    {"User-Agent": "\u00ff" * 900},
    {"X-Forwarded-For": "not, an, address", "X-Forwarded-Proto": "gopher"},
    {"Cookie": "zone=%00; zone=\u00ff; session=.e30.x.y"},
    {"Last-Event-ID": "9" * 99},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "application/json"},
    {"Content-Type": "application/x-www-form-urlencoded; charset=utf-7"},
)
BODIES = ("", "[" * 100_000, '{"a":' * 50_000, "\x00", "9" * 9_999, "[]", "null", '{"code": [], "\\ud800": 1}', "{")
# Read by name: arguments of addresses and forms, and the fields of forms.
READ = re.compile(
    r'(?:args|form|values|arguments|files)\.(?:get|getlist)\(\s*"([\w-]+)"|_argument\("(\w+)"|form\["(\w+)"\]'
)
FIELD = re.compile(r"^    (\w+)(?:: [\w\[\]. ]+)? = \w*(?:Field|field)\(", re.MULTILINE)
# They end what others need.
LAST = (
    "removal",
    "withdrawal",
    "erasure",
    "disconnection",
    "cancellation",
    "end",
    "sign-out",
    "offboarding",
    "discard",
)


@functools.cache
def names_in(module: str) -> frozenset[str]:
    code = pathlib.Path(str(sys.modules[module].__file__)).read_text()
    return frozenset(word for groups in READ.findall(code) for word in groups if word) | {*FIELD.findall(code)}


def names_read_by(app: Flask, endpoint: str) -> list[str]:
    """The names that a view's module, and the modules it imports from, read from requests."""
    view = sys.modules[app.view_functions[endpoint].__module__]
    origins = {getattr(value, "__module__", None) for value in vars(view).values()} | {view.__name__}
    ours = [name for name in origins if name and name.startswith("app.") and name in sys.modules]
    return sorted(frozenset().union(*map(names_in, ours)))


class Fuzz:
    """One tenant's owner, or a platform admin, who sends anything anywhere."""

    def __init__(self, app: Flask, world: World, seed: int) -> None:
        self.app, self.world = app, world
        self.ids = WORDS | Foreign.create(world).ids | self.console_ids()
        self.ids |= {"token": "x.y.z", "slug": "shoes", "tenant_slug": "shoes"}
        self.dice = random.Random(seed)
        self.adapter = app.url_map.bind("localhost")
        self.slow: list[str] = []
        self.meter = Meter()

    def console_ids(self) -> dict[str, str]:
        """A post, and the change of it that is held, because no one owns its number."""
        with global_scope():
            body = post(message(number="1"), waba="1")
            db.session.execute(text("insert into webhook_events (body) values (:body)"), {"body": body})
        drain_batch()
        with platform_scope("tests"):
            post_id, held_id = db.session.scalar(select(WebhookEvent.id)), db.session.scalar(select(HeldChange.id))
        ids = {"waba_id": ID, "waba_meta_id": "1", "replay_id": ID, "tenant_id": str(self.world.shoes.id)}
        return ids | {"post_id": str(post_id), "held_id": str(held_id)}

    def requests(self) -> Iterator[tuple[Rule, str]]:
        rules = [
            rule for rule in self.app.url_map.iter_rules() if rule.endpoint != "static" and "live" not in rule.rule
        ]
        ordered = sorted(
            rules, key=lambda rule: (rule.rule.endswith(LAST), "GET" not in (rule.methods or ()), rule.rule)
        )
        for rule in ordered:
            for verb in VERBS:
                if verb in (rule.methods or ()):
                    yield rule, verb

    def address(self, rule: Rule) -> str:
        """Its address with ids that exist, and now and then with words that are none."""
        values = {name: self.ids.get(name, ID) for name in rule.arguments}
        for name in rule.arguments & {"person", "code", "what", "kind", "token", "name", "answer"}:
            if self.dice.random() < 0.3:
                values[name] = self.dice.choice(NASTY)[:300].replace("/", "|") or "x"
        typed = {name: int(value) if name in ("held_id", "post_id") else value for name, value in values.items()}
        return self.adapter.build(rule.endpoint, typed, force_external=False)

    def values(self, names: list[str]) -> MultiDict[str, Any]:
        """A value for most of the names, doubled for some."""
        chosen: MultiDict[str, Any] = MultiDict()
        for name in names:
            for _ in range(self.dice.choice((0, 1, 1, 1, 1, 1, 2))):
                pool = NASTY if self.dice.random() < 0.75 else (self.dice.choice([*self.ids.values()]),)
                chosen.add(name, self.dice.choice(pool))
        return chosen

    def body(self, names: list[str]) -> str:
        """A JSON object with values of any type."""
        pool: tuple[Any, ...] = (None, True, -1, 10**30, 1.5, [], [[]], {}, {"a": [1]}, ["x"], ID, *NASTY)
        return json.dumps({name: self.dice.choice(pool) for name in names if self.dice.random() < 0.8})

    def ask(self, browser: Browser, rule: Rule, verb: str, names: list[str], round_: int) -> None:
        values, headers = self.values(names), self.dice.choice(HEADERS)
        if verb != "GET" and round_ % 3 == 2 and names:
            values[self.dice.choice(names)] = self.dice.choice(LONG)
        if verb != "GET":
            headers = headers | {"X-CSRFToken": isolated(browser.csrf_token)}
        options: dict[str, Any] = {"headers": headers}
        if verb in ("GET", "DELETE"):
            options["query_string"] = dict(values.items(multi=True))
        elif "json" in headers.get("Content-Type", ""):
            options["data"] = self.dice.choice((*BODIES, self.body(names), self.body(names)))
        else:
            options["data"] = values if "Content-Type" not in headers else "&".join(f"{n}=%00%ff" for n in names)
        address = self.address(rule)
        answers = []

        def request() -> None:
            answer = isolated(browser.client.open, address, method=verb, buffered=True, **options)
            answers.append(answer.status_code)
            answer.close()

        seconds = cpu_of(request)
        about = (
            f"{verb} {rule.rule} {headers} {str(dict(options.get('query_string') or {}) or options.get('data'))[:1500]}"
        )
        assert answers[0] < 500 or answers[0] == 503, about
        if seconds > self.meter.most and min(cpu_of(request) for _ in range(2)) > self.meter.most:
            self.slow.append(f"{seconds:.2f} s: {about[:300]}")


@pytest.mark.parametrize("seed", range(int(os.environ.get("FUZZ_SEEDS", "1"))))
def test_no_parameter_makes_a_route_fail_or_cost_more_than_it_may(app: Flask, world: World, seed: int) -> None:
    fuzz, failures = Fuzz(app, world, seed), []
    started = time.monotonic()
    for rule, verb in fuzz.requests():
        who = world.pat if rule.rule.startswith("/platform") else world.sue
        names = names_read_by(app, rule.endpoint)
        browser = Browser(app, tenant="shoes").signed_in_as(who).confirmed()
        for round_ in range(ROUNDS):
            try:
                fuzz.ask(browser, rule, verb, names, round_)
            except AssertionError as failed:
                failures.append(str(failed))
    print(f"{time.monotonic() - started:.0f} s")
    assert failures == []
    assert fuzz.slow == []
