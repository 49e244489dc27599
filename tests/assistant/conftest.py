"""Bakery's assistant with a scripted model over HTTP, and Carla, who writes to it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from app.assistant.access import ModelAccess
from app.assistant.answering import answer
from app.assistant.assistant import Assistant, Setup
from app.assistant.engagements import Engagement
from app.assistant.knowledge import KnowledgeSource
from app.assistant.phrases import DISCLOSURES
from app.assistant.turns import AssistantTurn
from app.extensions import outside
from app.inbox.conversations import Conversation, Message
from app.inbox.desk.notes import Note
from app.tenancy import Actor, db, now, tenant_scope
from dev.model import MODEL, create_app
from tests.simulated import Served
from tests.world import World, conversation

QUESTIONS = {
    "Do you have rye bread?": "Yes, we bake rye bread every day. A loaf costs 4.20 €.",
    "When are you open?": "We are open Monday to Saturday from 7:00 to 18:00, and closed on Sunday.",
    "Do you deliver croissants to offices?": "We deliver from 20 croissants on. Write to office@bakery.example.",
    "¿Tienen medialunas los domingos?": "Los domingos estamos cerrados. Hay medialunas de lunes a sábado.",
    "Machen Sie Geburtstagstorten?": "Ja, wir backen Geburtstagstorten. Bitte drei Tage vorher bestellen.",
}


class Model:
    """The scripted model, and what it was asked."""

    def __init__(self, url: str, app: Flask) -> None:
        self.url, self.app = url, app

    @property
    def requested(self) -> list[dict[str, Any]]:
        return self.app.config["ASKED"]  # type: ignore[no-any-return]


@pytest.fixture
def model(app: Flask) -> Iterator[Model]:
    scripted = create_app(slow_seconds=0.3)
    with Served(scripted) as served:
        usual = outside().egress.inside
        outside().egress.inside = (served.url,)
        yield Model(served.url, scripted)
        outside().egress.inside = usual


class Shop:
    """Bakery with an assistant, and one customer."""

    def __init__(self, world: World, model: Model) -> None:
        self.world, self.model = world, model
        self.number, _ = world.connect_numbers()
        self.carla = conversation(self.number)
        self.ann = Actor.agent(world.ann)
        self.count = 0
        with tenant_scope(world.bakery.id):
            access = ModelAccess(provider="openai", base_url=f"{model.url}/v1", model=MODEL)
            access.id = uuid.uuid4()
            access.tenant_id = world.bakery.id
            access.key, access.input_price, access.output_price = "sk-secret", 1_000_000, 2_000_000
            db.session.add(access)
            for question, words in QUESTIONS.items():
                KnowledgeSource.add("question", question, body=words, by=self.ann)
        self.set_up()
        self.switch("alone")

    def set_up(self, **changes: Any) -> None:
        """Publishes a version with these changes."""
        with tenant_scope(self.world.bakery.id):
            assistant = Assistant.get_or_make()
            now_live = assistant.version.setup if assistant.version else SETUP
            version = assistant.save(now_live.model_copy(update=changes), by=self.ann)
            assistant.publish(version)

    def switch(self, mode: str) -> None:
        with tenant_scope(self.world.bakery.id):
            Assistant.get_or_make().switch(mode)

    def use_model(self, name: str) -> None:
        with tenant_scope(self.world.bakery.id):
            access = ModelAccess.current()
            assert access
            access.model = name

    def write(self, words: str, *, ago: float = 0, waits: dt.timedelta = dt.timedelta(), **more: Any) -> None:
        """A customer's message arrives, a moment after everything before it."""
        self.count += 1
        with tenant_scope(self.world.bakery.id):
            at = now() - dt.timedelta(seconds=ago)
            incoming = Message(conversation_id=self.carla.id, phone_number_id=self.number.id, direction="inbound")
            incoming.body, incoming.type, incoming.state, incoming.wamid = (
                words,
                "text",
                "received",
                f"wamid.{self.count}",
            )
            incoming.occurred_at = at
            for name, value in more.items():
                setattr(incoming, name, value)
            db.session.add(incoming)
            talk = Conversation.get_or_404(self.carla.id)
            talk.last_inbound_at = talk.waiting_since = at
            Engagement.postpone([talk.id], waits)

    def think_if_due(self) -> None:
        with tenant_scope(self.world.bakery.id):
            answer(self.carla.id)

    def think(self) -> AssistantTurn:
        """Runs the assistant's turn. Returns the last one."""
        with tenant_scope(self.world.bakery.id):
            answer(self.carla.id)
        return self.turns()[-1]

    def ask(self, words: str, **more: Any) -> AssistantTurn:
        self.write(words, **more)
        return self.think()

    def turns(self) -> list[AssistantTurn]:
        with tenant_scope(self.world.bakery.id):
            return list(db.session.query(AssistantTurn).order_by(AssistantTurn.created_at, AssistantTurn.id))

    def sent(self) -> list[Message]:
        """What went out, oldest first."""
        with tenant_scope(self.world.bakery.id):
            query = db.session.query(Message).filter_by(direction="outbound")
            return list(query.order_by(Message.occurred_at, Message.id))

    def notes(self) -> list[str]:
        with tenant_scope(self.world.bakery.id):
            return [note.body for note in db.session.query(Note).order_by(Note.occurred_at)]

    def talk(self) -> Conversation:
        with tenant_scope(self.world.bakery.id):
            return Conversation.get_or_404(self.carla.id)

    def do(self, act: Callable[[Conversation], object]) -> None:
        with tenant_scope(self.world.bakery.id):
            act(Conversation.get_or_404(self.carla.id))

    def reply_by_hand(self, words: str, by: Actor | None = None) -> None:
        self.do(lambda talk: talk.reply(words, by=by or self.ann, client_id=uuid.uuid4()))


SETUP = Setup(name="Rosie", purpose="Questions about the bakery.", disclosure=dict(DISCLOSURES), debounce_seconds=0)


@pytest.fixture
def shop(world: World, model: Model) -> Shop:
    return Shop(world, model)
