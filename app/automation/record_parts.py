"""What automations do with records of other systems: begin when a stage changes, and look at what a customer has."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from flask_babel import gettext as _

from app.records.models import Record, of_contact
from app.records.stages import LONGEST_STAGE, OUTCOMES, TYPES, RecordStage, key_of
from app.tenancy import as_uuid, db
from app.words import N_

from .parts import Condition, Miss, Names, Step, Trigger, choice, entry
from .turns import Outcome, Turn

ONE = {
    "deal": N_("a deal"),
    "lead": N_("a lead"),
    "property": N_("a property"),
    "order": N_("an order"),
    "appointment": N_("an appointment"),
    "contact": N_("a contact"),
    "other": N_("another record"),
}
STAGE_HINT = N_("As the other system calls it. Leave it empty for any stage.")
Type = Literal["deal", "lead", "property", "order", "appointment", "contact", "other"]
MOST_LOOKED_AT = 200
ID = "record.id"
NONE = N_("The customer has no such record.")
ELSEWHERE = N_("“{title}” is changed in the system where it comes from.")


class RecordStageChanges(Trigger):
    """In the conversation that the customer wrote in last. `record_title` and `record_stage` are values of the run."""

    kind: Literal["record_stage"] = "record_stage"
    title: ClassVar[str] = N_("The stage of a record changes")
    group: ClassVar[str] = N_("Records")
    happenings: ClassVar[tuple[str, ...]] = ("record.staged",)
    values: ClassVar[tuple[str, ...]] = ("record_title", "record_stage", ID)
    TO: ClassVar[dict[str, str]] = {
        "stage": N_("this stage"),
        "won": N_("a stage that means won"),
        "lost": N_("a stage that means lost"),
    }
    type: Type = choice(N_("Type"), TYPES)
    to: Literal["stage", "won", "lost"] = choice(N_("It moves to"), TO)
    stage: str = entry(N_("Stage"), most=LONGEST_STAGE, needed=False, hint=STAGE_HINT)

    def matches(self, turn: Any) -> Miss | None:
        type, stage = str(turn.facts.get("type")), str(turn.facts.get("stage") or "")
        if type != self.type or not self.matches_stage(stage):
            return Miss(f"{type}: {stage}")
        record = Record.find(turn.facts.get("record_id"))
        turn.know("record_title", record.title if record else "")
        turn.know(ID, record.id if record else "")
        turn.know("record_stage", stage)
        return None

    def matches_stage(self, stage: str) -> bool:
        if self.to == "stage":
            return not self.stage or key_of(self.stage) == key_of(stage)
        return RecordStage.outcome_of(self.type, stage) == self.to

    def sentence(self, names: Names) -> str:
        one = _(ONE[self.type])
        if self.to != "stage":
            return str(
                _("When %(one)s moves to a stage that means “%(outcome)s”", one=one, outcome=_(OUTCOMES[self.to]))
            )
        if self.stage:
            return str(_("When %(one)s moves to the stage “%(stage)s”", one=one, stage=self.stage))
        return str(_("When the stage of %(one)s changes", one=one))


class HasRecord(Condition):
    kind: Literal["record"] = "record"
    title: ClassVar[str] = N_("A record of the customer")
    group: ClassVar[str] = N_("Customer")
    has: Literal["has", "has_not"] = choice(N_("The customer"), {"has": N_("has"), "has_not": N_("does not have")})
    type: Type = choice(N_("Type"), TYPES)
    stage: str = entry(N_("Stage"), most=LONGEST_STAGE, needed=False, hint=STAGE_HINT)

    def check(self, turn: Any) -> tuple[bool, str]:
        mine = of_contact(turn.contact.id, turn.conversation.id).where(Record.type == self.type)
        stages = db.session.scalars(mine.with_only_columns(Record.stage).limit(MOST_LOOKED_AT)).all()
        wanted = key_of(self.stage)
        has = any(not wanted or key_of(stage) == wanted for stage in stages)
        return has == (self.has == "has"), ", ".join(dict.fromkeys(filter(None, stages)))

    def sentence(self, names: Names) -> str:
        one, has = _(ONE[self.type]), self.has == "has"
        if self.stage and has:
            return str(_("The customer has %(one)s in the stage “%(stage)s”", one=one, stage=self.stage))
        if self.stage:
            return str(_("The customer does not have %(one)s in the stage “%(stage)s”", one=one, stage=self.stage))
        if has:
            return str(_("The customer has %(one)s", one=one))
        return str(_("The customer does not have %(one)s", one=one))


class MoveRecord(Step):
    """The record that began the automation, if it is of this type; else the one of the customer that moved last."""

    kind: Literal["move_record"] = "move_record"
    title: ClassVar[str] = N_("Move a record to a stage")
    group: ClassVar[str] = N_("Customer")
    type: Type = choice(N_("Type"), TYPES)
    stage: str = entry(N_("Stage"), most=LONGEST_STAGE, hint=N_("One of the stages of this type in Records."))

    def values_made(self) -> tuple[str, ...]:
        return "record_title", "record_stage"

    def do(self, turn: Turn) -> Outcome:
        assert turn.automation
        record = self.record_of(turn)
        if record is None:
            return Outcome("refused", words=NONE)
        if record.is_mirrored:
            return Outcome("refused", words=ELSEWHERE, seen={"title": record.title})
        moved = record.move(turn.fill(self.stage), by=turn.automation.actor)
        turn.know("record_title", record.title)
        turn.know("record_stage", record.stage)
        return Outcome("done" if moved else "unchanged", seen={"title": record.title, "stage": record.stage})

    def record_of(self, turn: Turn) -> Record | None:
        mine = of_contact(turn.contact.id, turn.conversation.id).where(Record.type == self.type)
        if id := as_uuid(turn.values.get(ID)):
            began_with = db.session.scalar(mine.where(Record.id == id))
            if began_with:
                return began_with
        return db.session.scalar(mine.where(Record.gone_at.is_(None)).limit(1))

    def sentence(self, names: Names) -> str:
        return str(_("Move %(one)s of the customer to the stage “%(stage)s”", one=_(ONE[self.type]), stage=self.stage))
