"""The tools of one turn: those that a person switched on, with ids that we fill in and not the model."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app.contacts.tags import Tag
from app.inbox.conversations import Conversation, Refusal
from app.message_templates.models import MessageTemplate
from app.team.models import Team
from app.tenancy import Actor, commit, db, now

from .actions import ActionCall, AssistantAction
from .assistant import Setup
from .lookups import LOOKUPS, Lookup
from .prompt import ToolSpec
from .providers.completion import ToolCall
from .turns import AssistantTurn


@dataclass
class Switched:
    """What is switched on, by the names that the model uses. `pretends`: nothing is called or changed."""

    tags: dict[str, uuid.UUID] = field(default_factory=dict)
    teams: dict[str, uuid.UUID] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    actions: dict[str, ActionCall] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    contact_id: uuid.UUID | None = None
    turn_id: uuid.UUID | None = None
    pretends: bool = False
    # What was called: the name, and what came of it.
    called: list[tuple[ActionCall, str]] = field(default_factory=list)

    @classmethod
    def of(
        cls, setup: Setup, *, contact_id: uuid.UUID | None, turn_id: uuid.UUID | None, pretends: bool = False
    ) -> Switched:
        tools = setup.tools
        tags = db.session.scalars(select(Tag).where(Tag.id.in_(tools.tags))).all() if tools.tags else []
        teams = db.session.scalars(select(Team).where(Team.id.in_(tools.teams))).all() if tools.teams else []
        mine = AssistantAction.in_order().where(AssistantAction.id.in_(tools.actions))
        actions = db.session.scalars(mine).all() if tools.actions else []
        return cls(
            tags={tag.name: tag.id for tag in tags},
            teams={team.name: team.id for team in teams},
            templates={key.partition("|")[0]: key for key in tools.templates},
            actions={action.key: action.call for action in actions},
            descriptions={action.key: action.description for action in actions},
            lookups={one.key: one for name in tools.lookups if (one := LOOKUPS.get(name))},
            contact_id=contact_id,
            turn_id=turn_id,
            pretends=pretends,
        )

    @property
    def specs(self) -> Sequence[ToolSpec]:
        specs = []
        if self.tags:
            specs.append(ToolSpec("set_tag", "Tags the customer.", {"tag": f"one of: {', '.join(self.tags)}"}))
        if self.teams:
            teams = {"team": f"one of: {', '.join(self.teams)}"}
            specs.append(ToolSpec("assign_team", "Gives the conversation to a team.", teams))
        if self.templates:
            names = {"template": f"one of: {', '.join(self.templates)}"}
            specs.append(ToolSpec("send_template", "Sends the customer an approved template.", names))
        for key, lookup in self.lookups.items():
            specs.append(ToolSpec(key, lookup.description, {}, about=lookup.words))
        for key, call in self.actions.items():
            specs.append(ToolSpec(key, self.descriptions[key], dict.fromkeys(call.parameters, "text")))
        return specs

    def accepts(self, call: ToolCall) -> bool:
        """Only with the arguments that it has: whom it is about is never the model's to say."""
        offered: dict[str, tuple[str, Mapping[str, object]]] = {
            "set_tag": ("tag", self.tags),
            "assign_team": ("team", self.teams),
            "send_template": ("template", self.templates),
        }
        if call.name in offered:
            name, values = offered[call.name]
            value = call.arguments.get(name)
            return call.arguments.keys() == {name} and isinstance(value, str) and value in values
        if call.name in self.lookups:
            return not call.arguments
        return call.name in self.actions and call.arguments.keys() <= {*self.actions[call.name].parameters}

    def fetch(self, call: ToolCall) -> dict[str, Any] | None:
        if lookup := self.lookups.get(call.name):
            answer = lookup.answer(self.contact_id) if self.contact_id else ""
            commit()
            return {"tool": call.name, "answer": answer, "problem": ""}
        if (action := self.actions.get(call.name)) is None:
            return None
        if self.pretends:
            return {"tool": call.name, "answer": "", "problem": "pretended"}
        once = str(uuid.uuid5(self.turn_id or uuid.uuid4(), f"{call.name} {len(self.called)}"))
        if self.turn_id:
            AssistantTurn.note_call(self.turn_id, call.name)
            commit()
        answer, problem = action.run(call.arguments, self.contact_id, once)
        self.called.append((action, problem))
        return {"tool": call.name, "answer": answer, "problem": problem}

    def note_calls(self) -> None:
        """Records on the actions how they went. Called in a transaction."""
        for call, problem in self.called:
            if (action := AssistantAction.find(call.id)) is not None:
                action.problem, action.called_at = problem, now()

    def execute(self, calls: Sequence[ToolCall], conversation: Conversation, by: Actor) -> None:
        """Runs the tools that change something here, for this contact, in the transaction of the answer."""
        for call in calls:
            if not self.accepts(call):
                continue
            if call.name == "set_tag":
                Tag.get_or_404(self.tags[call.arguments["tag"]]).put_on(conversation.contact_id, by=by)
            elif call.name == "assign_team":
                conversation.give_to_team(Team.get_or_404(self.teams[call.arguments["team"]]), by=by)
            elif call.name == "send_template":
                self.send_template(self.templates[call.arguments["template"]], conversation, by)

    def send_template(self, key: str, conversation: Conversation, by: Actor) -> None:
        """A template without variables; one that needs them, or that the gate refuses, is not sent."""
        name, _bar, language = key.partition("|")
        template = MessageTemplate.sendable_called(conversation.phone_number.waba_id, name, language)
        if template is None or self.turn_id is None or not template.goes_as_it_is:
            return
        with contextlib.suppress(Refusal):
            conversation.send(template.filled({}), by=by, client_id=uuid.uuid5(self.turn_id, key))
