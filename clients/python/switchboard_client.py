"""Switchboard's API in Python: `Switchboard(key, url)` has a method for each common call, `call` makes any other.

    switchboard = Switchboard("sb_live_…", "https://inbox.example.com")
    message = switchboard.send_text("+4915112345678", "Your bread is ready.")
    print(switchboard.message(message["id"])["state"])

Every POST carries an Idempotency-Key, so a request whose answer was lost is repeated safely.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import datetime as dt
import email.utils
import hashlib
import hmac
import json
import os
import random
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, TypedDict, cast
from urllib.parse import quote

import httpx

__version__ = "0.1.0"
__all__ = ["Events", "InvalidWebhook", "Switchboard", "SwitchboardError", "verify_webhook"]

Json = dict[str, Any]
RETRIED = {429, 500, 502, 503, 504}
# An answer that was lost may have changed something: these are safe to repeat, a POST by its Idempotency-Key.
REPEATABLE = {"GET", "PUT", "DELETE", "POST"}
LONGEST_WAIT = 60.0
TOLERANCE = 300


class To(TypedDict, total=False):
    """Who gets a message: one of the first three. `name` is for a phone number that no contact has yet."""

    phone: str
    contact_id: str
    conversation_id: str
    name: str


class Message(TypedDict):
    id: str
    wamid: str | None
    conversation_id: str
    phone_number_id: str
    direction: str
    type: str
    text: str
    content: Json | None
    file: Json | None
    reactions: list[Json]
    reply_to: str | None
    state: str
    error: Json | None
    by: Json | None
    source: str | None
    is_test: bool
    occurred_at: str
    created_at: str
    send_at: str | None


class Conversation(TypedDict):
    id: str
    contact_id: str
    phone_number_id: str
    is_group: bool
    state: str
    snoozed_until: str | None
    assignee_id: str | None
    team_id: str | None
    unread_count: int
    last_message_at: str
    last_message_id: str | None
    waiting_since: str | None
    reply_window_closes_at: str | None
    created_at: str
    contact: Json | None
    phone_number: Json | None


class Event(TypedDict):
    id: str
    type: str
    timestamp: str
    api_version: str
    sequence: int | None
    data: Json


class SwitchboardError(Exception):
    """A request that was refused, as the API explains it (RFC 9457). `code` stays the same for ever."""

    def __init__(self, status: int, problem: Json, request_id: str | None) -> None:
        self.status, self.problem = status, problem
        self.code: str = problem.get("code", "unreadable_answer")
        self.title: str = problem.get("title", "")
        self.detail: str = problem.get("detail", "")
        self.errors: list[Json] = problem.get("errors", [])
        self.request_id: str | None = problem.get("request_id") or request_id
        faults = [
            f"{fault.get('pointer') or fault.get('parameter') or ''} {fault['detail']}"
            for fault in self.errors
            if fault["detail"] != self.detail
        ]
        super().__init__(" ".join(filter(None, [f"{status} {self.code}:", self.detail or self.title, *faults])))

    @classmethod
    def of(cls, response: httpx.Response) -> SwitchboardError:
        try:
            problem = response.json()
        except ValueError:
            problem = None
        readable = problem if isinstance(problem, dict) else {"detail": response.text[:200]}
        return cls(response.status_code, readable, response.headers.get("Request-Id"))


class Switchboard:
    """The API with one key. Without arguments it takes SWITCHBOARD_KEY and SWITCHBOARD_URL of the environment."""

    def __init__(
        self,
        key: str | None = None,
        url: str | None = None,
        *,
        retries: int = 4,
        timeout: float = 30,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        key, url = key or os.environ.get("SWITCHBOARD_KEY"), url or os.environ.get("SWITCHBOARD_URL")
        if not key or not url:
            raise ValueError("Give the key and the address, or set SWITCHBOARD_KEY and SWITCHBOARD_URL.")
        headers = {"Authorization": f"Bearer {key}", "User-Agent": f"switchboard-python/{__version__}"}
        base = url.rstrip("/").removesuffix("/api/v1") + "/api/v1"
        self.retries = retries
        self.http = httpx.Client(base_url=base, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.http.close()

    # Any call

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        **parts: Any,
    ) -> Any:
        """Makes any call. `parts` fill in the path: `call("GET", "/messages/{message_id}", message_id=id)`.

        `body` goes as JSON, `content` as it is. Returns the answer's JSON, or None. Raises SwitchboardError, or
        httpx.TransportError if there is no answer.
        """
        address = path.format(**{name: quote(str(value), safe="") for name, value in parts.items()})
        sent = dict(headers or {})
        if method == "POST":
            sent["Idempotency-Key"] = idempotency_key or str(uuid.uuid4())
        chosen = {name: as_text(value) for name, value in (query or {}).items() if value is not None}
        for attempt in range(self.retries + 1):
            is_last = attempt == self.retries
            try:
                response = self.http.request(method, address, params=chosen, json=body, content=content, headers=sent)
            except httpx.TransportError as error:
                was_not_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if is_last or not (was_not_sent or method in REPEATABLE):
                    raise
                time.sleep(backoff(attempt))
                continue
            if response.is_success:
                return response.json() if response.content else None
            if method == "DELETE" and response.status_code == 404 and attempt:
                return None
            wait = wait_after(response, attempt)
            if is_last or wait is None:
                raise SwitchboardError.of(response)
            time.sleep(wait)
        raise AssertionError("retries is negative")

    def pages(self, path: str, query: Mapping[str, Any] | None = None, **parts: Any) -> Iterator[Any]:
        """All rows of a list, page by page."""
        following: str | None = None
        while True:
            page = self.call("GET", path, query={**(query or {}), "after": following}, **parts)
            yield from page["data"]
            following = page["next"]
            if not following:
                return

    def me(self) -> Json:
        """The key that you are using: its kind, its scopes, its business."""
        return cast("Json", self.call("GET", "/me"))

    # Messages

    def send(
        self,
        to: str | To,
        type: str,
        content: Mapping[str, Any],
        *,
        from_: str | None = None,
        reply_to: str | None = None,
        send_at: dt.datetime | str | None = None,
        idempotency_key: str | None = None,
    ) -> Message:
        """Sends a message of any type. `to` is a phone number, or says by which id; `from_` is your number's id."""
        body = {"type": type, "to": {"phone": to} if isinstance(to, str) else to, type: content}
        more = {"from": from_, "reply_to": reply_to, "send_at": as_text(send_at)}
        body |= {name: value for name, value in more.items() if value is not None}
        return cast("Message", self.call("POST", "/messages", body=body, idempotency_key=idempotency_key))

    def send_text(self, to: str | To, body: str, **options: Any) -> Message:
        """Sends text. `options` are those of `send`."""
        return self.send(to, "text", {"body": body}, **options)

    def send_template(
        self, to: str | To, name: str, language: str, variables: Mapping[str, str] | None = None, **options: Any
    ) -> Message:
        """Sends a template; `template_schema` says which variables it has."""
        part = {"name": name, "language": language, "variables": dict(variables or {})}
        return self.send(to, "template", part, **options)

    def send_buttons(self, to: str | To, body: str, buttons: Sequence[str], **options: Any) -> Message:
        return self.send(to, "buttons", {"body": body, "buttons": list(buttons)}, **options)

    def send_list(self, to: str | To, body: str, button: str, choices: Sequence[str], **options: Any) -> Message:
        titles = [{"title": choice} for choice in choices]
        return self.send(to, "list", {"body": body, "button": button, "choices": titles}, **options)

    def send_link(self, to: str | To, body: str, title: str, url: str, **options: Any) -> Message:
        return self.send(to, "link", {"body": body, "title": title, "url": url}, **options)

    def send_location(self, to: str | To, latitude: float, longitude: float, name: str = "", **options: Any) -> Message:
        return self.send(to, "location", {"latitude": latitude, "longitude": longitude, "name": name}, **options)

    def react(self, conversation_id: str, message_id: str, emoji: str, **options: Any) -> Message:
        """Reacts to a message; without an emoji the reaction is taken back."""
        part = {"message_id": message_id, "emoji": emoji}
        return self.send({"conversation_id": conversation_id}, "reaction", part, **options)

    def upload(self, data: bytes, mime: str, filename: str) -> Json:
        """Uploads a file; its `id` and `kind` are for `send_file`."""
        query, headers = {"filename": filename}, {"Content-Type": mime}
        return cast("Json", self.call("POST", "/media", query=query, content=data, headers=headers))

    def send_file(self, to: str | To, file: Json, caption: str = "", **options: Any) -> Message:
        """Sends a file that was uploaded."""
        part = {"media_id": file["id"]} | ({"caption": caption} if caption else {})
        return self.send(to, file["kind"], part, **options)

    def message(self, message_id: str) -> Message:
        return cast("Message", self.call("GET", "/messages/{message_id}", message_id=message_id))

    def messages(
        self,
        *,
        conversation_id: str | None = None,
        direction: str | None = None,
        state: str | Sequence[str] | None = None,
        created_after: dt.datetime | str | None = None,
        created_before: dt.datetime | str | None = None,
        sort: str | None = None,
    ) -> Iterator[Message]:
        """Messages, the newest first; with `sort="created_at"` the oldest."""
        query = {
            "filter[conversation_id]": conversation_id,
            "filter[direction]": direction,
            "filter[state]": state,
            "created_after": created_after,
            "created_before": created_before,
            "sort": sort,
        }
        return self.pages("/messages", query)

    def story(self, message_id: str) -> Json:
        """What became of a message: each attempt, each status, why it failed, and what it cost."""
        return cast("Json", self.call("GET", "/messages/{message_id}/story", message_id=message_id))

    def retry(self, message_id: str) -> Message:
        return cast("Message", self.call("POST", "/messages/{message_id}/retry", message_id=message_id))

    def cancel(self, message_id: str) -> Message:
        """Cancels a message that is queued or scheduled."""
        return cast("Message", self.call("POST", "/messages/{message_id}/cancel", message_id=message_id))

    def read(self, message_id: str) -> Message:
        """Marks a customer's message, and all before it, as read."""
        return cast("Message", self.call("POST", "/messages/{message_id}/read", message_id=message_id))

    # Conversations

    def conversation(self, conversation_id: str, *, include: str | Sequence[str] | None = None) -> Conversation:
        """A conversation; `include` may name contact and phone_number."""
        path, query = "/conversations/{conversation_id}", {"include": include}
        return cast("Conversation", self.call("GET", path, query=query, conversation_id=conversation_id))

    def conversations(
        self,
        *,
        state: str | Sequence[str] | None = None,
        contact_id: str | None = None,
        phone_number_id: str | None = None,
        assignee_id: str | None = None,
        team_id: str | None = None,
        is_unreplied: bool | None = None,
        include: str | Sequence[str] | None = None,
    ) -> Iterator[Conversation]:
        """Conversations, the one with the newest message first."""
        query = {
            "filter[state]": state,
            "filter[contact_id]": contact_id,
            "filter[phone_number_id]": phone_number_id,
            "filter[assignee_id]": assignee_id,
            "filter[team_id]": team_id,
            "filter[unreplied]": is_unreplied,
            "include": include,
        }
        return self.pages("/conversations", query)

    def assign(self, conversation_id: str, **assignment: str | None) -> Conversation:
        """Assigns: `assign(id, assignee_id=…, team_id=…)`. None takes away, what is left out stays."""
        path = "/conversations/{conversation_id}/assignment"
        return cast("Conversation", self.call("PUT", path, body=assignment, conversation_id=conversation_id))

    def set_state(self, conversation_id: str, state: str, *, until: dt.datetime | str | None = None) -> Conversation:
        """Opens, snoozes, resolves or archives; `until` is the end of a snooze."""
        body = {"state": state} | ({"until": as_text(until)} if until else {})
        path = "/conversations/{conversation_id}/state"
        return cast("Conversation", self.call("PUT", path, body=body, conversation_id=conversation_id))

    def notes(self, conversation_id: str) -> Iterator[Json]:
        return self.pages("/conversations/{conversation_id}/notes", conversation_id=conversation_id)

    def add_note(self, conversation_id: str, body: str) -> Json:
        """Adds a private note, which only the team sees."""
        path = "/conversations/{conversation_id}/notes"
        return cast("Json", self.call("POST", path, body={"body": body}, conversation_id=conversation_id))

    # Contacts

    def contact(self, contact_id: str) -> Json:
        return cast("Json", self.call("GET", "/contacts/{contact_id}", contact_id=contact_id))

    def contacts(self, *, search: str | None = None, phone: str | None = None) -> Iterator[Json]:
        """Contacts, the newest first, or those that match, the best first."""
        return self.pages("/contacts", {"filter[search]": search, "filter[phone]": phone})

    def upsert_contact(self, kind: str, value: str, **contact: Any) -> Json:
        """Changes the contact with this identity, or makes one: `upsert_contact("phone", "+49…", name="Hanna")`."""
        return cast("Json", self.call("PUT", "/contacts/by/{kind}/{value}", body=contact, kind=kind, value=value))

    # Templates and numbers

    def templates(self, *, name: str | None = None, language: str | None = None) -> Iterator[Json]:
        """Templates; `name` is the beginning of their name."""
        return self.pages("/templates", {"filter[name]": name, "filter[language]": language})

    def template_schema(self, template_id: str) -> Json:
        """The JSON Schema of a template's variables."""
        return cast("Json", self.call("GET", "/templates/{template_id}/schema", template_id=template_id))

    def numbers(self) -> Iterator[Json]:
        return self.pages("/numbers")

    # Events and webhooks

    def events(
        self, cursor: str | None = None, *, types: str | Sequence[str] | None = None, follow: bool = False
    ) -> Events:
        """Everything that happened after this cursor, the oldest first. With `follow` it waits for more."""
        return Events(self, cursor, types, follow=follow)

    def webhooks(self) -> Iterator[Json]:
        return self.pages("/webhooks")

    def create_webhook(self, url: str, *, types: Sequence[str] | None = None, **settings: Any) -> Json:
        """Creates a webhook. The answer is the only one that holds its signing secret."""
        return cast("Json", self.call("POST", "/webhooks", body={"url": url, "types": types, **settings}))

    def delete_webhook(self, webhook_id: str) -> None:
        self.call("DELETE", "/webhooks/{webhook_id}", webhook_id=webhook_id)


