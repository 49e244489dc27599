"""The steps of automations that act within Switchboard. Others: `asking.py`, `calling.py`, and later features'."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

from flask_babel import gettext as _
from flask_babel import ngettext

from app.contacts import search
from app.contacts.fields import ContactField
from app.contacts.fields import Wrong as WrongValue
from app.contacts.tags import Tag
from app.inbox.compose.canned_files import CannedFile
from app.inbox.compose.canned_replies import CannedReply
from app.inbox.compose.problems import NOT_SENT
from app.inbox.compose.writing import Writing
from app.inbox.conversations import GREETING, AutomationPaused, Message, Refusal, WithOtherApp, WithPerson
from app.inbox.conversations.assignment import Taken, member_or_none
from app.inbox.desk.distribution import Takers
from app.inbox.desk.notes import Note
from app.inbox.desk.state_changes import change_state
from app.message_templates.models import MessageTemplate
from app.meta import outgoing
from app.meta.outgoing import Outgoing, Refused, Row
from app.team.models import Team
from app.templating import listed, quoted
from app.tenancy import User, announce, db, later, now
from app.words import N_

from .conditions import Group
from .limits import DEEPEST_CHAIN, messages_left
from .models import Automation, AutomationRun, AutomationVersion
from .parts import LONGEST_TEXT, UNASSIGNED, Names, Step, Steps, choice, count, entry, lines, ref
from .turns import Outcome, Turn, Wait

VARIABLES = N_(
    "{{first_name}}, {{name}}, {{business}}, {{answer}}, {{subject.title}} or the name of a field are replaced by "
    "their values. Write {{first_name|there}} for “there” where it isn't known."
)
UNITS = {"minutes": N_("minutes"), "hours": N_("hours"), "days": N_("days")}
ENOUGH = N_("The customer has had as many automatic messages as one may get in an hour.")
NOT_APPROVED = N_("The template “{name}” is not approved for this number.")
GONE = N_("What this step refers to was deleted.")
AWAY = N_("You are closed, so the customer gets the out-of-office reply of Business hours instead.")
OFF = N_("That automation is switched off.")
CHAIN = N_("Automations that start each other in a row were stopped here.")
FULL = N_("No one in the team is online and free.")
REASSIGNED = N_("It was reassigned in the same moment, so nothing was changed.")
# Refusals after which the rest of a run makes no sense.
SILENCED = (WithPerson, WithOtherApp, AutomationPaused)


class SendingStep(Step):
    """A step that sends one message. A refusal is its result; the run goes on unless a person has the conversation."""

    sends: ClassVar[bool] = True
    group: ClassVar[str] = N_("Messages")

    def compose(self, turn: Turn) -> Outgoing:
        """The message to send. Raises `Refused`."""
        raise NotImplementedError

    def do(self, turn: Turn) -> Outcome:
        return send(turn, self.id, self.compose)


def send(turn: Turn, step_id: uuid.UUID, compose: Any, *, attempt: int = 0, source: str = "") -> Outcome:
    """Puts a message into the outbox, within the limits. Returns the outcome, also of a refusal."""
    assert turn.automation
    if turn.greets and turn.is_answered_out_of_office:
        return Outcome("left_out", words=AWAY)
    conversation = turn.conversation = turn.conversation.merged_into()
    conversation.locked()
    client_id = turn.client_id(step_id, attempt)
    if conversation.message_with(client_id) is None and messages_left(conversation) < 1:
        conversation.record("automation_stopped", turn.automation.actor, why="limit")
        return Outcome("limit", ends="limit", words=ENOUGH)
    source = source or source_of(turn.automation)
    try:
        message = conversation.send(compose(turn), by=turn.automation.actor, client_id=client_id, source=source)
    except NOT_SENT as problem:
        return refused(problem)
    return Outcome("sent", seen={"message": str(message.id), "text": message.words[:200]})


def source_of(automation: Automation) -> str:
    """Where other automations may run for the same message, what this one says is no answer to it: a greeting."""
    return "" if automation.stops else GREETING


def refused(problem: Exception) -> Outcome:
    """The outcome of a message that was not sent, with the words and the facts they need."""
    kind = problem.kind if isinstance(problem, Refusal) else "refused"
    facts: dict[str, Any] = {"refusal": kind}
    words = ""
    if isinstance(problem, Refused):
        words, given = problem.words, problem.facts
        facts |= {name: value for name, value in given.items() if isinstance(value, str | int)}
    ends = kind if isinstance(problem, SILENCED) else ""
    return Outcome("refused", ends=ends, words=words, seen=facts)


class Reply(SendingStep):
    kind: Literal["reply"] = "reply"
    title: ClassVar[str] = N_("Reply with a text")
    needs_window: ClassVar[bool] = True
    text: str = entry(N_("Text"), most=LONGEST_TEXT, area=True, hint=VARIABLES, spoken=True)

    def compose(self, turn: Turn) -> Outgoing:
        return outgoing.text(turn.fill(self.text))

    def sentence(self, names: Names) -> str:
        return str(_("Reply “%(text)s”", text=short(self.text)))


class Buttons(SendingStep):
    kind: Literal["buttons"] = "buttons"
    title: ClassVar[str] = N_("Reply with buttons")
    needs_window: ClassVar[bool] = True
    options: ClassVar[str] = "buttons"
    text: str = entry(N_("Text"), most=1_024, area=True, hint=VARIABLES, spoken=True)
    buttons: tuple[str, ...] = lines(
        N_("Buttons"), most=3, longest=20, hint=N_("One a line, up to 3 of 20 characters."), spoken=True
    )
    header: str = entry(N_("Heading"), most=60, needed=False, spoken=True)
    footer: str = entry(N_("Footer"), most=60, needed=False, spoken=True)

    def compose(self, turn: Turn) -> Outgoing:
        return outgoing.buttons(turn.fill(self.text), self.buttons, turn.fill(self.header), turn.fill(self.footer))

    def sentence(self, names: Names) -> str:
        return str(
            _("Reply “%(text)s” with the buttons %(buttons)s", text=short(self.text), buttons=all_quoted(self.buttons))
        )

    def problems(self) -> list[str]:
        return checked(lambda: outgoing.buttons("…", self.buttons, self.header, self.footer))


class Menu(SendingStep):
    kind: Literal["menu"] = "menu"
    title: ClassVar[str] = N_("Reply with a list to choose from")
    needs_window: ClassVar[bool] = True
    options: ClassVar[str] = "rows"
    text: str = entry(N_("Text"), most=LONGEST_TEXT, area=True, hint=VARIABLES, spoken=True)
    button: str = entry(N_("Button that opens the list"), most=20, spoken=True, filled=False)
    rows: tuple[str, ...] = lines(
        N_("Choices"),
        most=10,
        longest=100,
        hint=N_("One a line, up to 10. A description may follow after “|”."),
        spoken=True,
    )

    def compose(self, turn: Turn) -> Outgoing:
        return outgoing.menu(turn.fill(self.text), self.button, rows_of(self.rows))

    def sentence(self, names: Names) -> str:
        titles = [row.title for row in rows_of(self.rows)]
        return str(_("Reply “%(text)s” with the choices %(rows)s", text=short(self.text), rows=all_quoted(titles)))

    def problems(self) -> list[str]:
        return checked(lambda: outgoing.menu("…", self.button, rows_of(self.rows)))


class Canned(Step):
    """With its file, which is copied without a transaction; the message's id makes it safe to try again."""

    kind: Literal["canned"] = "canned"
    title: ClassVar[str] = N_("Reply with a canned reply: text, photo, video or file")
    group: ClassVar[str] = N_("Messages")
    sends: ClassVar[bool] = True
    needs_window: ClassVar[bool] = True
    reply: str = ref(N_("Canned reply"), "canned_replies", hint=N_("Those that everybody may use."))

    def texts(self) -> Iterator[tuple[str, bool]]:
        if canned := CannedReply.find(self.reply):
            yield canned.body, True

    def do(self, turn: Turn) -> Outcome:
        canned = CannedReply.find(self.reply)
        if canned is None:
            return Outcome("refused", words=GONE)
        file = None if turn.dry else CannedFile.of_reply(canned)
        if file is None:
            return send(turn, self.id, lambda turn: outgoing.text(turn.fill(canned.body)))
        return self.send_file(turn, canned, file)

    def send_file(self, turn: Turn, canned: CannedReply, file: CannedFile) -> Outcome:
        assert turn.automation
        if turn.greets and turn.is_answered_out_of_office:
            return Outcome("left_out", words=AWAY)
        conversation, client_id = turn.conversation.merged_into(), turn.client_id(self.id)
        if conversation.message_with(client_id) is None and messages_left(conversation) < 1:
            return Outcome("limit", ends="limit", words=ENOUGH)
        try:
            writing = Writing(conversation, turn.fill(canned.body), client_id, [file.copy()])
            messages = writing.queue(by=turn.automation.actor, source=source_of(turn.automation))
        except NOT_SENT as problem:
            return refused(problem)
        return Outcome("sent", seen={"message": str(messages[0].id), "text": messages[0].words[:200]})

    def sentence(self, names: Names) -> str:
        return str(_("Reply with the canned reply %(name)s", name=names.of("canned_replies", self.reply)))


