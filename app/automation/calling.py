"""The step that calls another program: a signed POST through `app/egress.py`, never while a transaction is open."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from flask_babel import gettext as _

from app.egress import Egress, Refused, Unreachable, checked_by_its_words
from app.signing import key_of, sign
from app.words import N_

from .models import AutomationSettings
from .parts import Names, Step, Steps, entry, lines
from .turns import Outcome, Turn

# Of an answer so much is read; one that is longer counts as none.
MOST_BYTES = 64_000
LONGEST_URL = 2_000
INTERRUPTED = N_("The call was interrupted. It may have arrived, so it isn't repeated.")
TOO_LONG = N_("The answer is longer than 64 kB, so it wasn't read.")
NOT_JSON = N_("The answer is not a JSON object.")
NOT_PUBLIC = N_("This address can't be called: it is not public.")
NO_ANSWER = N_("There was no answer within 10 seconds.")
STATUS = N_("The answer was an error: {status}.")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is ready to be made."""

    url: str
    body: bytes
    headers: dict[str, str]

    def make(self, egress: Egress) -> Answer:
        try:
            page = egress.exchange("POST", self.url, self.headers, self.body, most_bytes=MOST_BYTES)
        except Refused:
            return Answer(0, {}, NOT_PUBLIC)
        except Unreachable:
            return Answer(0, {}, NO_ANSWER)
        if not 200 <= page.status < 300:
            return Answer(page.status, {}, STATUS)
        if not page.is_whole:
            return Answer(page.status, {}, TOO_LONG)
        return Answer(page.status, *read(page.body))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    values: dict[str, Any]
    words: str = ""


def read(body: bytes) -> tuple[dict[str, Any], str]:
    """A JSON object, or why it is none. An empty answer has no values."""
    if not body.strip():
        return {}, ""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}, NOT_JSON
    return (value, "") if isinstance(value, dict) else ({}, NOT_JSON)


class Http(Step):
    kind: Literal["http"] = "http"
    title: ClassVar[str] = N_("Call another program (HTTP)")
    group: ClassVar[str] = N_("Programs")
    blocks: ClassVar[dict[str, str]] = {"failed": N_("If it fails")}
    url: str = entry(
        N_("Address"), most=LONGEST_URL, hint=N_("A public address that begins with https://."), filled=False
    )
    send: tuple[str, ...] = lines(
        N_("Further values to send"),
        most=20,
        longest=300,
        needed=False,
        hint=N_("One a line, such as size = {{answer}}."),
        filled=True,
    )
    take: tuple[str, ...] = lines(
        N_("Values to take from the answer"),
        most=20,
        longest=200,
        needed=False,
        hint=N_("One a line, such as price = offer.price. Use it later as {{price}}."),
    )
    failed: Steps = ()

    def values_made(self) -> tuple[str, ...]:
        return tuple(name for name, _path in pairs(self.take))

    def do(self, turn: Turn) -> Outcome:
        if turn.dry:
            return Outcome("would_call", seen={"url": self.url})
        return Outcome("calling", call=self.call(turn))

    def call(self, turn: Turn) -> Call:
        contact, conversation = turn.contact, turn.conversation
        run_id = turn.run.id if turn.run else uuid.UUID(int=0)
        sent = {
            "run_id": str(run_id),
            "automation": turn.automation.name if turn.automation else "",
            "contact": {"id": str(contact.id), "name": contact.name, "phone": contact.identity("wa_id")},
            "conversation_id": str(conversation.id),
            "phone_number_id": str(conversation.phone_number_id),
            "message": {"id": str(turn.message.id), "text": turn.body} if turn.message else None,
            "values": {name: turn.fill(value) for name, value in pairs(self.send)},
        }
        body, id, at = json.dumps(sent).encode(), f"step_{self.id}_{run_id}", int(time.time())
        signature = sign([key_of(AutomationSettings.signing_secret())], id, at, body)
        headers = {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": signature}
        return Call(self.url, body, headers | {"Content-Type": "application/json", "User-Agent": "Switchboard"})

    def settle(self, turn: Turn, answer: Answer) -> Outcome:
        """What follows from the answer."""
        if answer.words:
            return Outcome("failed", block="failed", words=answer.words, seen={"status": answer.status})
        taken = {name: at_path(answer.values, path) for name, path in pairs(self.take)}
        for name, value in taken.items():
            turn.know(name, value)
        return Outcome("done", seen={"status": answer.status, **{name: value[:200] for name, value in taken.items()}})

    def sentence(self, names: Names) -> str:
        return str(_("Call %(url)s", url=self.url))

    def problems(self) -> list[str]:
        try:
            checked_by_its_words(self.url)
        except Refused:
            return [str(_("Enter a public address that begins with https:// and has no port of its own."))]
        return []


def pairs(written: tuple[str, ...]) -> list[tuple[str, str]]:
    parts = [one.partition("=") for one in written]
    return [(name.strip(), value.strip()) for name, _sign, value in parts if name.strip()]


def at_path(value: Any, path: str) -> str:
    """What an object holds at “offer.prices.0”, as text; "" where there is nothing."""
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value) if isinstance(value, str | int | float) else json.dumps(value)[:1_000]
