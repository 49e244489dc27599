"""Conditions, and groups of them. Each says what it saw, so that people can read why an automation did not run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, Literal

from flask_babel import gettext as _
from pydantic import Field

from app import dates
from app.folding import fold
from app.templating import listed, quoted
from app.words import N_, pN_

from .parts import (
    DEEPEST,
    MOST_CONDITIONS,
    UNASSIGNED,
    AnyCondition,
    Condition,
    Names,
    choice,
    clock,
    entry,
    lines,
    ref,
)
from .texts import MODES, matches, problem_of

WEEKDAYS = {
    "mon": N_("Monday"),
    "tue": N_("Tuesday"),
    "wed": N_("Wednesday"),
    "thu": N_("Thursday"),
    "fri": N_("Friday"),
    "sat": N_("Saturday"),
    "sun": N_("Sunday"),
}
STATES = {
    "open": pN_("of a conversation", "Open"),
    "pending": N_("Waiting for the customer"),
    "snoozed": pN_("of a conversation", "Snoozed"),
    "resolved": pN_("of a conversation", "Resolved"),
    "archived": pN_("of a conversation", "Archived"),
}
HANDLERS = {UNASSIGNED: N_("No one"), "person": N_("A person"), "assistant": N_("The assistant")}
IS = {"is": N_("is"), "is_not": N_("is not")}
GROUPS = {
    "all": N_("all of these are true"),
    "any": N_("at least one of these is true"),
    "none": N_("none of these is true"),
}
# The same of a single one.
ALONE = {"all": N_("this is true"), "any": N_("this is true"), "none": N_("this isn't true")}
LONGEST_SEEN = 200


@dataclass(frozen=True, slots=True)
class Failure:
    """The first condition that did not hold, by its place in the groups, and the value seen."""

    path: str
    seen: str


class Group(Condition):
    """Conditions of which all, one or none has to hold. An empty one always holds."""

    kind: Literal["group"] = "group"
    title: ClassVar[str] = N_("A group of conditions")
    mode: Literal["all", "any", "none"] = choice(N_("Go on if"), GROUPS)
    items: Annotated[tuple[AnyCondition, ...], Field(max_length=MOST_CONDITIONS)] = ()

    @property
    def size(self) -> int:
        return sum(1 for _condition in self.walk())

    def walk(self, depth: int = 0) -> Iterator[Condition]:
        if depth > DEEPEST:
            raise ValueError("too deep")
        for one in self.items:
            yield one
            if isinstance(one, Group):
                yield from one.walk(depth + 1)

    def failure(self, turn: Any, path: str = "") -> Failure | None:
        """The first one because of which the group does not hold."""
        last: Failure | None = None
        for place, one in enumerate(self.items):
            here = f"{path}.{place}".lstrip(".")
            failed = self.failed(one, turn, here)
            if failed and self.mode == "all":
                return failed
            if not failed and self.mode == "any":
                return None
            if not failed and self.mode == "none":
                return Failure(here, one.check(turn)[1][:LONGEST_SEEN])
            last = failed or last
        return last if self.mode == "any" else None

    def failed(self, one: Condition, turn: Any, path: str) -> Failure | None:
        if isinstance(one, Group):
            return one.failure(turn, path)
        holds, seen = one.check(turn)
        return None if holds else Failure(path, seen[:LONGEST_SEEN])

    def check(self, turn: Any) -> tuple[bool, str]:
        failed = self.failure(turn)
        return failed is None, failed.seen if failed else ""

    def at(self, path: str) -> Condition | None:
        """The condition at a place such as “1.0”; the group itself at ""."""
        one: Condition = self
        for part in filter(None, path.split(".")):
            if not isinstance(one, Group) or not part.isdecimal() or int(part) >= len(one.items):
                return None
            one = one.items[int(part)]
        return one

    def sentence(self, names: Names) -> str:
        return str(_((ALONE if len(self.items) == 1 else GROUPS)[self.mode]))

    def aloud(self, names: Names) -> str:
        """If what, before the conditions are listed; a single one is said itself."""
        if len(self.items) != 1 or isinstance(self.items[0], Group):
            return str(_("if %(mode)s", mode=self.sentence(names)))
        condition = self.items[0].sentence(names)
        if self.mode == "none":
            return str(_("unless: %(condition)s", condition=condition))
        return str(_("if: %(condition)s", condition=condition))


class HasTag(Condition):
    kind: Literal["tag"] = "tag"
    title: ClassVar[str] = N_("The customer's tag")
    group: ClassVar[str] = N_("Customer")
    has: Literal["has", "has_not"] = choice(N_("The customer"), {"has": N_("has"), "has_not": N_("does not have")})
    tag: str = ref(N_("Tag"), "tags")

    def check(self, turn: Any) -> tuple[bool, str]:
        tags = turn.tags
        return (self.tag in tags) == (self.has == "has"), ", ".join(tags.values())

    def sentence(self, names: Names) -> str:
        tag = names.of("tags", self.tag)
        if self.has == "has":
            return str(_("The customer has the tag “%(tag)s”", tag=tag))
        return str(_("The customer does not have the tag “%(tag)s”", tag=tag))


class FieldIs(Condition):
    kind: Literal["field"] = "field"
    title: ClassVar[str] = N_("A field of the customer")
    group: ClassVar[str] = N_("Customer")
    OPERATORS: ClassVar[dict[str, str]] = {
        "is": N_("is"),
        "is_not": N_("is not"),
        "contains": N_("contains"),
        "more": N_("is more than"),
        "less": N_("is less than"),
        "empty": N_("is empty"),
        "filled": N_("is filled in"),
    }
    field: str = ref(N_("Field"), "fields")
    operator: Literal["is", "is_not", "contains", "more", "less", "empty", "filled"] = choice(
        N_("Comparison"), OPERATORS
    )
    value: str = entry(N_("Value"), needed=False, hint=N_("Leave empty if the comparison needs none."))

    def check(self, turn: Any) -> tuple[bool, str]:
        seen = turn.field_values.get(self.field, "")
        return compare(self.operator, seen, self.value), seen

    def sentence(self, names: Names) -> str:
        field, operator = names.of("fields", self.field), _(self.OPERATORS[self.operator])
        if self.operator in ("empty", "filled"):
            return str(_("The field “%(field)s” %(operator)s", field=field, operator=operator))
        return str(
            _("The field “%(field)s” %(operator)s “%(value)s”", field=field, operator=operator, value=self.value)
        )


class ValueIs(Condition):
    """Of what this run has learnt: an answer, or something an HTTP step returned."""

    kind: Literal["value"] = "value"
    title: ClassVar[str] = N_("The last reply, or a value of this run")
    group: ClassVar[str] = N_("Customer")
    name: str = entry(
        N_("Name"), most=60, hint=N_("“answer” is the customer's last reply. HTTP values have your names.")
    )
    operator: Literal["is", "is_not", "contains", "more", "less", "empty", "filled"] = choice(
        N_("Comparison"), FieldIs.OPERATORS
    )
    value: str = entry(N_("Value"), needed=False)

    def check(self, turn: Any) -> tuple[bool, str]:
        seen = turn.values.get(self.name, "")
        return compare(self.operator, seen, self.value), seen

    def values_read(self) -> tuple[str, ...]:
        return (self.name,)

    def sentence(self, names: Names) -> str:
        operator = _(FieldIs.OPERATORS[self.operator])
        if self.operator in ("empty", "filled"):
            return str(_("“%(name)s” %(operator)s", name=self.name, operator=operator))
        return str(_("“%(name)s” %(operator)s “%(value)s”", name=self.name, operator=operator, value=self.value))


class LanguageIs(Condition):
    kind: Literal["language"] = "language"
    title: ClassVar[str] = N_("The customer's language")
    group: ClassVar[str] = N_("Customer")
    operator: Literal["is", "is_not"] = choice(N_("The language"), IS)
    languages: tuple[str, ...] = lines(
        N_("Language codes"),
        most=20,
        longest=10,
        hint=N_("One a line, such as en or pt. It is the main language where the customer's number is from."),
    )

    def check(self, turn: Any) -> tuple[bool, str]:
        seen = turn.language
        return (seen in [one.lower() for one in self.languages]) == (self.operator == "is"), seen

    def sentence(self, names: Names) -> str:
        among = listed(self.languages)
        if self.operator == "is":
            return str(_("The customer's language is one of: %(languages)s", languages=among))
        return str(_("The customer's language is none of: %(languages)s", languages=among))


class CountryIs(Condition):
    kind: Literal["country"] = "country"
    title: ClassVar[str] = N_("The customer's country")
    group: ClassVar[str] = N_("Customer")
    operator: Literal["is", "is_not"] = choice(N_("The country"), IS)
    countries: tuple[str, ...] = lines(
        N_("Country codes"), most=50, longest=2, hint=N_("One a line, such as DE or BR, by the customer's number.")
    )

    def check(self, turn: Any) -> tuple[bool, str]:
        seen = turn.country
        return (seen in [one.upper() for one in self.countries]) == (self.operator == "is"), seen

    def sentence(self, names: Names) -> str:
        among = listed(self.countries)
        if self.operator == "is":
            return str(_("The customer's country is one of: %(countries)s", countries=among))
        return str(_("The customer's country is none of: %(countries)s", countries=among))


class StateIs(Condition):
    kind: Literal["state"] = "state"
    title: ClassVar[str] = N_("The conversation's state")
    group: ClassVar[str] = N_("Conversation")
    operator: Literal["is", "is_not"] = choice(N_("The conversation"), IS)
    state: Literal["open", "pending", "snoozed", "resolved", "archived"] = choice(N_("State"), STATES)

    def check(self, turn: Any) -> tuple[bool, str]:
        seen = turn.conversation.state
        return (seen == self.state) == (self.operator == "is"), seen

    def sentence(self, names: Names) -> str:
        state = _(STATES[self.state])
        if self.operator == "is":
            return str(_("The conversation's state is: %(state)s", state=state))
        return str(_("The conversation's state is not: %(state)s", state=state))


class AssigneeIs(Condition):
    kind: Literal["assignee"] = "assignee"
    title: ClassVar[str] = N_("Who it is assigned to")
    group: ClassVar[str] = N_("Conversation")
    WHO: ClassVar[dict[str, str]] = {
        UNASSIGNED: pN_("of a conversation", "Unassigned"),
        "anybody": N_("Anyone"),
        "member": N_("This person:"),
    }
    who: Literal["nobody", "anybody", "member"] = choice(N_("Assigned to"), WHO)
    member: str = ref(N_("Person"), "members", needed=False, none=N_("No one in particular"))

    def check(self, turn: Any) -> tuple[bool, str]:
        assignee = turn.conversation.assignee_id
        seen = turn.names.of("members", str(assignee)) if assignee else ""
        if self.who == UNASSIGNED:
            return assignee is None, seen
        if self.who == "anybody":
            return assignee is not None, seen
        return str(assignee) == self.member, seen

    def sentence(self, names: Names) -> str:
        if self.who == UNASSIGNED:
            return str(_("The conversation is unassigned"))
        if self.who == "anybody":
            return str(_("The conversation is assigned to somebody"))
        return str(_("The conversation is assigned to %(name)s", name=names.of("members", self.member)))


class TeamIs(Condition):
    kind: Literal["team"] = "team"
    title: ClassVar[str] = N_("The conversation's team")
    group: ClassVar[str] = N_("Conversation")
    operator: Literal["is", "is_not"] = choice(N_("The team"), IS)
    team: str = ref(N_("Team"), "teams", needed=False, none=N_("No team"))

    def check(self, turn: Any) -> tuple[bool, str]:
        team = turn.conversation.team_id
        seen = turn.names.of("teams", str(team)) if team else ""
        return (str(team or "") == self.team) == (self.operator == "is"), seen

    def sentence(self, names: Names) -> str:
        team = names.of("teams", self.team) if self.team else _("no team")
        if self.operator == "is":
            return str(_("The conversation's team is %(team)s", team=team))
        return str(_("The conversation's team is not %(team)s", team=team))


class HandledBy(Condition):
    kind: Literal["handled_by"] = "handled_by"
    title: ClassVar[str] = N_("Who has the conversation")
    group: ClassVar[str] = N_("Conversation")
    who: Literal["nobody", "person", "assistant"] = choice(N_("Who has it"), HANDLERS)

    def check(self, turn: Any) -> tuple[bool, str]:
        seen = "person" if turn.conversation.is_with_person else turn.conversation.handled_by
        seen = seen if seen in ("person", "assistant") else UNASSIGNED
        return seen == self.who, seen

    def sentence(self, names: Names) -> str:
        return str(_("Who has the conversation: %(who)s", who=_(HANDLERS[self.who])))


class WindowOpen(Condition):
    kind: Literal["window"] = "window"
    title: ClassVar[str] = N_("The reply window")
    group: ClassVar[str] = N_("Conversation")
    WINDOWS: ClassVar[dict[str, str]] = {"open": N_("is open"), "closed": N_("is closed")}
    state: Literal["open", "closed"] = choice(N_("The reply window"), WINDOWS)

    def check(self, turn: Any) -> tuple[bool, str]:
        seen = "open" if turn.conversation.window_is_open else "closed"
        return seen == self.state, seen

    def sentence(self, names: Names) -> str:
        if self.state == "open":
            return str(_("The reply window is open"))
        return str(_("The reply window is closed"))


class NumberIs(Condition):
    kind: Literal["number"] = "number"
    title: ClassVar[str] = N_("Your number")
    group: ClassVar[str] = N_("Conversation")
    operator: Literal["is", "is_not"] = choice(N_("The number"), IS)
    number: str = ref(N_("Number"), "numbers")

    def check(self, turn: Any) -> tuple[bool, str]:
        seen = str(turn.conversation.phone_number_id)
        return (seen == self.number) == (self.operator == "is"), turn.names.of("numbers", seen)

    def sentence(self, names: Names) -> str:
        number = names.of("numbers", self.number)
        if self.operator == "is":
            return str(_("The customer wrote to %(number)s", number=number))
        return str(_("The customer did not write to %(number)s", number=number))


class MessageSays(Condition):
    kind: Literal["message"] = "message"
    title: ClassVar[str] = N_("What the message says")
    group: ClassVar[str] = N_("Message")
    mode: Literal["exact", "contains", "word", "pattern"] = choice(N_("The message"), MODES)
    words: tuple[str, ...] = lines(N_("Words"), most=50, hint=N_("One a line. One of them is enough."))

    def check(self, turn: Any) -> tuple[bool, str]:
        return matches(self.mode, self.words, turn.body), turn.body

    def sentence(self, names: Names) -> str:
        return str(_("The message %(mode)s %(words)s", **says(self.mode, self.words)))

    def problems(self) -> list[str]:
        problem = problem_of(self.mode, self.words)
        return [str(_(problem))] if problem else []


def says(mode: str, words: tuple[str, ...]) -> dict[str, str]:
    """The facts of a sentence about a message's words."""
    return {"mode": str(_(MODES[mode])), "words": listed(map(quoted, words), "or")}