class Events:
    """Events in their order. Store `cursor` after your work: it passes a page once you have had all of it."""

    def __init__(
        self,
        api: Switchboard,
        cursor: str | None = None,
        types: str | Sequence[str] | None = None,
        *,
        follow: bool = False,
        every: float = 2,
    ) -> None:
        self.api, self.cursor, self.types, self.follow, self.every = api, cursor, types, follow, every

    def __iter__(self) -> Iterator[Event]:
        while True:
            page = self.api.call("GET", "/events", query={"after": self.cursor, "filter[type]": self.types})
            yield from page["data"]
            self.cursor = page["next"]
            if page["has_more"] and page["data"]:
                continue
            if not page["has_more"] and not self.follow:
                return
            time.sleep(self.every if self.follow else min(self.every, 0.2))


def as_text(value: Any) -> Any:
    """As an address and a body write it. A time without a zone is this machine's."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    return value


def backoff(attempt: int) -> float:
    return random.uniform(0.5, 1) * min(0.5 * 2.0**attempt, LONGEST_WAIT)  # noqa: S311  no secret


def wait_after(response: httpx.Response, attempt: int) -> float | None:
    """Seconds until the request is worth repeating; None if it isn't."""
    is_busy = response.status_code == 409 and SwitchboardError.of(response).code == "in_progress"
    if not is_busy and response.status_code not in RETRIED:
        return None
    asked = response.headers.get("Retry-After", "")
    if not asked:
        return backoff(attempt)
    if asked.isdecimal():
        wait = float(asked)
    else:
        try:
            wait = max(email.utils.parsedate_to_datetime(asked).timestamp() - time.time(), 0)
        except ValueError:
            return backoff(attempt)
    return wait if wait <= LONGEST_WAIT else None


