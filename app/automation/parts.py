"""What an automation is made of: one trigger, conditions, steps. Each kind is a class; later features add their own.

A part is data that a form can fill in: its fields say which input they are (`entry`, `choice`, `ref` …), and its
sentence is made from them in the reader's language.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from flask_babel import gettext as _
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.folding import fold
from app.languages import OWN_NAMES
from app.wordings import worded

MOST_STEPS, MOST_CONDITIONS, DEEPEST = 100, 30, 4
LONGEST_TEXT = 4_096
# The stored value, also of versions that are published: the name in code and on pages is “unassigned”.
UNASSIGNED = "nobody"


class UnknownKind(ValueError):
    """A part of a kind that nothing here knows."""


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a part, as a form shows it. `source` names what a reference is chosen from."""

    name: str
    widget: str
    label: str
    hint: str
    options: tuple[tuple[str, str], ...]
    source: str
    is_needed: bool
    default: Any
    most: int | None
    # Whether customers read it, so that it can be written in several languages.
    is_spoken: bool
    # Whether variables in it are replaced by their values.
    is_filled: bool


class Part(BaseModel):
    """The base of triggers, conditions and steps. `title` is what a menu calls the kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)
    registry: ClassVar[dict[str, type[Any]]]
    title: ClassVar[str] = ""
    group: ClassVar[str] = ""
    kind: str = ""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        if kind := cls.model_fields["kind"].default:
            if kind in cls.registry:
                raise ValueError(f"two kinds are called {kind}")
            cls.registry[kind] = cls

    @classmethod
    def of_kind(cls, kind: object) -> type[Any]:
        if not isinstance(kind, str) or kind not in cls.registry:
            raise UnknownKind("unknown kind")
        return cls.registry[kind]

    @classmethod
    def read(cls, value: Any) -> Self:
        """A part from its JSON. Raises `ValueError`."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            raise UnknownKind("not an object")
        return cls.of_kind(value.get("kind")).model_validate(value)  # type: ignore[no-any-return]

    @classmethod
    def inputs(cls) -> list[Input]:
        """The fields that a form offers, in order."""
        return [input_of(name, info) for name, info in cls.model_fields.items() if extra_of(info).get("widget")]

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    @property
    def edition(self) -> str:
        """What a form began with: it differs once somebody else has saved something else."""
        values = self.as_json()
        held = json.dumps([self.kind, *(values[one.name] for one in self.inputs()), values.get("wordings")])
        return hashlib.sha256(held.encode()).hexdigest()[:20]

    def sentence(self, names: Names) -> str:
        """What it does, to be read aloud."""
        return str(_(self.title))

    def references(self) -> Iterator[tuple[str, str]]:
        """What it refers to, each as (source, id)."""
        for one in type(self).inputs():
            value = getattr(self, one.name)
            if one.source and value:
                yield one.source, str(value)

    def problems(self) -> list[str]:
        """What has to be changed before it can be used, in words."""
        return []


def extra_of(info: FieldInfo) -> dict[str, Any]:
    return info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


def input_of(name: str, info: FieldInfo) -> Input:
    extra = extra_of(info)
    default = info.get_default(call_default_factory=True)
    return Input(
        name=name,
        widget=extra["widget"],
        label=extra["label"],
        hint=extra.get("hint", ""),
        options=tuple(map(tuple, extra.get("options", ()))),
        source=extra.get("source", ""),
        is_needed=bool(extra.get("is_needed")),
        default=None if default is PydanticUndefined else default,
        most=extra.get("most"),
        is_spoken=bool(extra.get("is_spoken")),
        is_filled=bool(extra.get("is_filled")),
    )


def entry(
    label: str,
    *,
    most: int = 200,
    hint: str = "",
    needed: bool = True,
    area: bool = False,
    spoken: bool = False,
    filled: bool = True,
) -> Any:
    """A field of words; `spoken` where customers read them, `filled` where a step replaces variables in them."""
    extra: Any = {
        "widget": "area" if area else "entry",
        "label": label,
        "hint": hint,
        "is_needed": needed,
        "most": most,
        "is_spoken": spoken,
        "is_filled": filled,
    }
    given: dict[str, Any] = {"min_length": 1} if needed else {"default": ""}
    return Field(max_length=most, json_schema_extra=extra, **given)


