"""The assistant: finding passages among many, and what it adds to the model's own time.

Targets: retrieval over 50,000 passages p95 < 50 ms; an answer is in the outbox within 300 ms of the model's.
"""

from __future__ import annotations

import datetime as dt
import heapq
import math
import random
import threading
import time
import uuid
from array import array
from operator import mul
from typing import Any

from sqlalchemy import delete, insert, select
from werkzeug.serving import make_server

from app import create_app
from app.assistant.access import ModelAccess
from app.assistant.answering import answer
from app.assistant.assistant import Assistant, Setup
from app.assistant.engagements import Engagement
from app.assistant.knowledge import KnowledgePassage, KnowledgeSource, tenant_mark
from app.assistant.phrases import DISCLOSURES
from app.assistant.retrieval import find
from app.assistant.terms import terms_of
from app.assistant.turns import AssistantTurn
from app.assistant.vectors import PassageVector, code_of, nearest, normalised, packed
from app.config import Settings
from app.extensions import outside
from app.inbox.conversations import Conversation, Message
from app.tenancy import Actor, current_tenant_id, db, now, tenant_scope, uuid7
from bench.report import percentile, table
from bench.town import Town
from dev import model
from dev.stack import Stack

PASSAGES, QUESTIONS, TURNS, CHUNK = 50_000, 200, 40, 2_000
VECTORS, SEARCHES, TOPICS, DIMENSIONS, MODEL_NAME = 25_000, 40, 250, 384, "bench"
# Few words are in nearly every passage and most are in hardly any, as in a language.
WORDS = [f"word{number:05d}" for number in range(20_000)]


def run(stack: Stack) -> None:
    app = create_app(Settings.from_environment(stack.env))
    with app.app_context():
        town = Town.named("assistant")
        with tenant_scope(town.tenant.id):
            fill()
        with tenant_scope(town.tenant.id):
            times = [ask() for _ in range(QUESTIONS)]
            recall, searches = by_meaning()
        town.fill(5, 2)
        turns = answered(town)
    rows = [
        [
            f"find by meaning, {VECTORS:,} vectors",
            f"{percentile(searches, 0.5) * 1000:.0f}",
            f"{percentile(searches, 0.95) * 1000:.0f}",
            "",
        ],
        ["find passages", f"{percentile(times, 0.5) * 1000:.0f}", f"{percentile(times, 0.95) * 1000:.0f}", "< 50"],
        [
            "answer, beyond the model",
            f"{percentile(turns, 0.5) * 1000:.0f}",
            f"{percentile(turns, 0.95) * 1000:.0f}",
            "< 300",
        ],
    ]
    table(f"The assistant with {PASSAGES:,} passages, ms", ["", "p50", "p95", "target p95"], rows)
    heads = ["", "recall@5 against exact search", "target"]
    table("Search by meaning", heads, [[f"{VECTORS:,} vectors", f"{recall:.3f}", "at least 0.95"]])


def sentence(chance: random.Random, length: int) -> str:
    return " ".join(WORDS[min(int(chance.paretovariate(0.7)) - 1, len(WORDS) - 1)] for _ in range(length))


def fill() -> None:
    chance, mark = random.Random(7), tenant_mark(current_tenant_id())
    source = KnowledgeSource.add("text", "Bench", body="x", by=Actor.system("bench"))
    for first in range(0, PASSAGES, CHUNK):
        rows = []
        for number in range(first, first + CHUNK):
            body = sentence(chance, 120)
            terms = [f"{mark}:{term}" for term in terms_of(body)]
            row = {"tenant_id": source.tenant_id, "id": uuid7(), "source_id": source.id, "position": number}
            rows.append(row | {"heading": "Bench", "body": body, "terms": terms, "is_live": True})
        db.session.execute(insert(KnowledgePassage), rows)


QUESTION = random.Random(11)


def ask() -> float:
    question = sentence(QUESTION, 12)
    began = time.perf_counter()
    find([question], threshold=0)
    return time.perf_counter() - began


