"""A whole automation as data, and changing it part by part."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from flask_babel import gettext as _
from pydantic import BaseModel, ConfigDict, model_validator

from app.hours.models import ServicePolicy
from app.words import N_

from .conditions import Group, Hours, LocalTime, Weekday
from .filling import variable_troubles
from .parts import DEEPEST, MOST_CONDITIONS, MOST_STEPS, AnyTrigger, Condition, Names, Step, Steps
from .triggers import MessageReceived

LARGEST = 200_000

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """A step with its place: how deep it is, the block it is in, and the step that the block belongs to."""

    step: Step
    depth: int
    place: int
    siblings: int
    block: str = ""
    parent: Step | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a definition. `blocks`: it can't be published like that."""

    words: str
    step_id: uuid.UUID | None = None
    blocks: bool = True
    # The page where one changes it, if it is another one.
    endpoint: str = ""


class Definition(BaseModel):
    """What a version pins."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    trigger: AnyTrigger
    conditions: Group = Group()
    steps: Steps = ()

    @model_validator(mode="after")
    def bounded(self) -> Self:
        placed = list(self.walk())
        if len(placed) > MOST_STEPS or any(one.depth >= DEEPEST for one in placed):
            raise ValueError("too many steps, or too deep")
        if len({one.step.id for one in placed}) < len(placed):
            raise ValueError("two steps have one id")
        if self.conditions.size > MOST_CONDITIONS:
            raise ValueError("too many conditions")
        return self

    @classmethod
    def blank(cls) -> Self:
        return cls(trigger=MessageReceived())

    @classmethod
    def read(cls, value: Any) -> Self:
        """From JSON. Raises `ValueError`."""
        return cls.model_validate(value)

    @classmethod
    def imported(cls, text: str | bytes) -> Self:
        """From an exported file. Raises `ValueError`."""
        if len(text) > LARGEST:
            raise ValueError("too large")
        return cls.model_validate(with_new_ids(json.loads(text)))

    def as_json(self) -> Json:
        return self.model_dump(mode="json")

    def walk(self) -> Iterator[Placed]:
        """Every step, in the order in which one reads them aloud."""
        yield from walk(self.steps)

    def find(self, step_id: object) -> Placed | None:
        return next((one for one in self.walk() if str(one.step.id) == str(step_id)), None)

    def first(self) -> Step | None:
        return self.steps[0] if self.steps else None

    def after(self, step: Step, block: str = "") -> Step | None:
        """The step that follows: the first of the block it goes into, else the next one, here or further out."""
        if block and (inside := step.block(block)):
            return inside[0]
        placed = self.find(step.id)
        while placed:
            row = placed.parent.block(placed.block) if placed.parent else self.steps
            if placed.place + 1 < len(row):
                return row[placed.place + 1]
            placed = self.find(placed.parent.id) if placed.parent else None
        return None

    def troubles(self, names: Names) -> list[Trouble]:
        """What has to be changed, and what one should know, before it is switched on."""
        problems_found = [Trouble(words) for words in self.trigger.problems()]
        if not self.steps:
            problems_found.append(Trouble(str(_("Add at least one step."))))
        parts = [(None, self.trigger), *((None, one) for one in self.conditions.walk())]
        for id, part in [*parts, *((one.step.id, one.step) for one in self.walk())]:
            missing = [source for source, ref in part.references() if not names.has(source, ref)]
            problems_found += [Trouble(str(_(MISSING)), id) for _source in missing]
            problems = [*part.problems(), *part.wording_problems()] if isinstance(part, Step) else []
            problems_found += [Trouble(words, id) for words in problems]
        return [*problems_found, *self.value_troubles(names), *self.window_troubles(), *self.hours_troubles()]

    def value_troubles(self, names: Names) -> Iterator[Trouble]:
        """Variables and conditions that name what this automation does not have."""
        steps = [one.step for one in self.walk()]
        for words, step_id, blocks in variable_troubles(self.trigger, self.conditions, steps, names):
            yield Trouble(words, step_id, blocks)

    def all_conditions(self) -> Iterator[Condition]:
        """Its own, and those of its steps."""
        yield from self.conditions.walk()
        for placed in self.walk():
            if isinstance(group := getattr(placed.step, "conditions", None), Group):
                yield from group.walk()

    @property
    def looks_for_closed(self) -> bool:
        return any(isinstance(one, Hours) and one.when == "closed" for one in self.all_conditions())

    @property
    def writes(self) -> bool:
        return any(placed.step.writes for placed in self.walk())

    @property
    def is_for_closed(self) -> bool:
        """Whether it has words of its own for messages that come while the business is closed."""
        return "message.received" in self.trigger.happenings and self.looks_for_closed and self.writes

    @property
    def is_greeting(self) -> bool:
        """Whether it writes to all alike, whatever they say and whenever: a welcome, “we got your message”."""
        looks_at_time = any(isinstance(one, Hours | Weekday | LocalTime) for one in self.all_conditions())
        asks = any(placed.step.kind in ASKS for placed in self.walk())
        return self.trigger.kind in GREETS and self.writes and not looks_at_time and not asks

    def hours_troubles(self) -> Iterator[Trouble]:
        """A condition that is never so, as the business has not set its hours; and a second text while it is closed."""
        if not (self.looks_for_closed or self.is_greeting):
            return
        policy = ServicePolicy.current()
        if policy.hours.is_always_open and self.looks_for_closed:
            yield Trouble(str(_(ALWAYS_OPEN)), blocks=False, endpoint=HOURS)
        elif policy.away_text and not policy.hours.is_always_open:
            if self.is_for_closed:
                yield Trouble(str(_(INSTEAD_OF_AWAY)), blocks=False, endpoint=HOURS)
            elif self.is_greeting:
                yield Trouble(str(_(AWAY_INSTEAD)), blocks=False, endpoint=HOURS)

    def window_troubles(self) -> Iterator[Trouble]:
        """Steps that can only be sent while the customer may be answered freely, where that is not certain."""
        is_open = self.trigger.opens_window
        for one in self.walk():
            waits_long = one.step.kind in ("wait", "wait_hours")
            if one.step.needs_window and not is_open:
                yield Trouble(str(_(WINDOW)), one.step.id, blocks=False)
            is_open = (is_open and not waits_long) or one.step.kind in ("ask", "wait_reply")


MISSING = N_("Something this refers to was deleted. Choose it again.")
ALWAYS_OPEN = N_(
    "You are always open, so it is never outside business hours. Set your opening hours in Settings, Business hours."
)
INSTEAD_OF_AWAY = N_(
    "Business hours have an out-of-office reply too. Customers get only one: this where it replies, else the other."
)
AWAY_INSTEAD = N_(
    "While you are closed, customers get the out-of-office reply of Business hours instead of this text. "
    "Everything else is done as usual."
)
HOURS = "hours.show"
# What any message begins; and steps that are no greeting.
GREETS = ("message", "first_message", "window_opens")
ASKS = ("ask", "wait_reply")
WINDOW = N_("If the 24-hour reply window is closed by then, this isn't sent. Send a template instead.")


def walk(steps: tuple[Step, ...], depth: int = 0, block: str = "", parent: Step | None = None) -> Iterator[Placed]:
    for place, step in enumerate(steps):
        yield Placed(step, depth, place, len(steps), block, parent)
        for name in step.blocks:
            yield from walk(step.block(name), depth + 1, name, step)


def with_new_ids(value: Any) -> Any:
    """The steps of a copy have ids of their own."""
    if isinstance(value, list):
        return [with_new_ids(one) for one in value]
    if isinstance(value, dict):
        fresh = {name: with_new_ids(one) for name, one in value.items()}
        return fresh | {"id": str(uuid.uuid4())} if "id" in value and "kind" in value else fresh
    return value


def rows_of(definition: Json) -> Iterator[list[Json]]:
    """Every list of steps in the JSON of a definition."""
    waiting = [definition["steps"]]
    while waiting:
        row = waiting.pop()
        yield row
        for step in row:
            waiting += [step[name] for name in Step.of_kind(step["kind"]).blocks if name in step]


def row_at(definition: Json, parent: str, block: str) -> list[Json] | None:
    """The list of steps in a block of a step, or the outermost one."""
    if not parent:
        return definition["steps"]  # type: ignore[no-any-return]
    for row in rows_of(definition):
        for step in row:
            if step["id"] == parent and block in Step.of_kind(step["kind"]).blocks:
                return step.setdefault(block, [])  # type: ignore[no-any-return]
    return None


def with_step(
    definition: Definition, step: Step, parent: str = "", block: str = "", place: int | None = None
) -> Definition:
    """With a step added to a block. Raises `ValueError`."""
    value = definition.as_json()
    row = row_at(value, parent, block)
    if row is None:
        raise ValueError("no such block")
    row.insert(len(row) if place is None else place, step.as_json())
    return Definition.read(value)


def with_changed_step(definition: Definition, step: Step) -> Definition:
    """With another step of the same id; its blocks stay."""
    value, changed = definition.as_json(), step.as_json()
    for row in rows_of(value):
        for place, one in enumerate(row):
            if one["id"] == changed["id"]:
                row[place] = changed | {name: one[name] for name in step.blocks if name in one}
    return Definition.read(value)


def without_step(definition: Definition, step_id: uuid.UUID) -> Definition:
    value = definition.as_json()
    for row in rows_of(value):
        row[:] = [one for one in row if one["id"] != str(step_id)]
    return Definition.read(value)


def with_moved_step(definition: Definition, step_id: uuid.UUID, by: int) -> Definition:
    """With a step moved up or down within its block."""
    value = definition.as_json()
    for row in rows_of(value):
        for place, one in enumerate(row):
            if one["id"] == str(step_id) and 0 <= place + by < len(row):
                row[place], row[place + by] = row[place + by], row[place]
                return Definition.read(value)
    return definition
