"""What automations begin with. A feature that has something else to begin with adds a class of its own."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from flask_babel import gettext as _
from flask_babel import ngettext

from app.words import N_, nN_

from .conditions import clock_words, says
from .parts import Miss, Names, Trigger, choice, clock, count, lines, ref
from .texts import MODES, matches, problem_of


class MessageReceived(Trigger):
    kind: Literal["message"] = "message"
    title: ClassVar[str] = N_("A message is received")
    group: ClassVar[str] = N_("Messages")
    happenings: ClassVar[tuple[str, ...]] = ("message.received",)
    is_conversational: ClassVar[bool] = True
    opens_window: ClassVar[bool] = True
    values: ClassVar[tuple[str, ...]] = ("answer",)

    def sentence(self, names: Names) -> str:
        return str(_("When a customer sends a message"))


class Keyword(MessageReceived):
    kind: Literal["keyword"] = "keyword"  # type: ignore[assignment]
    title: ClassVar[str] = N_("A message contains certain words")
    mode: Literal["exact", "contains", "word", "pattern"] = choice(
        N_("The message"), MODES, hint=N_("Capitals and accents make no difference, except in patterns.")
    )
    words: tuple[str, ...] = lines(N_("Words"), most=50, hint=N_("One a line. One of them is enough."))

    def matches(self, turn: Any) -> Miss | None:
        return None if matches(self.mode, self.words, turn.body) else Miss(turn.body[:200])

    def sentence(self, names: Names) -> str:
        return str(_("When a customer's message %(mode)s %(words)s", **says(self.mode, self.words)))

    def problems(self) -> list[str]:
        problem = problem_of(self.mode, self.words)
        return [str(_(problem))] if problem else []


class FirstMessage(MessageReceived):
    kind: Literal["first_message"] = "first_message"  # type: ignore[assignment]
    title: ClassVar[str] = N_("A customer writes for the first time")

    def matches(self, turn: Any) -> Miss | None:
        return None if turn.is_first_message else Miss()

    def sentence(self, names: Names) -> str:
        return str(_("When a customer writes for the first time"))


class WindowOpens(MessageReceived):
    kind: Literal["window_opens"] = "window_opens"  # type: ignore[assignment]
    title: ClassVar[str] = N_("The reply window opens")

    def matches(self, turn: Any) -> Miss | None:
        return None if turn.opens_window else Miss()

    def sentence(self, names: Names) -> str:
        return str(_("When a customer writes after more than 24 hours, or for the first time"))


class WindowCloses(Trigger):
    kind: Literal["window_closes"] = "window_closes"
    title: ClassVar[str] = N_("The reply window is about to close")
    group: ClassVar[str] = N_("Messages")
    happenings: ClassVar[tuple[str, ...]] = ("conversation.closing",)
    opens_window: ClassVar[bool] = True

    def sentence(self, names: Names) -> str:
        return str(_("When the reply window closes within an hour and the customer still waits"))


class NoReply(Trigger):
    """Found by a sweep."""

    kind: Literal["no_reply"] = "no_reply"
    title: ClassVar[str] = N_("No reply for a while")
    group: ClassVar[str] = N_("Messages")
    SIDES: ClassVar[dict[str, str]] = {"team": N_("your team does not reply"), "customer": N_("the customer does not")}
    side: Literal["team", "customer"] = choice(N_("Who does not reply"), SIDES)
    minutes: int = count(
        N_("For how many minutes"),
        least=1,
        most=20_160,
        default=60,
        hint=N_("Of business hours. Without business hours every minute counts."),
    )

    def sentence(self, names: Names) -> str:
        if self.side == "team":
            one, many = nN_(
                "When your team has not replied for %(num)d minute of business hours",
                "When your team has not replied for %(num)d minutes of business hours",
            )
        else:
            one, many = nN_(
                "When the customer has not replied for %(num)d minute of business hours",
                "When the customer has not replied for %(num)d minutes of business hours",
            )
        return str(ngettext(one, many, self.minutes))


class ConversationChanges(Trigger):
    kind: Literal["conversation"] = "conversation"
    title: ClassVar[str] = N_("A conversation changes")
    group: ClassVar[str] = N_("Conversations")
    CHANGES: ClassVar[dict[str, str]] = {
        "opened": N_("starts"),
        "reopened": N_("is reopened"),
        "assigned": N_("is assigned"),
        "team": N_("gets another team"),
        "resolved": N_("is resolved"),
        "woken": N_("comes back from a snooze"),
        "handed_over": N_("is handed to the team"),
    }
    happenings: ClassVar[tuple[str, ...]] = tuple(f"conversation.{name}" for name in CHANGES)
    what: Literal["opened", "reopened", "assigned", "team", "resolved", "woken", "handed_over"] = choice(
        N_("A conversation"), CHANGES
    )

    def matches(self, turn: Any) -> Miss | None:
        what = turn.happening.removeprefix("conversation.")
        return None if what == self.what else Miss(what)

    def sentence(self, names: Names) -> str:
        return str(_("When a conversation %(changes)s", changes=_(self.CHANGES[self.what])))


class TagChanges(Trigger):
    kind: Literal["tag"] = "tag"
    title: ClassVar[str] = N_("A tag is added or removed")
    group: ClassVar[str] = N_("Customers")
    happenings: ClassVar[tuple[str, ...]] = ("tag.added", "tag.removed")
    what: Literal["added", "removed"] = choice(N_("The tag is"), {"added": N_("added"), "removed": N_("removed")})
    tag: str = ref(N_("Tag"), "tags")

    def matches(self, turn: Any) -> Miss | None:
        what, tag = turn.happening.removeprefix("tag."), str(turn.facts.get("tag_id"))
        return None if (what, tag) == (self.what, self.tag) else Miss(turn.names.of("tags", tag))

    def sentence(self, names: Names) -> str:
        tag = names.of("tags", self.tag)
        if self.what == "added":
            return str(_("When the tag “%(tag)s” is added to a customer", tag=tag))
        return str(_("When the tag “%(tag)s” is removed from a customer", tag=tag))


class FieldChanges(Trigger):
    kind: Literal["field"] = "field"
    title: ClassVar[str] = N_("A field changes")
    group: ClassVar[str] = N_("Customers")
    happenings: ClassVar[tuple[str, ...]] = ("field.changed",)
    field: str = ref(N_("Field"), "fields")

    def matches(self, turn: Any) -> Miss | None:
        field = str(turn.facts.get("field_id"))
        return None if field == self.field else Miss(turn.names.of("fields", field))

    def sentence(self, names: Names) -> str:
        return str(_("When the field “%(field)s” of a customer changes", field=names.of("fields", self.field)))


class DateReached(Trigger):
    """Found by a sweep."""

    kind: Literal["date"] = "date"
    title: ClassVar[str] = N_("A date of a customer is reached")
    group: ClassVar[str] = N_("Customers")
    WHEN: ClassVar[dict[str, str]] = {"on": N_("on the day"), "before": N_("days before"), "after": N_("days after")}
    field: str = ref(N_("Date field"), "date_fields")
    when: Literal["on", "before", "after"] = choice(N_("When"), WHEN)
    days: int = count(N_("How many days"), least=0, most=365, default=0)
    at: str = clock(N_("At"), default="09:00", hint=N_("By the clock of your business hours."))

    @property
    def offset(self) -> int:
        """Days from the date until it begins."""
        return {"on": 0, "before": -self.days, "after": self.days}[self.when]

    def sentence(self, names: Names) -> str:
        facts = {"field": names.of("fields", self.field), "at": clock_words(self.at)}
        match self.when:
            case "before":
                one, many = nN_(
                    "%(num)d day before the date in “%(field)s”, at %(at)s",
                    "%(num)d days before the date in “%(field)s”, at %(at)s",
                )
                return str(ngettext(one, many, self.days, **facts))
            case "after":
                one, many = nN_(
                    "%(num)d day after the date in “%(field)s”, at %(at)s",
                    "%(num)d days after the date in “%(field)s”, at %(at)s",
                )
                return str(ngettext(one, many, self.days, **facts))
        return str(_("On the date in “%(field)s”, at %(at)s", **facts))


class WebhookReceived(Trigger):
    """Its address is made on the automation's page (`views/calls.py`)."""

    kind: Literal["webhook"] = "webhook"
    title: ClassVar[str] = N_("Another program calls")
    group: ClassVar[str] = N_("Programs")
    more_values: ClassVar[str] = N_("%(variable)s is filled in only if the program that calls sends “%(name)s”.")

    def sentence(self, names: Names) -> str:
        return str(_("When another program calls this automation's address"))


class Started(Trigger):
    """By a step of another automation, and by nothing else."""

    kind: Literal["started"] = "started"
    title: ClassVar[str] = N_("Another automation starts it")
    group: ClassVar[str] = N_("Programs")
    more_values: ClassVar[str] = N_("%(variable)s is filled in only if the automation that starts this one has it.")

    def sentence(self, names: Names) -> str:
        return str(_("When another automation starts it"))