class Template(SendingStep):
    kind: Literal["template"] = "template"
    title: ClassVar[str] = N_("Send a template")
    template: str = ref(N_("Template"), "templates")
    values: tuple[str, ...] = lines(
        N_("Values of its variables"),
        most=20,
        longest=500,
        needed=False,
        hint=N_("One a line, in their order."),
        filled=True,
    )

    def compose(self, turn: Turn) -> Outgoing:
        name, _bar, language = self.template.partition("|")
        sendable = MessageTemplate.sendable_called(turn.conversation.phone_number.waba_id, name, language)
        if sendable is None:
            raise Refused(NOT_APPROVED, name=name)
        keys = [variable.key for variable in sendable.definition.variables]
        return sendable.filled(dict(zip(keys, map(turn.fill, self.values), strict=False)))

    def sentence(self, names: Names) -> str:
        return str(_("Send the template “%(name)s”", name=names.of("templates", self.template)))


class TagStep(Step):
    kind: Literal["tag"] = "tag"
    title: ClassVar[str] = N_("Add or remove a tag")
    group: ClassVar[str] = N_("Customer")
    WHAT: ClassVar[dict[str, str]] = {"add": N_("Add"), "remove": N_("Remove")}
    what: Literal["add", "remove"] = choice(N_("What"), WHAT)
    tag: str = ref(N_("Tag"), "tags")

    def do(self, turn: Turn) -> Outcome:
        tag = Tag.find(self.tag)
        if tag is None or turn.automation is None:
            return Outcome("refused", words=GONE)
        contact_id, by = turn.contact.id, turn.automation.actor
        changed = tag.put_on(contact_id, by=by) if self.what == "add" else tag.take_off(contact_id, by=by)
        turn.forget()
        announce("conversation", turn.conversation.id)
        return Outcome("done" if changed else "unchanged", seen={"tag": tag.name})

    def sentence(self, names: Names) -> str:
        tag = names.of("tags", self.tag)
        if self.what == "add":
            return str(_("Add the tag “%(tag)s”", tag=tag))
        return str(_("Remove the tag “%(tag)s”", tag=tag))


