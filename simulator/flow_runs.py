"""A flow that a customer fills in on their phone, screen by screen."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simulator.flow_exchange import ExchangeFailed, exchange
from simulator.flow_rules import INPUTS, walk
from simulator.flows import Flow
from simulator.phone_numbers import PhoneNumber

Json = dict[str, Any]
REFERENCE = re.compile(r"\$\{(?:screen\.(\w+)\.)?(form|data)\.([\w-]+)\}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass
class Run:
    """Where the customer is: the screen, its data, and what was filled in on every screen so far.

    `done` is what is sent to the business, once the flow is complete.
    """

    flow: Flow
    number: PhoneNumber
    token: str
    screen_id: str = ""
    data: Json = field(default_factory=dict)
    filled: dict[str, Json] = field(default_factory=dict)
    trail: list[str] = field(default_factory=list)
    problem: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    done: Json | None = None

    @classmethod
    def begin(cls, flow: Flow, number: PhoneNumber, option: Json) -> "Run":
        """The first screen: as the message says, or as the endpoint answers."""
        run = cls(flow, number, str(option.get("flow_token", "unused")))
        screens = flow.definition.get("screens") or []
        if option.get("flow_action") == "data_exchange":
            run.ask("INIT", "", {})
        elif screens:
            run.screen_id = str(option.get("screen") or screens[0]["id"])
            run.data = dict(option.get("data") or {})
        return run

    @classmethod
    def resume(cls, flow: Flow, number: PhoneNumber, token: str, state: str) -> "Run":
        """From what the page carried along."""
        carried = json.loads(state)
        return cls(flow, number, token, carried["screen"], carried["data"], carried["filled"], carried["trail"])

    @property
    def state(self) -> str:
        return json.dumps(
            {"screen": self.screen_id, "data": self.data, "filled": self.filled, "trail": self.trail},
            ensure_ascii=False,
        )

    @property
    def screen(self) -> Json | None:
        screens = self.flow.definition.get("screens") or []
        return next((screen for screen in screens if screen.get("id") == self.screen_id), None)

    @property
    def components(self) -> list[Json]:
        """What the screen shows, with data filled in."""
        return [self._shown(component) for component, _ in self._walked() if component.get("type") != "Form"]

    def _walked(self) -> Iterator[tuple[Json, str]]:
        screen = self.screen or {}
        return walk((screen.get("layout") or {}).get("children"), "")

    def _shown(self, component: Json) -> Json:
        shown = {name: self.resolve(value) for name, value in component.items() if name != "on-click-action"}
        name = str(component.get("name"))
        filled = self.filled.get(self.screen_id, {})
        return shown | {"value": filled.get(name, ""), "problem": self.problems.get(name, "")}

    def resolve(self, value: Any) -> Any:
        """The value of `${form.x}`, `${data.x}` or `${screen.S.form.x}`; anything else as it is."""
        if not isinstance(value, str) or (match := REFERENCE.fullmatch(value)) is None:
            return value
        screen, source, name = match.groups()
        if source == "data":
            return self.data.get(name)
        return self.filled.get(screen or self.screen_id, {}).get(name)

    def fill(self, typed: dict[str, list[str]]) -> None:
        """Takes what was typed on this screen; says what is missing."""
        filled: Json = {}
        for component, _ in self._walked():
            kind, name = component.get("type"), str(component.get("name"))
            if kind not in INPUTS:
                continue
            value = _value(str(kind), typed.get(name, []))
            filled[name] = value
            if component.get("required") and value in ("", [], False):
                self.problems[name] = "Required"
            elif value and component.get("input-type") == "email" and not EMAIL.fullmatch(str(value)):
                self.problems[name] = "Enter a valid email address"
            elif value and component.get("input-type") == "number" and not str(value).isdecimal():
                self.problems[name] = "Enter a number"
        self.filled[self.screen_id] = filled

    def press(self) -> None:
        """The button of the screen."""
        if self.problems:
            return
        footer = next((component for component, _ in self._walked() if component.get("type") == "Footer"), {})
        action = footer.get("on-click-action") or {}
        payload = {key: self.resolve(value) for key, value in (action.get("payload") or {}).items()}
        match action.get("name"):
            case "navigate":
                self.go(str((action.get("next") or {}).get("name")), payload)
            case "complete":
                self.done = {"flow_token": self.token} | _given(payload)
            case "data_exchange":
                self.ask("data_exchange", self.screen_id, payload)

    def back(self) -> None:
        """The screen before. An endpoint is asked only where the screen says so."""
        if not self.trail:
            return
        refreshes = (self.screen or {}).get("refresh_on_back")
        if refreshes:
            self.ask("BACK", self.screen_id, {})
            return
        self.screen_id = self.trail.pop()

    def go(self, screen_id: str, data: Json) -> None:
        self.trail.append(self.screen_id)
        self.screen_id, self.data = screen_id, data

    def ask(self, action: str, screen_id: str, payload: Json) -> None:
        """What the endpoint answers: another screen, the same one with an error, or the end."""
        request = {"version": "3.0", "action": action, "screen": screen_id, "data": payload, "flow_token": self.token}
        try:
            answer = exchange(self.flow, self.number, request)
        except ExchangeFailed as failure:
            self.problem = str(failure)
            return
        data = answer.get("data") or {}
        if answer.get("screen") == "SUCCESS":
            self.done = dict((data.get("extension_message_response") or {}).get("params") or {})
            return
        following = str(answer.get("screen"))
        self.problem = str(data.get("error_message") or "")
        if following not in [screen.get("id") for screen in self.flow.definition.get("screens") or []]:
            self.problem = "Something went wrong. Try again later."
        elif following == self.screen_id:
            self.data |= data
        else:
            if self.screen_id:
                self.trail.append(self.screen_id)
            self.screen_id, self.data = following, data


def _value(kind: str, typed: list[str]) -> Any:
    if kind in ("CheckboxGroup", "ChipsSelector"):
        return typed
    first = typed[0].strip() if typed else ""
    return bool(first) if kind == "OptIn" else first


def _given(payload: Json) -> Json:
    """What was left empty is not sent."""
    return {key: value for key, value in payload.items() if value not in ("", None, [])}