class InvalidWebhook(Exception):
    """A request that is not from Switchboard, was changed on its way, or is too old."""


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secrets: str | Sequence[str],
    *,
    tolerance: int = TOLERANCE,
    now: float | None = None,
) -> Json:
    """The event or batch in a webhook's body, once its signature is verified (Standard Webhooks).

    `secrets` may be several while one is being rotated. Drop a `webhook-id` that you have had: it may come twice.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        id, timestamp, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        age = (time.time() if now is None else now) - int(timestamp)
    except (KeyError, ValueError):
        raise InvalidWebhook("The webhook's headers are missing or unreadable.") from None
    if abs(age) > tolerance:
        raise InvalidWebhook("The webhook's timestamp is too far from now.")
    signed = b".".join([id.encode(), timestamp.encode(), body])
    for secret in [secrets] if isinstance(secrets, str) else secrets:
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raise ValueError("A signing secret begins with whsec_ and goes on in base64.") from None
        expected = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
        if any(hmac.compare_digest(expected, one.encode()) for one in signatures.split()):
            return cast("Json", json.loads(body))
    raise InvalidWebhook("No signature matches the webhook's body.")


# The command line


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = parser().parse_args(arguments)
    try:
        with Switchboard() as api:
            for row in COMMANDS[chosen.command](api, chosen):
                print(json.dumps(row, ensure_ascii=False) if chosen.json else in_a_line(row), flush=True)
    except SwitchboardError as error:
        print(error, f"(request {error.request_id})" if error.request_id else "", file=sys.stderr)
        return 1
    except httpx.TransportError as error:
        print(f"No answer from {os.environ.get('SWITCHBOARD_URL', '')}: {error}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # What reads our output has enough, such as `head`. Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print one JSON object a line")
    made = argparse.ArgumentParser(
        prog="switchboard", description="WhatsApp messages by Switchboard. Set SWITCHBOARD_KEY and SWITCHBOARD_URL."
    )
    commands = made.add_subparsers(dest="command", required=True)
    commands.add_parser("me", parents=[common], help="show the key that you are using")
    text = commands.add_parser("send", parents=[common], help="send text")
    text.add_argument("--text", required=True)
    template = commands.add_parser("template", parents=[common], help="send a template")
    template.add_argument("--name", required=True)
    template.add_argument("--language", required=True)
    template.add_argument("--variable", action="append", default=[], metavar="NAME=VALUE", type=pair)
    for command in (text, template):
        to = command.add_mutually_exclusive_group(required=True)
        to.add_argument("--to", metavar="PHONE", help="a phone number with its country code")
        to.add_argument("--contact", metavar="ID")
        to.add_argument("--conversation", metavar="ID")
        command.add_argument("--from", dest="from_", metavar="ID", help="the id of your number")
        command.add_argument("--at", metavar="TIME", help="when to send it, such as 2026-12-24T09:00:00+01:00")
        command.add_argument("--idempotency-key", metavar="KEY")
    listed = commands.add_parser("messages", parents=[common], help="list messages, the newest first")
    listed.add_argument("--conversation", metavar="ID")
    listed.add_argument("--state")
    listed.add_argument("--limit", type=int, default=50)
    story = commands.add_parser("story", parents=[common], help="show what became of a message")
    story.add_argument("message", metavar="ID")
    events = commands.add_parser("events", parents=[common], help="list what happened, the oldest first")
    events.add_argument("--after", metavar="CURSOR")
    events.add_argument("--type", action="append")
    events.add_argument("--follow", action="store_true", help="wait for more")
    return made


def pair(written: str) -> tuple[str, str]:
    name, sign, value = written.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError("write it as NAME=VALUE")
    return name, value


def recipient(chosen: argparse.Namespace) -> To:
    given: To = {"phone": chosen.to, "contact_id": chosen.contact, "conversation_id": chosen.conversation}
    return cast("To", {name: value for name, value in given.items() if value})


def send_text(api: Switchboard, chosen: argparse.Namespace) -> Iterator[Any]:
    options = {"from_": chosen.from_, "send_at": chosen.at, "idempotency_key": chosen.idempotency_key}
    yield api.send_text(recipient(chosen), chosen.text, **options)


def send_template(api: Switchboard, chosen: argparse.Namespace) -> Iterator[Any]:
    options = {"from_": chosen.from_, "send_at": chosen.at, "idempotency_key": chosen.idempotency_key}
    yield api.send_template(recipient(chosen), chosen.name, chosen.language, dict(chosen.variable), **options)


def list_messages(api: Switchboard, chosen: argparse.Namespace) -> Iterator[Any]:
    found = api.messages(conversation_id=chosen.conversation, state=chosen.state)
    yield from (message for _, message in zip(range(chosen.limit), found, strict=False))


COMMANDS: dict[str, Any] = {
    "me": lambda api, _: [api.me()],
    "send": send_text,
    "template": send_template,
    "messages": list_messages,
    "story": lambda api, chosen: [api.story(chosen.message)],
    "events": lambda api, chosen: api.events(chosen.after, types=chosen.type, follow=chosen.follow),
}


def in_a_line(row: Json) -> str:
    """What a person wants to see of a row."""
    match row:
        case {"direction": direction, "state": state, "text": text}:
            arrow = "→" if direction == "outbound" else "←"
            return f"{row['created_at']}  {row['id']}  {arrow} {state:<9}  {' '.join(text.split())[:80]}"
        case {"timestamp": at, "type": type}:
            return f"{at}  {row['id']}  {type}"
        case _:
            return json.dumps(row, ensure_ascii=False, indent=2)


if __name__ == "__main__":
    sys.exit(main())