class SetField(Step):
    kind: Literal["set_field"] = "set_field"
    title: ClassVar[str] = N_("Fill in a field")
    group: ClassVar[str] = N_("Customer")
    field: str = ref(N_("Field"), "fields")
    value: str = entry(
        N_("Value"), most=1_000, needed=False, hint=N_("Empty: the field is emptied. {{answer}} is the last reply.")
    )

    def do(self, turn: Turn) -> Outcome:
        field = ContactField.find(self.field)
        if field is None or turn.automation is None:
            return Outcome("refused", words=GONE)
        value = turn.fill(self.value)
        try:
            read = field.read(value)
        except WrongValue as wrong:
            return Outcome("refused", words=wrong.words, seen={"value": value[:200], **wrong.facts})
        field.put_on(turn.contact.id, read, by=turn.automation.actor)
        search.index([turn.contact.id])
        turn.forget()
        return Outcome("done", seen={"field": field.name, "value": read[:200]})

    def sentence(self, names: Names) -> str:
        field = names.of("fields", self.field)
        if not self.value:
            return str(_("Empty the field “%(field)s”", field=field))
        return str(_("Set the field “%(field)s” to “%(value)s”", field=field, value=short(self.value)))


class Assign(Step):
    kind: Literal["assign"] = "assign"
    title: ClassVar[str] = N_("Assign the conversation")
    group: ClassVar[str] = N_("Conversation")
    TO: ClassVar[dict[str, str]] = {
        "member": N_("To this person"),
        "team": N_("To this team"),
        "turn": N_("To the next person of this team who is online"),
        UNASSIGNED: N_("Unassign it"),
    }
    to: Literal["member", "team", "turn", "nobody"] = choice(N_("To whom"), TO)
    member: str = ref(N_("Person"), "members", needed=False, none=N_("No one in particular"))
    team: str = ref(N_("Team"), "teams", needed=False, none=N_("No team"))

    def do(self, turn: Turn) -> Outcome:
        assert turn.automation
        by, conversation = turn.automation.actor, turn.conversation.locked()
        team = Team.find(self.team) if self.to in ("team", "turn") else None
        if self.to in ("team", "turn") and team is None:
            return Outcome("refused", words=GONE)
        if team:
            conversation.give_to_team(team, by=by)
        if self.to == "team":
            return Outcome("done", seen={"to": team.name if team else ""})
        if self.to == "turn" and team:
            takers = Takers(team.refresh_locked())
            if (taker := takers.next()) is None:
                return Outcome("refused", words=FULL)
            takers.gave(taker)
            user: User | None = taker.user
        else:
            user = member_or_none(self.member) if self.to == "member" else None
            if self.to == "member" and user is None:
                return Outcome("refused", words=GONE)
        try:
            changed = conversation.give(user, by=by, expected=conversation.assignee_id)
        except Taken:
            return Outcome("refused", words=REASSIGNED)
        return Outcome("done" if changed else "unchanged", seen={"to": user.name if user else ""})

    def sentence(self, names: Names) -> str:
        match self.to:
            case "member":
                return str(_("Assign the conversation to %(name)s", name=names.of("members", self.member)))
            case "team":
                return str(_("Assign the conversation to the team %(name)s", name=names.of("teams", self.team)))
            case "turn":
                return str(
                    _("Assign it to the next person online of the team %(name)s", name=names.of("teams", self.team))
                )
        return str(_("Unassign the conversation"))

    def problems(self) -> list[str]:
        if self.to == "member" and not self.member:
            return [str(_("Choose a person."))]
        if self.to in ("team", "turn") and not self.team:
            return [str(_("Choose a team."))]
        return []


