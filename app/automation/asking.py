"""Steps that wait for what the customer replies: a question with a checked answer, or any reply at all."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import ClassVar, Literal

import email_validator
from flask_babel import gettext as _
from flask_babel import ngettext

from app.contacts import search
from app.contacts.fields import ContactField
from app.contacts.fields import Wrong as WrongValue
from app.folding import fold
from app.inbox.conversations import Message
from app.languages import detect
from app.meta import outgoing
from app.meta.outgoing import Outgoing, Row
from app.words import N_, nN_

from .parts import Names, Step, Steps, choice, count, entry, lines, ref
from .steps import UNITS, VARIABLES, all_quoted, checked, send, short
from .turns import Outcome, Turn, Wait

ANSWER = "answer"
# What opens a list of choices, for customers. At most 20 characters.
CHOOSE = {
    "en": "Choose",
    "es": "Elegir",
    "pt": "Escolher",
    "fr": "Choisir",
    "de": "Auswählen",
    "ar": "اختيار",
}
# What people write for a date, the day before the month.
DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y", "%d/%m/%y")
CLOCK = re.compile(r"(\d{1,2})\s*(?:(?:[:.h]|uhr)\s*(\d{2})?)?\s*(?:(a\.?m\.?|p\.?m\.?)|uhr|hs?)?")
MOST_BUTTONS, LONGEST_ANSWER = 3, 1_000
# Digits with what is written between thousands and before decimals.
NUMBER = re.compile(r"[-+]?\d+(?:[.,'\u2019 \u00a0\u202f]\d+)*")


class Ask(Step):
    kind: Literal["ask"] = "ask"
    title: ClassVar[str] = N_("Ask a question and save the answer")
    group: ClassVar[str] = N_("Messages")
    sends: ClassVar[bool] = True
    needs_window: ClassVar[bool] = True
    blocks: ClassVar[dict[str, str]] = {"unanswered": N_("If there is no valid answer")}
    ANSWERS: ClassVar[dict[str, str]] = {
        "text": N_("Any text"),
        "number": N_("A number"),
        "email": N_("An email address"),
        "date": N_("A date"),
        "time": N_("A time of day"),
        "choice": N_("One of these choices"),
    }
    options: ClassVar[str] = "choices"
    question: str = entry(N_("Question"), most=1_024, area=True, hint=VARIABLES, spoken=True)
    answer: Literal["text", "number", "email", "date", "time", "choice"] = choice(N_("Answer"), ANSWERS)
    choices: tuple[str, ...] = lines(
        N_("Choices"),
        most=10,
        longest=24,
        needed=False,
        hint=N_("One a line. Up to 3 are buttons, more are a list."),
        spoken=True,
    )
    field: str = ref(N_("Save the answer in"), "fields", needed=False, none=N_("Nowhere, only for this run"))
    name: str = entry(
        N_("Call the answer"), most=40, needed=False, hint=N_("For later steps, such as {{size}}."), filled=False
    )
    retry: str = entry(
        N_("What to say to an answer that doesn't fit"),
        most=1_024,
        area=True,
        needed=False,
        hint=N_("Empty: the question again."),
        spoken=True,
    )
    attempts: int = count(N_("How often to ask at most"), least=1, most=5, default=2)
    amount: int = count(N_("Wait for the answer"), least=1, most=365, default=1)
    unit: Literal["minutes", "hours", "days"] = choice(N_("Unit"), UNITS, default="days")
    unanswered: Steps = ()

    def values_made(self) -> tuple[str, ...]:
        return tuple(filter(None, (ANSWER, self.name)))

    def do(self, turn: Turn) -> Outcome:
        return self.ask(turn, self.question, 0)

    def ask(self, turn: Turn, words: str, attempt: int) -> Outcome:
        sent = send(turn, self.id, lambda turn: self.compose(turn.fill(words), turn.language), attempt=attempt)
        if sent.result != "sent":
            return Outcome(sent.result, block="unanswered", ends=sent.ends, words=sent.words, seen=sent.seen)
        until = turn.at + dt.timedelta(**{self.unit: self.amount})
        return Outcome("asked", wait=Wait("reply", until), seen=sent.seen)

    def compose(self, words: str, language: str = "") -> Outgoing:
        if self.answer != "choice":
            return outgoing.text(words)
        if len(self.choices) <= MOST_BUTTONS and all(len(one) <= 20 for one in self.choices):
            return outgoing.buttons(words, self.choices)
        label = CHOOSE.get(detect(words) or language, CHOOSE["en"])
        return outgoing.menu(words, label, [Row(one) for one in self.choices])

    def resume(self, turn: Turn, reply: Message | None) -> Outcome:
        if reply is None:
            return Outcome("no_answer", block="unanswered")
        typed = reply.words.replace("\x00", "").strip()[:LONGEST_ANSWER]
        field = ContactField.find(self.field) if self.field else None
        answer = self.understood(typed)
        try:
            saved = field.read(answer) if field and answer is not None else ""
        except WrongValue:
            answer = None
        if answer is None:
            return self.ask_again(turn, typed)
        for name in filter(None, (ANSWER, self.name)):
            turn.know(name, answer)
        if field and turn.automation:
            field.put_on(turn.contact.id, saved, by=turn.automation.actor)
            search.index([turn.contact.id])
            turn.forget()
        return Outcome("answered", seen={"answer": answer[:200]})

    def ask_again(self, turn: Turn, typed: str) -> Outcome:
        attempt = (turn.run.attempts if turn.run else 0) + 1
        if attempt >= self.attempts:
            return Outcome("not_understood", block="unanswered", seen={"answer": typed[:200]})
        worded = self.in_language(turn.language)
        outcome = worded.ask(turn, worded.retry or worded.question, attempt)
        return Outcome("asked_again" if outcome.wait else outcome.result, outcome.block, outcome.wait, outcome.ends,
                       outcome.words, {"answer": typed[:200]})  # fmt: skip

    def understood(self, typed: str) -> str | None:
        """The answer in the form in which it is saved; None where it does not fit."""
        if not typed:
            return None
        match self.answer:
            case "number":
                return read_number(typed)
            case "email":
                return read_email(typed)
            case "date":
                return read_date(typed)
            case "time":
                return f"{time:%H:%M}" if (time := read_time(typed)) else None
            case "choice":
                return (
                    next((one for one in self.choices if fold(one) == fold(typed)), None) or self.usual(typed) or None
                )
        return typed

    def sentence(self, names: Names) -> str:
        words = str(_("Ask “%(question)s”", question=short(self.question)))
        if self.answer == "choice":
            words = str(_("%(ask)s with the choices %(choices)s", ask=words, choices=all_quoted(self.choices)))
        if self.field:
            return str(_("%(ask)s and save the answer in “%(field)s”", ask=words, field=names.of("fields", self.field)))
        return words

    def problems(self) -> list[str]:
        if self.answer != "choice":
            return []
        if not self.choices:
            return [str(_("Enter at least one choice."))]
        return checked(lambda: self.compose("…"))


class WaitForReply(Step):
    kind: Literal["wait_reply"] = "wait_reply"
    title: ClassVar[str] = N_("Wait for a reply")
    group: ClassVar[str] = N_("Decisions and waiting")
    blocks: ClassVar[dict[str, str]] = {"replied": N_("If the customer replies"), "silent": N_("If not")}
    amount: int = count(N_("How long"), least=1, most=365, default=1)
    unit: Literal["minutes", "hours", "days"] = choice(N_("Unit"), UNITS, default="days")
    replied: Steps = ()
    silent: Steps = ()

    def values_made(self) -> tuple[str, ...]:
        return (ANSWER,)

    def do(self, turn: Turn) -> Outcome:
        return Outcome("waiting", wait=Wait("reply", turn.at + dt.timedelta(**{self.unit: self.amount})))

    def resume(self, turn: Turn, reply: Message | None) -> Outcome:
        if reply is None:
            return Outcome("silent", block="silent")
        answer = usual_option(turn, reply.words) or reply.words
        turn.know(ANSWER, answer[:LONGEST_ANSWER])
        return Outcome("replied", block="replied", seen={"answer": answer[:200]})

    def sentence(self, names: Names) -> str:
        match self.unit:
            case "minutes":
                one, many = nN_("Wait for a reply, at most %(num)d minute", "Wait for a reply, at most %(num)d minutes")
            case "hours":
                one, many = nN_("Wait for a reply, at most %(num)d hour", "Wait for a reply, at most %(num)d hours")
            case _:
                one, many = nN_("Wait for a reply, at most %(num)d day", "Wait for a reply, at most %(num)d days")
        return str(ngettext(one, many, self.amount))


def usual_option(turn: Turn, chosen: str) -> str:
    """A button in another language as conditions name it; "" where no step of the automation has it."""
    steps = [placed.step for placed in turn.run.version.definition.walk()] if turn.run else []
    return next(filter(None, (one.usual(chosen) for one in steps if one.options)), "")


def read_number(typed: str) -> str | None:
    """The one number in an answer: “about 1,500 €” is 1500. Digits of any script."""
    plain = "".join(str(int(one)) if one.isdecimal() else one for one in typed)
    written = NUMBER.findall(plain)
    if len(written) != 1:
        return None
    try:
        number = Decimal(without_groups(re.sub(r"[\s'\u2019]", "", written[0])))
    except InvalidOperation:
        return None
    return f"{number:f}" if abs(number) < 10**15 else None


def without_groups(digits: str) -> str:
    """With a point before the decimals, and nothing between thousands: 1.500 and 1,500 are fifteen hundred."""
    marks = [one for one in digits if one in ".,"]
    if not marks:
        return digits
    whole, _mark, rest = digits.rpartition(marks[-1])
    if marks.count(marks[-1]) > 1 or (len(marks) == 1 and len(rest) == 3 and whole.lstrip("-+0")):
        return re.sub("[.,]", "", digits)
    return f"{re.sub('[.,]', '', whole)}.{rest}"


def read_email(typed: str) -> str | None:
    try:
        return email_validator.validate_email(typed.strip("<> "), check_deliverability=False).normalized
    except email_validator.EmailNotValidError:
        return None


def read_date(typed: str) -> str | None:
    plain = "".join(str(int(one)) if one.isdecimal() else one for one in typed.strip())
    for form in DATES:
        try:
            return dt.datetime.strptime(plain, form).replace(tzinfo=dt.UTC).date().isoformat()
        except ValueError:
            continue
    return None


def read_time(text: str) -> dt.time | None:
    """14:30, 14h30, 14.30 Uhr, 2:30 pm or 14, with digits of any script."""
    plain = "".join(str(int(one)) if one.isdecimal() else one for one in text.strip().lower())
    if (match := CLOCK.fullmatch(plain)) is None:
        return None
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "")[:1]
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half == "p" else 0) if half else hour
    return dt.time(hour, minute) if hour < 24 and minute < 60 else None