class MessageType(Condition):
    kind: Literal["message_type"] = "message_type"
    title: ClassVar[str] = N_("The kind of message")
    group: ClassVar[str] = N_("Message")
    TYPES: ClassVar[dict[str, str]] = {
        "text": N_("a text"),
        "tapped": N_("a tapped button or list choice"),
        "image": N_("a picture"),
        "video": N_("a video"),
        "audio": N_("a voice note or sound"),
        "document": N_("a document"),
        "location": N_("a location"),
        "contacts": N_("a contact card"),
        "order": N_("an order"),
    }
    operator: Literal["is", "is_not"] = choice(N_("The message"), IS)
    type: Literal["text", "tapped", "image", "video", "audio", "document", "location", "contacts", "order"] = choice(
        N_("Kind"), TYPES
    )

    def check(self, turn: Any) -> tuple[bool, str]:
        seen = turn.message.type if turn.message else "text" if turn.typed else ""
        is_so = seen in ("interactive", "button") if self.type == "tapped" else seen == self.type
        return is_so == (self.operator == "is"), seen

    def sentence(self, names: Names) -> str:
        if self.operator == "is":
            return str(_("The message is %(kind)s", kind=_(self.TYPES[self.type])))
        return str(_("The message is not %(kind)s", kind=_(self.TYPES[self.type])))