def lines(
    label: str,
    *,
    most: int,
    longest: int = 200,
    hint: str = "",
    needed: bool = True,
    spoken: bool = False,
    filled: bool = False,
) -> Any:
    """A list, one line for each."""
    extra: Any = {"widget": "lines", "label": label, "hint": hint, "is_needed": needed, "most": most * (longest + 2)}
    extra |= {"is_spoken": spoken, "is_filled": filled}
    given: dict[str, Any] = {"min_length": 1} if needed else {"default": ()}
    return Field(max_length=most, json_schema_extra=extra, **given)


def choice(label: str, options: dict[str, str], *, default: str = "", hint: str = "") -> Any:
    extra: Any = {"widget": "choice", "label": label, "hint": hint, "options": [list(pair) for pair in options.items()]}
    return Field(default=default or next(iter(options)), json_schema_extra=extra)


def count(label: str, *, least: int, most: int, default: int, hint: str = "") -> Any:
    return Field(
        default=default, ge=least, le=most, json_schema_extra={"widget": "count", "label": label, "hint": hint}
    )


def ref(label: str, source: str, *, hint: str = "", needed: bool = True, none: str = "") -> Any:
    """A reference to a row of the business, chosen from `source`; `none` names what leaving it empty means."""
    extra: Any = {"widget": "ref", "label": label, "hint": hint, "source": source, "is_needed": needed}
    extra["options"] = [["", none]]
    given: dict[str, Any] = {"min_length": 1} if needed else {"default": ""}
    return Field(max_length=200, json_schema_extra=extra, **given)


def tick(label: str, *, hint: str = "", default: bool = False) -> Any:
    return Field(default=default, json_schema_extra={"widget": "tick", "label": label, "hint": hint})


def clock(label: str, *, default: str, hint: str = "") -> Any:
    extra: Any = {"widget": "clock", "label": label, "hint": hint}
    return Field(default=default, pattern=r"^([01]\d|2[0-3]):[0-5]\d$", json_schema_extra=extra)


class Names:
    """What the rows are called that parts refer to. Each source is read once, when something asks for it."""

    sources: ClassVar[dict[str, Callable[[], dict[str, str]]]] = {}

    def __init__(self) -> None:
        self.read: dict[str, dict[str, str]] = {}

    @classmethod
    def source(cls, name: str) -> Callable[[Callable[[], dict[str, str]]], Callable[[], dict[str, str]]]:
        """Registers what a source offers: ids and names, in the order of a menu."""

        def register(read: Callable[[], dict[str, str]]) -> Callable[[], dict[str, str]]:
            cls.sources[name] = read
            return read

        return register

    def all(self, source: str) -> dict[str, str]:
        if source not in self.read:
            self.read[source] = self.sources[source]()
        return self.read[source]

    def of(self, source: str, id: str) -> str:
        return self.all(source).get(id) or str(_("(deleted)"))

    def has(self, source: str, id: str) -> bool:
        return id in self.all(source)


class Trigger(Part):
    """What an automation begins with. `happenings` are the kinds of `app.tenancy.catalogue` that it listens to.

    `is_conversational`: a customer wrote, so a person who has the conversation answers, and no automation does.
    """

    registry: ClassVar[dict[str, type[Any]]] = {}
    happenings: ClassVar[tuple[str, ...]] = ()
    is_conversational: ClassVar[bool] = False
    # Whether the reply window is open for certain when it begins.
    opens_window: ClassVar[bool] = False
    # Which values a run has from its beginning, for variables in its texts; `more_values` says when it has others.
    values: ClassVar[tuple[str, ...]] = ()
    more_values: ClassVar[str] = ""

    def matches(self, turn: Any) -> Miss | None:
        """Why this happening does not begin it; None where it does."""
        return None


@dataclass(frozen=True, slots=True)
class Miss:
    """Why not: `seen` is the value that was there."""

    seen: str = ""


class Condition(Part):
    registry: ClassVar[dict[str, type[Any]]] = {}

    def values_read(self) -> tuple[str, ...]:
        """The values of the run that it looks at."""
        return ()

    def check(self, turn: Any) -> tuple[bool, str]:
        """Whether it holds, and the value seen."""
        raise NotImplementedError


