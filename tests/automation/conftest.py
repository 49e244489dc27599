"""Automations of Bakery, and Carla who writes to it."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from app.automation.definitions import Definition
from app.automation.models import ACTIVE_STATES, Automation, AutomationRun, AutomationStep, AutomationTrace
from app.automation.runner import advance
from app.contacts.fields import ContactField
from app.contacts.tags import Tag
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.activities import Activity
from app.tenancy import Actor, db, tenant_scope, uuid7
from tests.arrivals import arrive, graph_answering
from tests.happenings import deliver_to_subscriber
from tests.posts import message
from tests.world import World

Json = dict[str, Any]


class Shop:
    """Bakery with a number. What happens is worked off at once, as workers would."""

    def __init__(self, world: World) -> None:
        self.world, self.id = world, world.bakery.id
        self.number, _ = world.connect_numbers()

    def rule(
        self, trigger: str | Json, *steps: Json, conditions: list[Json] | None = None, **settings: Any
    ) -> Automation:
        """An automation that is published and on."""
        name, mode = settings.pop("name", "Welcome"), settings.pop("mode", "all")
        group = {"kind": "group", "mode": mode, "items": conditions or []}
        kind = trigger if isinstance(trigger, dict) else {"kind": trigger}
        with tenant_scope(self.id):
            definition = Definition.read({"trigger": kind, "conditions": group, "steps": list(steps)})
            automation = Automation.create(name, definition, **settings)
            automation.publish(by=Actor.agent(self.world.ann))
            automation.switch(is_on=True)
        return automation

    def write(self, words: str = "Hello", *, works: bool = True, **more: Any) -> Message:
        """Carla writes, and automations do what they do."""
        wamid = f"wamid.{uuid.uuid4()}"
        arrive(message(words, wamid=wamid, **more))
        if works:
            self.work()
        with tenant_scope(self.id):
            rows: Message = db.session.scalars(db.select(Message).where(Message.wamid == wamid)).one()
            return rows

    def tap(self, title: str) -> Message:
        reply = {"type": "button_reply", "button_reply": {"id": "button-1", "title": title}}
        return self.write(type="interactive", interactive=reply)

    def hear(self) -> None:
        for name in ("automations_stop", "automations"):
            deliver_to_subscriber(name, self.id)

    def work(self) -> None:
        """Subscribers hear what happened, and runs go on until they wait."""
        for _ in range(10):
            self.hear()
            runs = [run.id for run in self.runs() if run.state == "running"]
            for run_id in runs:
                self.advance(run_id)
            if not runs:
                return

    def advance(self, run_id: uuid.UUID) -> None:
        with tenant_scope(self.id):
            advance(run_id)

    def runs(self) -> list[AutomationRun]:
        with tenant_scope(self.id):
            return list(db.session.scalars(db.select(AutomationRun).order_by(AutomationRun.id)))

    @property
    def run(self) -> AutomationRun:
        (run,) = self.runs()
        return run

    def steps(self) -> list[AutomationStep]:
        with tenant_scope(self.id):
            return list(db.session.scalars(db.select(AutomationStep).order_by(AutomationStep.id)))

    def results(self) -> list[str]:
        return [step.result for step in self.steps()]

    def sent(self) -> list[str]:
        """What automations sent, oldest first."""
        with tenant_scope(self.id):
            mine = Message.author_kind == "automation", Message.state != "cancelled"
            return [one.words for one in db.session.scalars(db.select(Message).where(*mine).order_by(Message.id))]

    def decisions(self) -> list[Json]:
        """What was decided about the last happening."""
        with tenant_scope(self.id):
            last = db.session.scalars(db.select(AutomationTrace).order_by(AutomationTrace.id.desc())).first()
            return last.decisions if last else []

    @property
    def why(self) -> list[str]:
        return [one["why"] for one in self.decisions()]

    @property
    def talk(self) -> Conversation:
        with tenant_scope(self.id):
            return db.session.scalars(Conversation.newest_first()).first()  # type: ignore[return-value]

    def change(self, **values: Any) -> None:
        with tenant_scope(self.id):
            for name, value in values.items():
                setattr(Conversation.get_or_404(self.talk.id), name, value)

    def tag(self, name: str, *, on: bool = False) -> str:
        with tenant_scope(self.id):
            tag = Tag.get_or_make(name)
            if on:
                tag.put_on(self.talk.contact_id, by=Actor.agent(self.world.ann))
            return str(tag.id)

    def tags(self) -> list[str]:
        with tenant_scope(self.id):
            return [tag.name for tag in Conversation.get_or_404(self.talk.id).contact.tags]

    def field(self, name: str, kind: str = "text", value: str = "", choices: list[str] | None = None) -> str:
        with tenant_scope(self.id):
            field = ContactField.named(name)
            if field is None:
                field = ContactField(id=uuid7(), name=name, kind=kind, choices=choices or [], position=1)
                db.session.add(field)
                db.session.flush()
            if value:
                field.put_on(self.talk.contact_id, value)
            return str(field.id)

    def value(self, name: str) -> str:
        from app.contacts.fields import ContactFieldValue

        with tenant_scope(self.id):
            field = ContactField.named(name)
            assert field
            mine = ContactFieldValue.field_id == field.id
            return db.session.scalar(db.select(ContactFieldValue.value).where(mine)) or ""

    def activities(self) -> list[str]:
        with tenant_scope(self.id):
            return list(db.session.scalars(db.select(Activity.kind).order_by(Activity.id)))

    def reply_as_ann(self, words: str = "Ann here") -> None:
        with tenant_scope(self.id):
            talk = Conversation.get_or_404(self.talk.id)
            talk.reply(words, by=Actor.agent(self.world.ann), client_id=uuid.uuid4())

    def is_active(self) -> bool:
        return any(run.state in ACTIVE_STATES for run in self.runs())


def reply(words: str, **more: Any) -> Json:
    return {"kind": "reply", "text": words} | more


def keyword(*words: str, mode: str = "exact") -> Json:
    return {"kind": "keyword", "mode": mode, "words": list(words)}


@pytest.fixture
def shop(world: World) -> Shop:
    graph_answering(lambda _: httpx.Response(500))
    return Shop(world)
