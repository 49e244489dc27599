"""Who has a conversation: a person, the assistant, an automation, another app at Meta, or no one.

The first message of a person takes it, whatever it was written with: composer, API key, or the business's phone. Notes,
reactions and imported history do not. While a person has it, the gate refuses automatic messages, and those already
in the outbox are cancelled when they are claimed (`app/inbox/outbound/outbox.py`).
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Index, select, text, update
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from app.tenancy import OTHER_APP, Actor, TenantModel, announce, belongs_to, db, happened, now, one_of
from app.tenancy.actor import KINDS as ACTORS

from .inbox_settings import InboxSettings
from .number_desks import NumberDesk
from .refusals import AutomationPaused, Refusal, WithOtherApp, WithPerson

HANDLERS = ("person", "assistant", "automation", "other_app")
# Why people no longer have it: somebody resolved it, gave it back to automation, or wrote nothing for long.
ENDINGS = ("resolved", "released", "expired")
# States in which no one has a conversation.
CLOSED = ("resolved", "archived")


class HandlingStretch(TenantModel):
    """A time in which people were responsible for a conversation. No `by_kind`: handed over, and no one wrote yet."""

    __tablename__ = "handling_stretches"
    __table_args__ = (
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        one_of("by_kind", ACTORS),
        one_of("ending", ENDINGS),
        Index("ix_handling_stretches_conversation", "tenant_id", "conversation_id", "started_at"),
    )

    conversation_id: Mapped[uuid.UUID]
    # Who wrote first.
    by_kind: Mapped[str | None]
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str | None]
    started_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    ending: Mapped[str | None]


def handling_constraints() -> tuple[SchemaItem, ...]:
    """Part of a conversation's table."""
    is_ending = text("handled_until is not null")
    return one_of("handled_by", HANDLERS), Index(
        "ix_conversations_handled", "handled_until", postgresql_where=is_ending
    )