class Step(Part):
    """`blocks` are the lists of further steps that it may go into, each with its words."""

    registry: ClassVar[dict[str, type[Any]]] = {}
    blocks: ClassVar[dict[str, str]] = {}
    # Whether it sends something, and whether that needs the reply window.
    sends: ClassVar[bool] = False
    needs_window: ClassVar[bool] = False
    # Which field holds what a customer chooses from, if one does.
    options: ClassVar[str] = ""
    id: uuid.UUID = Field(default_factory=uuid.uuid4)
    # What customers read, in further languages: by language, then by field.
    wordings: dict[str, dict[str, str | tuple[str, ...]]] = Field(default={}, exclude_if=lambda wordings: not wordings)

    @model_validator(mode="after")
    def check_wordings(self) -> Self:
        """Each wording is as good as the usual one."""
        if self.wordings:
            usual = self.model_dump(exclude={"wordings", *self.blocks})
            for language, texts in self.wordings.items():
                if language not in OWN_NAMES or not texts.keys() <= {one.name for one in self.spoken()}:
                    raise ValueError("no such wording")
                type(self).model_validate(usual | texts)
        return self

    @classmethod
    def spoken(cls) -> list[Input]:
        """What customers read of it."""
        return [one for one in cls.inputs() if one.is_spoken]

    def values_made(self) -> tuple[str, ...]:
        """The values that later steps can use."""
        return ()

    def texts(self) -> Iterator[tuple[str, bool]]:
        """What is written in it, in every language, each with whether its variables are replaced."""
        for one in type(self).inputs():
            if one.widget in ("entry", "area", "lines"):
                for written in (getattr(self, one.name), *(texts.get(one.name) for texts in self.wordings.values())):
                    for text in (written,) if isinstance(written, str) else written or ():
                        yield text, one.is_filled

    @property
    def languages(self) -> list[str]:
        """The names of its further languages."""
        return [OWN_NAMES[code] for code in self.wordings]

    def in_language(self, language: str) -> Self:
        """As customers of a language get it. What may be empty is empty where its wording says nothing of it."""
        texts = worded(self.wordings, language)
        if not texts:
            return self
        empty = {one.name: one.default for one in self.spoken() if not one.is_needed}
        return self.model_copy(update=empty | dict(texts))

    def perform(self, turn: Any) -> Any:
        """Does it in the customer's language."""
        return self.in_language(turn.language).do(turn)

    def usual(self, chosen: str) -> str:
        """How the automation calls an option that was chosen in another language; "" where none was."""
        for texts in self.wordings.values():
            pairs = zip(getattr(self, self.options, ()), texts.get(self.options, ()), strict=False)
            for usual, option in pairs:
                if fold(title_of(option)) == fold(chosen):
                    return title_of(usual)
        return ""

    def wording_problems(self) -> list[str]:
        """What has to be changed in its further languages, in words."""
        problems = []
        for code, texts in self.wordings.items():
            wrong = self.in_language(code).problems()
            if self.options and len(texts.get(self.options, ())) != len(getattr(self, self.options)):
                wrong = [str(_("Enter as many choices as in the first text, in the same order."))]
            problems += [f"{OWN_NAMES[code]}: {words}" for words in wrong]
        return problems

    @property
    def writes(self) -> bool:
        """Whether the customer reads something of it."""
        return self.sends

    def block(self, name: str) -> tuple[Step, ...]:
        return getattr(self, name)  # type: ignore[no-any-return]

    def do(self, turn: Any) -> Any:
        """Does it, in one transaction with what is recorded of it. Returns an `Outcome`."""
        raise NotImplementedError

    def resume(self, turn: Any, reply: Any) -> Any:
        """Goes on after a wait: with the customer's message, or None when the time is over."""
        raise NotImplementedError


def title_of(option: str) -> str:
    """Without the description that may follow it."""
    return option.partition("|")[0].strip()


AnyTrigger = Annotated[SerializeAsAny[Trigger], BeforeValidator(Trigger.read)]
AnyCondition = Annotated[SerializeAsAny[Condition], BeforeValidator(Condition.read)]
AnyStep = Annotated[SerializeAsAny[Step], BeforeValidator(Step.read)]
Steps = Annotated[tuple[AnyStep, ...], Field(max_length=MOST_STEPS)]