class SetState(Step):
    kind: Literal["state"] = "state"
    title: ClassVar[str] = N_("Resolve, snooze or reopen")
    group: ClassVar[str] = N_("Conversation")
    STATES: ClassVar[dict[str, str]] = {
        "resolved": N_("Resolve it"),
        "snoozed": N_("Snooze it"),
        "pending": N_("Wait for the customer"),
        "open": N_("Reopen it"),
        "archived": N_("Archive it"),
    }
    state: Literal["resolved", "snoozed", "pending", "open", "archived"] = choice(N_("What"), STATES)
    hours: int = count(N_("Hours to snooze"), least=1, most=2_160, default=24, hint=N_("Counts only for a snooze."))

    def do(self, turn: Turn) -> Outcome:
        assert turn.automation
        until = now() + dt.timedelta(hours=self.hours) if self.state == "snoozed" else None
        changed = change_state(turn.conversation, self.state, by=turn.automation.actor, until=until)
        return Outcome("done" if changed else "unchanged")

    def sentence(self, names: Names) -> str:
        if self.state == "snoozed":
            return str(ngettext("Snooze it for %(num)d hour", "Snooze it for %(num)d hours", self.hours))
        return str(_(self.STATES[self.state]))


class WriteNote(Step):
    kind: Literal["note"] = "note"
    title: ClassVar[str] = N_("Write a note for the team")
    group: ClassVar[str] = N_("Conversation")
    text: str = entry(N_("Note"), most=2_000, area=True, hint=N_("Write @ and a name to mention a colleague."))

    def do(self, turn: Turn) -> Outcome:
        assert turn.automation
        body = turn.fill(self.text)
        Note.write(turn.conversation, body, by=turn.automation.actor, client_id=turn.client_id(self.id))
        return Outcome("done")

    def sentence(self, names: Names) -> str:
        return str(_("Write the note “%(text)s”", text=short(self.text)))