class Hours(Condition):
    kind: Literal["hours"] = "hours"
    title: ClassVar[str] = N_("Business hours")
    group: ClassVar[str] = N_("Time")
    WHEN: ClassVar[dict[str, str]] = {"open": N_("during business hours"), "closed": N_("outside business hours")}
    when: Literal["open", "closed"] = choice(N_("It is"), WHEN)

    def check(self, turn: Any) -> tuple[bool, str]:
        seen = "open" if turn.hours.is_open(turn.at) else "closed"
        return seen == self.when, seen

    def sentence(self, names: Names) -> str:
        return str(_("It is %(when)s", when=_(self.WHEN[self.when])))


class Weekday(Condition):
    kind: Literal["weekday"] = "weekday"
    title: ClassVar[str] = N_("The day of the week")
    group: ClassVar[str] = N_("Time")
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = lines(
        N_("Days"), most=7, longest=3, hint=N_("One a line: mon, tue, wed, thu, fri, sat, sun.")
    )

    def check(self, turn: Any) -> tuple[bool, str]:
        seen = [*WEEKDAYS][turn.local.weekday()]
        return seen in self.days, seen

    def sentence(self, names: Names) -> str:
        return str(_("It is one of these days: %(days)s", days=listed(_(WEEKDAYS[day]) for day in self.days)))