def by_meaning() -> tuple[float, list[float]]:
    """How many of the five nearest the search finds, and its seconds for each question.

    Vectors have the shape of those of multilingual-e5-small: all point the same way (0.92 of their length), about 250
    topics differ in the rest, and a question is nearer to its passage than to others by little.
    """
    chance = random.Random(5)
    common = scaled([chance.gauss(0, 1) for _ in range(DIMENSIONS)], 0.92)
    topics = [scaled([chance.gauss(0, 1) for _ in range(DIMENSIONS)], 1) for _ in range(TOPICS)]

    def near(own: array[float], others: array[float], spread: float) -> array[float]:
        noise = (chance.gauss(0, spread / math.sqrt(DIMENSIONS)) for _ in range(DIMENSIONS))
        parts = zip(common, own, others, noise, strict=True)
        return array("f", normalised([all + 0.3 * one + 0.15 * other + each for all, one, other, each in parts]))

    def passage() -> array[float]:
        return near(chance.choice(topics), chance.choice(topics), 0.15)

    query = select(KnowledgePassage.id, KnowledgePassage.source_id).order_by(KnowledgePassage.id).limit(VECTORS)
    stored: dict[uuid.UUID, array[float]] = {}
    rows = db.session.execute(query).all()
    for chunk in (rows[first : first + CHUNK] for first in range(0, len(rows), CHUNK)):
        made = {row.id: passage() for row in chunk}
        stored |= made
        db.session.execute(insert(PassageVector), [vector_row(row, made[row.id]) for row in chunk])
    times, found = [], 0
    for _ in range(SEARCHES):
        topic = chance.choice(topics)
        question = near(topic, chance.choice(topics), 0.3)
        began = time.perf_counter()
        nearest_ids = {id for id, _score in nearest(MODEL_NAME, question)[:5]}
        times.append(time.perf_counter() - began)
        exact = heapq.nlargest(5, stored, key=lambda one: sum(map(mul, question, stored[one])))
        found += len(nearest_ids & {*exact})
    return found / (5 * SEARCHES), times


def scaled(vector: list[float], length: float) -> array[float]:
    return array("f", (each * length for each in normalised(vector)))


def vector_row(passage: Any, vector: array[float]) -> dict[str, Any]:
    row = {"tenant_id": current_tenant_id(), "id": passage.id, "source_id": passage.source_id, "model": MODEL_NAME}
    return row | {"code": code_of(vector), "numbers": packed(vector), "is_live": True}


def answered(town: Town) -> list[float]:
    """Seconds that a whole turn took, without the model's."""
    server = make_server("127.0.0.1", 0, model.create_app(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.port}"
    outside().egress.inside = (url,)
    talk = begin(town, url)
    times = []
    for number in range(TURNS):
        with tenant_scope(town.tenant.id):
            write(talk, number)
        began = time.perf_counter()
        with tenant_scope(town.tenant.id):
            answer(talk)
        took = time.perf_counter() - began
        with tenant_scope(town.tenant.id):
            turn = db.session.query(AssistantTurn).order_by(AssistantTurn.created_at.desc()).first()
            assert turn and turn.state == "suggested", turn and (turn.state, turn.reason)
            times.append(took - turn.milliseconds / 1000)
    server.shutdown()
    return times


def begin(town: Town, url: str) -> uuid.UUID:
    with tenant_scope(town.tenant.id):
        access = ModelAccess(provider="openai", base_url=f"{url}/v1", model=model.MODEL, problem="")
        access.input_price = access.output_price = 0
        db.session.add(access)
        assistant = Assistant.get_or_make()
        setup = Setup(name="Bench", purpose="Bench", disclosure=dict(DISCLOSURES), money_per_day=10**12)
        assistant.publish(assistant.save(setup, by=Actor.system("bench")))
        assistant.switch("suggests")
        newest: uuid.UUID = db.session.scalars(Conversation.newest_first().limit(1)).one().id
        return newest


def write(conversation_id: uuid.UUID, number: int) -> None:
    """One question alone: what was asked before would be asked with it."""
    talk = Conversation.get_or_404(conversation_id)
    db.session.execute(delete(Message).where(Message.conversation_id == talk.id))
    incoming = Message(
        conversation_id=talk.id, phone_number_id=talk.phone_number_id, direction="inbound", state="received"
    )
    incoming.body, incoming.type, incoming.wamid = (
        f"What about {WORDS[50 + number]} please?",
        "text",
        f"wamid.bench.{number}",
    )
    db.session.add(incoming)
    talk.last_inbound_at = now()
    Engagement.postpone([talk.id], dt.timedelta())