class HandOver(Step):
    kind: Literal["hand_over"] = "hand_over"
    title: ClassVar[str] = N_("Hand over to people")
    group: ClassVar[str] = N_("Conversation")
    sends: ClassVar[bool] = True
    text: str = entry(N_("Message to the customer"), most=1_000, area=True, needed=False, hint=VARIABLES, spoken=True)
    team: str = ref(N_("Team"), "teams", needed=False, none=N_("No change"))

    @property
    def writes(self) -> bool:
        return bool(self.text)

    def do(self, turn: Turn) -> Outcome:
        assert turn.automation
        by, outcome = turn.automation.actor, Outcome("done")
        if self.text:
            sent = send(turn, self.id, lambda turn: outgoing.text(turn.fill(self.text)), source="hand_over")
            outcome = Outcome(sent.result if sent.result != "sent" else "done", words=sent.words, seen=sent.seen)
        if self.team and (team := Team.find(self.team)):
            turn.conversation.give_to_team(team, by=by)
        turn.conversation.hand_over(by=by)
        return Outcome(outcome.result, ends="handed_over", words=outcome.words, seen=outcome.seen)

    def sentence(self, names: Names) -> str:
        if self.team:
            return str(_("Hand over to the team %(name)s", name=names.of("teams", self.team)))
        return str(_("Hand over to people"))


class Branch(Step):
    kind: Literal["branch"] = "branch"
    title: ClassVar[str] = N_("Decide")
    group: ClassVar[str] = N_("Decisions and waiting")
    blocks: ClassVar[dict[str, str]] = {"yes": N_("If so"), "no": N_("Otherwise")}
    conditions: Group = Group()
    yes: Steps = ()
    no: Steps = ()

    def do(self, turn: Turn) -> Outcome:
        failed = self.conditions.failure(turn)
        if failed is None:
            return Outcome("yes", block="yes")
        return Outcome("no", block="no", seen={"path": failed.path, "seen": failed.seen})

    def sentence(self, names: Names) -> str:
        listed = "; ".join(one.sentence(names) for one in self.conditions.items)
        if not listed:
            return str(_("Decide: no condition yet, so always yes"))
        if len(self.conditions.items) == 1 and self.conditions.mode == "none":
            return str(_("Unless: %(condition)s", condition=listed))
        if len(self.conditions.items) == 1:
            return str(_("If: %(condition)s", condition=listed))
        return str(_("If %(mode)s: %(conditions)s", mode=self.conditions.sentence(names), conditions=listed))

    def references(self) -> Any:
        for one in self.conditions.walk():
            yield from one.references()

    def problems(self) -> list[str]:
        return [words for one in self.conditions.walk() for words in one.problems()]


