"""What a model is asked and what comes back, the same for every provider."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Any

from app.meta.payload import loads

ACTIONS = ("answer", "ask", "hand_over", "stay_silent")
LONGEST_REPLY = 20_000
MOST_CALLS = 5
# Some models wrap their JSON in a block of code.
FENCE = re.compile(r"\A\s*```(?:json)?\s*(.*?)\s*```\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Whom to ask: the provider's protocol, its address, the key, the model."""

    provider: str
    base_url: str
    key: str = field(repr=False)
    model: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that a model looks at or listens to, and its type."""

    content_type: str
    data: bytes = field(repr=False)

    @property
    def base64(self) -> str:
        return base64.b64encode(self.data).decode()


@dataclass(frozen=True, slots=True)
class Prompt:
    """`system` are our instructions; `turns` alternate between ("user", …) and ("assistant", …).

    `files` belong to the last turn.
    """

    system: str
    turns: tuple[tuple[str, str], ...]
    most_tokens: int = 1_000
    files: tuple[Recording, ...] = ()

    @property
    def turns_with_files(self) -> list[tuple[str, str, tuple[Recording, ...]]]:
        last = len(self.turns) - 1
        return [(role, words, self.files if place == last else ()) for place, (role, words) in enumerate(self.turns)]


@dataclass(frozen=True, slots=True)
class Usage:
    input: int = 0
    output: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.input + other.input, self.output + other.output)


NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model asks for. Its name and arguments are the model's words, not to be trusted."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's decision. `finish` is why it stopped: stop, length, filter."""

    reply: str
    action: str
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = NOTHING
    finish: str = "stop"
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Raw:
    """What a provider's answer holds: the model's text, unread."""

    text: str
    usage: Usage
    finish: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said in a recording. Providers count tokens or seconds."""

    text: str
    usage: Usage = NOTHING
    seconds: float = 0.0


class ModelError(Exception):
    """No usable answer. `problem` is a key of `words.PROBLEMS`."""

    def __init__(self, problem: str, usage: Usage = NOTHING) -> None:
        super().__init__(problem)
        self.problem, self.usage = problem, usage


def read_json(raw: Raw) -> dict[str, Any]:
    """The object in a model's text. Raises `ModelError` for half an answer and for anything else."""
    if raw.finish == "length":
        raise ModelError("cut_off", raw.usage)
    if raw.finish == "filter":
        raise ModelError("filtered", raw.usage)
    fenced = FENCE.match(raw.text)
    try:
        value = loads((fenced[1] if fenced else raw.text).encode("utf-8", "replace"))
    except ValueError:
        raise ModelError("not_json", raw.usage) from None
    if not isinstance(value, dict):
        raise ModelError("not_json", raw.usage)
    return value


def read_completion(raw: Raw) -> Completion:
    """The decision in a model's text. Raises `ModelError` for anything else."""
    value = read_json(raw)
    if value.get("action") not in ACTIONS or not isinstance(value.get("reply", ""), str):
        raise ModelError("not_json", raw.usage)
    return Completion(
        reply=value.get("reply", "")[:LONGEST_REPLY].replace("\x00", "").strip(),
        action=value["action"],
        tool_calls=tuple(read_calls(value.get("tools"))),
        usage=raw.usage,
        finish=raw.finish,
        sources=tuple(str(one)[:20] for one in listed(value.get("sources"))[:20]),
    )


def read_calls(value: Any) -> list[ToolCall]:
    calls = [one for one in listed(value)[:MOST_CALLS] if isinstance(one, dict)]
    return [
        ToolCall(str(one.get("name", ""))[:100], one["arguments"] if isinstance(one.get("arguments"), dict) else {})
        for one in calls
    ]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