class Handled:
    """Who has a conversation. Each change takes the row's lock."""

    handled_by: Mapped[str | None]
    # Who of them: the last person who wrote, the assistant, the automation. Null: handed over, and no one wrote yet.
    handler_kind: Mapped[str | None]
    handler_id: Mapped[uuid.UUID | None]
    handler_name: Mapped[str | None]
    handled_since: Mapped[dt.datetime | None]
    # Until when a person's last message keeps automation quiet; null: until it is resolved or released.
    handled_until: Mapped[dt.datetime | None]
    # When somebody stopped all automation here.
    automation_paused_at: Mapped[dt.datetime | None] = mapped_column()

    # A transaction, and what it read together with the row: the tenant's balance and settings; not stored.
    read_along: Any = None
    id: Any
    phone_number_id: Any
    waiting_since: Any
    locked: Any
    record: Any
    put: Any
    is_active: Any

    @property
    def handler(self) -> Actor | None:
        """Who has it, if it is not the team as a whole."""
        return Actor.stored(self.handler_kind, self.handler_id, self.handler_name)

    @property
    def is_with_person(self) -> bool:
        """Whether a person has it now, so that nothing automatic may be sent."""
        return self.handled_by == "person" and (self.handled_until is None or self.handled_until > now())

    def may_automate(self) -> bool:
        """Whether automation and the assistant may act here now."""
        return self.refusal_of_automation() is None

    def refusal_of_automation(self, desk: NumberDesk | None = None) -> Refusal | None:
        """`desk` is the number's, where that is at hand."""
        if self.automation_paused_at or (desk or NumberDesk.of(self.phone_number_id)).automation_paused_at:
            return AutomationPaused()
        if self.handled_by == "other_app":
            return WithOtherApp()
        return WithPerson() if self.is_with_person else None

    def take(self, *, by: Actor, at: dt.datetime | None = None) -> bool:
        """Gives it to whoever writes: a person at once, the others only where they may. Returns whether they have it.

        `at` is when a person wrote, where that was not now.
        """
        self.locked()
        if by.takes_over:
            self.take_for_person(by, at or now())
        elif not self.may_automate():
            return False
        elif (self.handled_by, self.handler_id) != (handler_of(by), by.id):
            self.end_stretch("expired", self.handled_until)
            self.give_handling(handler_of(by), by, now())
        return True

    def take_for_person(self, by: Actor, at: dt.datetime) -> None:
        until = self.silence_after(at)
        if until and until <= now():
            return
        before, had_it = self.handler, self.is_with_person
        if not had_it:
            if self.handled_by in ("assistant", "automation", "other_app"):
                other = Actor.system(OTHER_APP) if self.handled_by == "other_app" else before
                self.record("taken", by, was=other and other.label)
            self.end_stretch("expired", self.handled_until)
            self.give_handling("person", by, at)
            stretch = HandlingStretch(conversation_id=self.id, started_at=at, **by.columns("by"))
            db.session.add(stretch)
        elif before is None:
            db.session.execute(update(HandlingStretch).where(*self.present_stretch).values(by.columns("by")))
        self.name_handler(by)
        self.handled_until = until and max(until, self.handled_until or until)
        if not had_it or before is None:
            happened("conversation.taken", self.id, by=by)

    def leave_to_other_app(self, role: str, at: dt.datetime, *, has_taken: bool = False) -> None:
        """Another app at Meta, such as its Business Agent, answers here. Called with the row locked.

        People keep a conversation that they have, unless Meta says that the app took it from them (`has_taken`).
        """
        # Meta's times are whole seconds.
        is_older = self.handled_since is not None and self.handled_since > at + dt.timedelta(seconds=1)
        if self.is_with_person and (is_older or not has_taken):
            return
        role = role or (self.handler_name if self.handled_by == "other_app" else None) or ""
        self.end_stretch("released", at)
        self.handled_by, self.handled_since, self.handled_until = "other_app", at, None
        self.handler_kind, self.handler_id, self.handler_name = None, None, role or None
        announce("conversation", self.id)

    def hand_over(self, *, by: Actor, summary: str = "") -> None:
        """Gives it to the team: nothing automatic is sent until somebody has resolved it, or no one wrote for long."""
        self.locked()
        if not self.is_active:
            self.put("open", by=by)
        if self.is_with_person:
            return
        # The line that says so is no answer yet.
        self.waiting_since = self.waiting_since or now()
        self.end_stretch("expired", self.handled_until)
        self.handled_by, self.handled_since, self.handled_until = "person", now(), self.silence_after(now())
        self.handler_kind = self.handler_id = self.handler_name = None
        db.session.add(HandlingStretch(conversation_id=self.id, started_at=self.handled_since))
        self.record("handed_over", by, summary=summary)
        happened("conversation.handed_over", self.id, by=by)

    def release(self, *, by: Actor, why: str = "released") -> bool:
        """Ends the handling: automation may act again. Returns whether somebody had it."""
        self.locked()
        if self.handled_by is None:
            return False
        was_with_person = self.handled_by == "person"
        self.end_stretch(why, now())
        self.handled_by = self.handled_since = self.handled_until = None
        self.handler_kind = self.handler_id = self.handler_name = None
        if why == "released":
            self.record("released", by)
        if was_with_person:
            happened("conversation.released", self.id, by=by)
        announce("conversation", self.id)
        return True

    def pause_automation(self, *, by: Actor) -> bool:
        """Stops all automation in this conversation until somebody resumes it."""
        if self.locked().automation_paused_at:
            return False
        self.automation_paused_at = now()
        self.record("automation_paused", by)
        happened("conversation.automation_paused", self.id, by=by)
        return True

    def resume_automation(self, *, by: Actor) -> bool:
        if not self.locked().automation_paused_at:
            return False
        self.automation_paused_at = None
        self.record("automation_resumed", by)
        return True

    def give_handling(self, to: str, by: Actor, at: dt.datetime) -> None:
        self.handled_by, self.handled_since, self.handled_until = to, at, None
        self.name_handler(by)
        announce("conversation", self.id)

    def silence_after(self, at: dt.datetime) -> dt.datetime | None:
        """Until when a message that a person wrote then keeps automation quiet; None: until it is resolved."""
        is_at_hand = self.read_along and self.read_along[0] is db.session().get_transaction()
        hours = (self.read_along[2] if is_at_hand else InboxSettings.current()).silence_hours
        return at + dt.timedelta(hours=hours) if hours else None

    def name_handler(self, by: Actor) -> None:
        self.handler_kind, self.handler_id, self.handler_name = by.kind, by.id, by.name or None

    def end_stretch(self, why: str, at: dt.datetime | None) -> None:
        if self.handled_by == "person":
            ended = {"ended_at": at or now(), "ending": why}
            db.session.execute(update(HandlingStretch).where(*self.present_stretch).values(ended))

    @property
    def present_stretch(self) -> tuple[Any, ...]:
        return HandlingStretch.conversation_id == self.id, HandlingStretch.ended_at.is_(None)

    @property
    def stretches(self) -> list[HandlingStretch]:
        """The times in which people had it, oldest first."""
        query = select(HandlingStretch).where(HandlingStretch.conversation_id == self.id)
        return list(db.session.scalars(query.order_by(HandlingStretch.started_at, HandlingStretch.id)))


def handler_of(by: Actor) -> str:
    return "assistant" if by.kind == "assistant" else "automation"