class WaitFor(Step):
    kind: Literal["wait"] = "wait"
    title: ClassVar[str] = N_("Wait for some time")
    group: ClassVar[str] = N_("Decisions and waiting")
    amount: int = count(N_("How long"), least=1, most=365, default=1)
    unit: Literal["minutes", "hours", "days"] = choice(N_("Unit"), UNITS, default="hours")

    def do(self, turn: Turn) -> Outcome:
        span = dt.timedelta(**{self.unit: self.amount})
        return Outcome("waiting", wait=Wait("time", turn.at + span))

    def resume(self, turn: Turn, reply: Message | None) -> Outcome:
        return Outcome("over")

    def sentence(self, names: Names) -> str:
        match self.unit:
            case "minutes":
                return str(ngettext("Wait for %(num)d minute", "Wait for %(num)d minutes", self.amount))
            case "hours":
                return str(ngettext("Wait for %(num)d hour", "Wait for %(num)d hours", self.amount))
        return str(ngettext("Wait for %(num)d day", "Wait for %(num)d days", self.amount))


class WaitForHours(Step):
    kind: Literal["wait_hours"] = "wait_hours"
    title: ClassVar[str] = N_("Wait until business hours")
    group: ClassVar[str] = N_("Decisions and waiting")

    def do(self, turn: Turn) -> Outcome:
        opens = turn.hours.next_opening(turn.at)
        return Outcome("waiting", wait=Wait("time", opens)) if opens else Outcome("open")

    def resume(self, turn: Turn, reply: Message | None) -> Outcome:
        return Outcome("over")


class StartOther(Step):
    kind: Literal["start"] = "start"
    title: ClassVar[str] = N_("Start or stop another automation")
    group: ClassVar[str] = N_("Decisions and waiting")
    WHAT: ClassVar[dict[str, str]] = {"start": N_("Start"), "stop": N_("Stop")}
    what: Literal["start", "stop"] = choice(N_("What"), WHAT)
    automation: str = ref(N_("Automation"), "automations")

    def do(self, turn: Turn) -> Outcome:
        other = Automation.find(self.automation)
        version = other.version if other else None
        if other is None or version is None:
            return Outcome("refused", words=GONE)
        return self.stop(turn, other) if self.what == "stop" else self.start(turn, other, version)

    def start(self, turn: Turn, other: Automation, version: AutomationVersion) -> Outcome:
        depth = (turn.run.depth if turn.run else 0) + 1
        if depth > DEEPEST_CHAIN or (turn.automation and other.id == turn.automation.id):
            return Outcome("refused", words=CHAIN)
        if not other.is_on:
            return Outcome("refused", words=OFF)
        if not turn.dry and turn.run:
            about = {"conversation_id": turn.conversation.id, "contact_id": turn.contact.id, "depth": depth}
            about |= {"key": f"{turn.run.id} {self.id}", "values": turn.values, "message_id": turn.run.message_id}
            if run := AutomationRun.begin(other, version, **about):
                later("automation.advance", run.id)
        return Outcome("done", seen={"automation": other.name})

    def stop(self, turn: Turn, other: Automation) -> Outcome:
        active = AutomationRun.active_in(turn.conversation.id).where(AutomationRun.automation_id == other.id)
        runs = [] if turn.dry else list(db.session.scalars(active.with_for_update(skip_locked=True)))
        for run in runs:
            run.finish("stopped", "by_automation")
        return Outcome("done" if runs else "unchanged", seen={"automation": other.name})

    def sentence(self, names: Names) -> str:
        name = names.of("automations", self.automation)
        if self.what == "start":
            return str(_("Start the automation “%(name)s”", name=name))
        return str(_("Stop the automation “%(name)s”", name=name))


class End(Step):
    kind: Literal["end"] = "end"
    title: ClassVar[str] = N_("End here")
    group: ClassVar[str] = N_("Decisions and waiting")

    def do(self, turn: Turn) -> Outcome:
        return Outcome("done", ends="end")


def rows_of(written: tuple[str, ...]) -> list[Row]:
    parts = [one.partition("|") for one in written]
    return [Row(title.strip(), description.strip()) for title, _bar, description in parts]


def checked(compose: Any) -> list[str]:
    """Why WhatsApp would not take a message, in words."""
    try:
        compose()
    except Refused as problem:
        return [problem.explain(_)]
    return []


def short(words: str) -> str:
    flat = " ".join(words.split())
    return flat if len(flat) <= 80 else f"{flat[:79]}…"


def all_quoted(words: Iterable[object]) -> str:
    return listed(map(quoted, words))
