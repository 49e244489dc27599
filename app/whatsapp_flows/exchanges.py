"""One request of a customer's phone while a form is being filled in, and its answer (Meta: Flows, data endpoint)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from babel import Locale

from app import dates
from app.billing.balances import Balance
from app.crypto import Undecryptable
from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.flow_tokens import FlowToken
from app.languages import detect
from app.meta.contents import answer_words, rows_of
from app.meta.flow_json import KINDS, LONGEST_OPTION, parts_of, place_of, screen_id
from app.meta.payload import bounded, mapping, text
from app.tenancy import commit, now

from . import lookups, phrases
from .lookups import Unanswered
from .models import FlowVersion
from .slots import Full, book, offered

log = structlog.get_logger()

MOST_CHARACTERS = 16_000
# One of them is what a time is booked for.
CHOICES = ("radio", "dropdown", "lookup")


class TokenRefused(ValueError):
    """Not a form that we sent to a customer, or of a closed business. Meta is answered 427, with words for them."""


class Exchange:
    """In the tenant's scope. Its transaction is committed before a program of the business is asked."""

    def __init__(self, version: FlowVersion, request: dict[str, Any]) -> None:
        self.version, self.flow, self.screens = version, version.flow, version.screens
        self.action = text(request.get("action"), 40) or ""
        self.token = text(request.get("flow_token"), 1_000) or ""
        self.place = place_of(request.get("screen"), self.screens)
        data = bounded(mapping(request.get("data")), MOST_CHARACTERS)
        self.error_notice = data.get("error") is not None
        names = {part["name"] for part in parts_of(self.screens)}
        self.values = {name: value for name, value in data.items() if name in names}
        self.contact_id: uuid.UUID | None = None
        # The form's own, else what the customer surely writes.
        self.language = phrases.supported(detect(" ".join(words_of(self.screens))))

    def answer(self) -> dict[str, Any]:
        """Raises `TokenRefused`."""
        if self.action == "ping":
            return {"data": {"status": "active"}}
        if self.error_notice:
            log.info("form failed on a phone", version_id=str(self.version.id))
            return {"data": {"acknowledged": True}}
        talk = self.find_conversation()
        self.contact_id = talk.contact_id
        self.language = self.language or phrases.supported(talk.language or "") or phrases.USUAL
        if self.action == "INIT" or self.place is None:
            return self.show(0)
        if self.action == "BACK":
            return self.show(max(self.place - 1, 0))
        if self.place + 1 < len(self.screens):
            return self.show(self.place + 1)
        return self.finish()

    def find_conversation(self) -> Conversation:
        """Of whoever the form was sent to."""
        token = FlowToken.read(self.token, self.version.tenant_id)
        sent = Message.find(token.message_id) if token else None
        if sent is None or not sent.is_outbound or Balance.of_closed():
            raise TokenRefused
        return Conversation.get_or_404(sent.conversation_id)

    def show(self, place: int, error: str = "") -> dict[str, Any]:
        """A screen with the choices that it needs."""
        parts = [part for part in self.screens[place]["parts"] if KINDS[part["kind"]].is_live]
        data: dict[str, Any] = {part["name"]: self.times() for part in parts if part["kind"] == "slot"}
        if wanted := [part["name"] for part in parts if part["kind"] == "lookup"]:
            reply = self.look_up("options", place, wanted)
            error = error or reply.error
            data |= {name: reply.options.get(name) or self.nothing() for name in wanted}
        if error:
            data["error_message"] = error
        return {"screen": screen_id(place), "data": data}

    def times(self) -> list[dict[str, Any]]:
        """The free appointment times, by the business's clock."""
        listed = [{"id": offer.id, "title": self.time_words(offer.starts_at)} for offer in offered(now())]
        return listed or self.nothing()

    def time_words(self, moment: dt.datetime) -> str:
        local = moment.astimezone(ServicePolicy.current().hours.zone)
        return dates.with_clock(local, "MMMEd", Locale.parse(self.language))[:LONGEST_OPTION]

    def finish(self) -> dict[str, Any]:
        """The last screen was sent: the program may object, the time is booked, and the form closes."""
        assert self.place is not None
        kinds = {part["kind"] for part in parts_of(self.screens)}
        params, named = dict(self.values), {}
        if "lookup" in kinds:
            wanted = [part["name"] for part in parts_of(self.screens) if part["kind"] == "lookup"]
            reply = self.look_up("complete", self.place, wanted)
            if reply.error:
                return self.show(self.place, reply.error)
            named = {name: words for name, words in reply.answers.items() if name in params}
            params |= named
        if slot := next((part for part in parts_of(self.screens) if part["kind"] == "slot"), None):
            try:
                params[slot["name"]] = self.book(slot["name"], self.find_subject(named))
            except Full:
                return self.show(self.place_of(slot), phrases.TAKEN[self.language])
        closing = {"extension_message_response": {"params": params | {"flow_token": self.token}}}
        return {"screen": "SUCCESS", "data": closing}

    def book(self, name: str, about: str) -> str:
        """Books the chosen time. Raises `Full`; a time that no one has to choose may be left out."""
        chosen = text(self.values.get(name), 40) or ""
        part = next(part for part in parts_of(self.screens) if part["name"] == name)
        if not chosen and not part["required"]:
            return ""
        assert self.contact_id
        booking = book(chosen, self.token, self.contact_id, self.flow.id, about)
        return self.time_words(booking.starts_at)

    def find_subject(self, named: Mapping[str, str]) -> str:
        """What a time is booked for: the first thing that was chosen before it or beside it, such as the service.

        In the words of the business or its program (`named`): what a phone sends may be no option of ours.
        """
        slot = next(part for part in parts_of(self.screens) if part["kind"] == "slot")
        earlier = [*parts_of(self.screens[: self.place_of(slot) + 1])]
        choices = {part["name"] for part in earlier if part["kind"] in CHOICES}
        questions = (one for one in self.version.questions if one.name in choices and self.values.get(one.name))
        if (chosen := next(questions, None)) is None:
            return ""
        return named.get(chosen.name) or chosen.titles.get(answer_words(self.values[chosen.name]), "")

    def place_of(self, part: dict[str, Any]) -> int:
        """The screen that has the field."""
        return next(place for place, screen in enumerate(self.screens) if part in screen["parts"])

    def look_up(self, action: str, place: int, wanted: list[str]) -> lookups.Reply:
        """What the source of its choices says: a feature of ours, or the business's own program."""
        if (source := lookups.SOURCES.get(self.flow.lookup_source)) is None:
            return self.ask_program(action, place)
        chosen = {name: answer_words(self.values.get(name)) for name in wanted}
        return source.answer(list(rows_of(self.values, self.version.questions)), chosen)

    def ask_program(self, action: str, place: int) -> lookups.Reply:
        """What the business's own program says. Where it says nothing, the customer reads that."""
        url, secret = self.flow.lookup_url, self.secret
        question = {
            "action": action,
            "flow_id": str(self.flow.id),
            "flow_version": self.version.number,
            "screen": place + 1,
            "contact_id": str(self.contact_id),
            "answers": {name: answer_words(value) for name, value in self.values.items()},
        }
        commit()
        try:
            if not url or not secret:
                raise Unanswered
            return lookups.ask(url, secret, question)
        except Unanswered:
            return lookups.Reply(error=phrases.UNAVAILABLE[self.language])

    def nothing(self) -> list[dict[str, Any]]:
        """Meta takes no empty list: one choice that can't be chosen."""
        return [{"id": "none", "title": phrases.NOTHING_FREE[self.language], "enabled": False}]

    @property
    def secret(self) -> str:
        try:
            return self.flow.lookup_secret or ""
        except Undecryptable:
            return ""


def words_of(screens: list[dict[str, Any]]) -> Iterator[str]:
    """What customers read in a form."""
    for screen in screens:
        yield from (str(screen.get("title", "")), str(screen.get("button", "")))
        for part in screen["parts"]:
            yield from (str(part.get("label", "")), str(part.get("hint", "")), *map(str, part.get("options", ())))