class LocalTime(Condition):
    kind: Literal["time"] = "time"
    title: ClassVar[str] = N_("The time of day")
    group: ClassVar[str] = N_("Time")
    since: str = clock(N_("From"), default="09:00", hint=N_("By the clock of your business hours."))
    until: str = clock(N_("Until"), default="17:00")

    def check(self, turn: Any) -> tuple[bool, str]:
        seen = f"{turn.local:%H:%M}"
        if self.since <= self.until:
            return self.since <= seen < self.until, seen
        return seen >= self.since or seen < self.until, seen

    def sentence(self, names: Names) -> str:
        return str(
            _("It is between %(since)s and %(until)s", since=clock_words(self.since), until=clock_words(self.until))
        )


def clock_words(written: str) -> str:
    return dates.clock(dt.time.fromisoformat(written))


def compare(operator: str, seen: str, value: str) -> bool:
    match operator:
        case "empty":
            return not seen.strip()
        case "filled":
            return bool(seen.strip())
        case "is":
            return fold(seen) == fold(value)
        case "is_not":
            return fold(seen) != fold(value)
        case "contains":
            return fold(value) in fold(seen)
    order = in_order(seen, value)
    return order is not None and (order > 0 if operator == "more" else order < 0)


def in_order(seen: str, value: str) -> int | None:
    """Which of two numbers or dates is more: 1, 0, -1; None where they can't be compared."""
    try:
        one: Any = Decimal(seen)
        other: Any = Decimal(value)
        if not (one.is_finite() and other.is_finite()):
            return None
    except InvalidOperation:
        try:
            one, other = dt.date.fromisoformat(seen), dt.date.fromisoformat(value)
        except ValueError:
            return None
    return int(one > other) - int(one < other)
