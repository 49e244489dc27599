"""Notifications: a name that programs and features send by, the template behind it, and what fills it in."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from sqlalchemy import CheckConstraint, Index, Select, UniqueConstraint, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.contacts.fields import ContactFieldValue
from app.contacts.models import Contact
from app.folding import fold
from app.inbox.compose.first_messages import Recipient
from app.inbox.conversations import Conversation, Later, Message
from app.inbox.conversations.messages import NOT_SENT
from app.message_templates.models import GONE, MessageTemplate
from app.message_templates.uses import Use, uses_templates
from app.meta.message_templates import SENDABLE
from app.meta.outgoing import Outgoing, Refused
from app.meta.template_schema import keys_of, name_of
from app.tenancy import (
    Actor,
    TenantModel,
    belongs_to,
    current_tenant_id,
    db,
    exists,
    happened,
    insert_rows,
    now,
    of_tenant,
    one_of,
    uuid7,
)
from app.wabas.models import PhoneNumber
from app.words import N_

from . import refusals
from .refusals import Invalid, SentLately, Unavailable
from .uses import uses_of
from .values import Variable, base_of, locale_of, schema_of

# Which API keys may send it: any that has the scope, those that were chosen, or none.
ACCESS = ("any", "chosen", "none")
MOST_NUMBERS, MOST_VARIANTS, MOST_LISTED, MOST_CHOICES = 200, 200, 50, 500
LATELY = dt.timedelta(days=30)
LONGEST_PAUSE = 43_200
UNKNOWN = N_("The notification has no variable of this name. It has: {names}.")


class NameTaken(ValueError):
    """The business has a notification of this name."""


class InUse(Refused):
    """Something sends it. `uses` are those."""

    def __init__(self, uses: list[Use]) -> None:
        super().__init__(N_("This notification is in use. Choose another one there first."))
        self.uses = uses


class Notification(TenantModel):
    """A message that is sent by its name.

    It goes out with the template of its own name in the contact's language, where the account has it, else in
    `language`. `mapping` are rows of `Variable`.
    """

    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id", "name"),
        belongs_to("phone_numbers", "phone_number_id", nulled=True),
        belongs_to("contact_fields", "language_field_id", nulled=True),
        one_of("access", ACCESS),
        CheckConstraint(f"pause_minutes between 0 and {LONGEST_PAUSE}", name="pause_minutes"),
        Index("ix_notifications_template", "tenant_id", "template"),
        Index("ix_notifications_number", "tenant_id", "phone_number_id"),
        Index("ix_notifications_field", "tenant_id", "language_field_id"),
    )

    name: Mapped[str]
    title: Mapped[str]
    template: Mapped[str]
    language: Mapped[str]
    # The field of contacts that says their language; without one all get the default.
    language_field_id: Mapped[uuid.UUID | None]
    # The number it goes from; without one, the number that the contact wrote with last.
    phone_number_id: Mapped[uuid.UUID | None]
    mapping: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    access: Mapped[str] = mapped_column(default="any", server_default="any")
    api_key_ids: Mapped[list[str]] = mapped_column(default=list)
    # A contact gets it once in so many minutes; 0: as often as it is sent.
    pause_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    paused_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def named(cls, name: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.name == name))

    @classmethod
    def in_order(cls) -> Select[Self]:
        return select(cls).order_by(cls.name)

    def save(self, *, by: Actor) -> None:
        """Stores it, new or changed. Raises `NameTaken`."""
        self.id = self.id or uuid7()
        try:
            with db.session.begin_nested():
                db.session.add(self)
                db.session.flush()
        except IntegrityError:
            raise NameTaken from None
        happened("notification.changed", self.id, by=by)

    def remove(self, *, by: Actor) -> None:
        """Deletes it with the list of what was sent. Raises `InUse`."""
        if uses := uses_of(self.id):
            raise InUse(uses)
        happened("notification.changed", self.id, by=by)
        db.session.delete(self)

    def pause(self) -> None:
        self.paused_at = self.paused_at or now()

    def resume(self) -> None:
        self.paused_at = None

    @property
    def is_active(self) -> bool:
        return self.paused_at is None

    @property
    def variables(self) -> list[Variable]:
        """Made once for as long as its mapping stays: thousands of messages may be of one notification."""
        made_of, made = self.__dict__.get("_variables", (None, []))
        if made_of is not self.mapping:
            made = [Variable(**row) for row in self.mapping]
            self.__dict__["_variables"] = self.mapping, made
        return list(made)

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its variables."""
        return schema_of(self.title, self.variables)

    @property
    def category(self) -> str:
        """Meta's word for what its template is for; "" where no account has the template."""
        return next((one.category for one in self.variants()), "")

    @property
    def pause_between(self) -> dt.timedelta:
        return dt.timedelta(minutes=self.pause_minutes)

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Their ids and titles, for a purpose to choose from."""
        rows = db.session.execute(select(cls.id, cls.title).order_by(cls.title, cls.name).limit(MOST_CHOICES))
        return [(str(id), title) for id, title in rows]

    def pick(self, facts: Mapping[str, str]) -> dict[str, str]:
        """Those facts that it has a variable for."""
        return {name: facts[name] for name in {row.name for row in self.variables} & facts.keys()}

    def lacks(self, names: Iterable[str]) -> list[str]:
        """The variables that have to be given and are not among these names."""
        given = set(names)
        return list(dict.fromkeys(row.name for row in self.variables if row.is_required and row.name not in given))

    def may_be_sent_by(self, api_key_id: uuid.UUID) -> bool:
        """Whether a key that has the scope may send it."""
        return self.access == "any" or (self.access == "chosen" and str(api_key_id) in self.api_key_ids)

    def variants(self, waba_id: uuid.UUID | None = None) -> list[MessageTemplate]:
        """Its template in each language and account, or in one account: the default language first."""
        mine = [MessageTemplate.name == self.template, MessageTemplate.status != GONE]
        if waba_id:
            mine.append(MessageTemplate.waba_id == waba_id)
        others = MessageTemplate.language != self.language
        query = MessageTemplate.listed().where(*mine).order_by(others, MessageTemplate.language, MessageTemplate.id)
        return list(db.session.scalars(query.limit(MOST_VARIANTS)))

    def obstacle(self, variant: MessageTemplate) -> Unavailable | None:
        """Why this variant of its template can't go out, if anything."""
        about = {"template": variant.name, "language": variant.language}
        if not variant.is_sendable:
            return Unavailable(refusals.NOT_SENDABLE, status=variant.status, **about)
        definition = variant.definition
        if not definition.can_be_filled or not all(variant.files):
            return Unavailable(refusals.HAS_FILE, **about)
        targets = {one.target for one in self.variables}
        missing = [name for one in definition.variables if (name := name_of(one)) not in targets]
        return Unavailable(refusals.NOT_MAPPED, names=", ".join(missing), **about) if missing else None

    def variant_for(self, waba_id: uuid.UUID, language: str = "") -> MessageTemplate:
        """The one that goes out to somebody of this language. Raises `Unavailable`.

        Their own language where it can be sent, exactly or with another region, else the default.
        """
        variants = self.variants(waba_id)
        spelt = language.replace("-", "_")
        exact = [one for one in variants if spelt and one.language.lower() == spelt.lower()]
        related = [one for one in variants if spelt and base_of(one.language) == base_of(spelt)]
        own = next((one for one in [*exact, *related] if self.obstacle(one) is None), None)
        default = next((one for one in variants if one.language == self.language), None)
        if (chosen := own or default) is None:
            raise Unavailable(refusals.NO_TEMPLATE, template=self.template, language=self.language)
        if obstacle := self.obstacle(chosen):
            raise obstacle
        return chosen

    def language_of(self, contact_id: uuid.UUID) -> str:
        """The contact's language as a code, from its field; "" where that says none."""
        if self.language_field_id is None:
            return ""
        its = ContactFieldValue.contact_id == contact_id, ContactFieldValue.field_id == self.language_field_id
        written = db.session.scalar(select(ContactFieldValue.value).where(*its)) or ""
        return self.language_called(written)

    def language_called(self, written: str) -> str:
        """The code for what people write: `fr`, `fr-SN`, French, français."""
        wanted = fold(written.strip())
        for code in sorted({one.language for one in self.variants()}):
            locale = locale_of(code)
            names = (code, code.replace("_", "-"), base_of(code), locale.get_language_name("en"), locale.language_name)
            if wanted and wanted in {fold(name) for name in names if name}:
                return code
        return written.strip()[:20]

    def compose(
        self,
        variables: dict[str, str],
        waba_id: uuid.UUID,
        language: str = "",
        payloads: Sequence[str] = (),
        *,
        variant: MessageTemplate | None = None,
    ) -> Outgoing:
        """The message with these values. Raises `Invalid`, `Unavailable` and what the template refuses.

        `variant` is the one of `variant_for`, where the caller has it already.
        """
        variant = variant or self.variant_for(waba_id, language)
        definition, rows = variant.definition, self.variables
        values: dict[str, str] = {}
        names = {row.name for row in rows}
        mistakes = {name: unknown(names) for name in variables if name not in names}
        needed = {name_of(one) for one in definition.variables}
        for row in rows:
            try:
                written = row.read(variables.get(row.name, ""), variant.language)
            except Refused as mistake:
                mistakes[row.name] = mistake
            else:
                values |= {row.target: written} if row.target in needed else {}
        if mistakes:
            raise Invalid(mistakes)
        try:
            return variant.filled(keys_of(definition, values), payloads)
        except Refused as mistake:
            keys = keys_of(definition, {row.target: row.name for row in rows if row.target in needed})
            name = keys.get(str(mistake.facts.get("key")))
            raise (Invalid({name: mistake}) if name else mistake) from None

    def send(
        self,
        conversation: Conversation,
        variables: dict[str, str],
        *,
        by: Actor,
        client_id: uuid.UUID,
        source: str = "notification",
        payloads: list[str] | None = None,
        lane: str = "",
        language: str = "",
        send_at: dt.datetime | None = None,
    ) -> Message:
        """Puts it into the outbox, now or for `send_at`. The same `client_id` again is the same message.

        Raises `Invalid`, `Unavailable`, `SentLately`, and the `Refusal` of the gate.
        """
        conversation = conversation.merged_into()
        if earlier := conversation.message_with(client_id):
            return earlier
        if not self.is_active:
            raise Unavailable(refusals.PAUSED, name=self.name)
        self.check_pause(conversation)
        wanted = language or self.language_of(conversation.contact_id)
        outgoing = self.compose(variables, conversation.phone_number.waba_id, wanted, payloads or ())
        later = Later(send_at) if send_at else None
        message = conversation.send(outgoing, by=by, client_id=client_id, later=later, source=source, lane=lane)
        SentNotification.add(self, message, by)
        return message

    def check_pause(self, conversation: Conversation) -> None:
        """Raises `SentLately`. Of two that come at once, the second waits for the first."""
        if not self.pause_minutes:
            return
        lock = func.hashtextextended(f"notification {self.id} {conversation.contact_id}", 0)
        db.session.execute(select(func.pg_advisory_xact_lock(lock)))
        theirs = select(Conversation.id).where(Conversation.contact_id == conversation.contact_id)
        lately = SentNotification.conversation_id.in_(theirs), SentNotification.at > now() - self.pause_between
        if exists(SentNotification.that_went_out(self.id).where(*lately)):
            raise SentLately(refusals.SENT_LATELY, name=self.name, minutes=self.pause_minutes)

    def number_for(self, recipient: Recipient, among: Select[PhoneNumber] | None = None) -> PhoneNumber:
        """The number it goes from: its own; else the one they wrote with last; else the first with its template.

        Raises `Unavailable`.
        """
        return self.number_among(self.numbers(among), recipient, self.accounts())

    def numbers(self, among: Select[PhoneNumber] | None = None) -> list[PhoneNumber]:
        """Those that it could go from."""
        query = (select(PhoneNumber) if among is None else among).order_by(PhoneNumber.created_at).limit(MOST_NUMBERS)
        return [number for number in db.session.scalars(query) if number.takes_messages]

    def accounts(self) -> set[uuid.UUID]:
        """Those in which its template can be sent."""
        return {one.waba_id for one in self.variants() if one.status in SENDABLE}

    def number_among(self, numbers: Sequence[PhoneNumber], recipient: Recipient, having: set[uuid.UUID]) -> PhoneNumber:
        if self.phone_number_id:
            if own := next((number for number in numbers if number.id == self.phone_number_id), None):
                return own
            raise Unavailable(refusals.NUMBER_UNAVAILABLE)

        def rank(number: PhoneNumber) -> tuple[bool, float]:
            talk = recipient.conversations.get(number.id)
            return number.waba_id not in having, -talk.last_message_at.timestamp() if talk else 0.0

        if not numbers:
            raise Unavailable(refusals.NO_NUMBER)
        return min(numbers, key=rank)

    def conversation_with(
        self, contact: Contact, phone_number_id: uuid.UUID | None = None, *, by: Actor | None = None
    ) -> Conversation:
        """The contact's conversation with the number it goes from, made where there is none. Raises `Refused`."""
        recipient = Recipient.of_contact(contact)
        own = select(PhoneNumber).where(PhoneNumber.id == phone_number_id) if phone_number_id else None
        number = self.number_for(recipient, own)
        if conversation := recipient.conversations.get(number.id):
            return conversation
        if obstacle := recipient.obstacle_on(number):
            raise Refused(obstacle)
        return recipient.open(number, by=by or Actor.system("notification"))


def unknown(names: set[str]) -> Refused:
    return Refused(UNKNOWN, names=", ".join(sorted(names)) or "–")


class SentNotification(TenantModel):
    """One message that is a notification, and what asked for it."""

    __table_args__ = (
        belongs_to("notifications", "notification_id", ondelete="CASCADE"),
        belongs_to("messages", "message_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "message_id"),
        Index("ix_sent_notifications_at", "tenant_id", "notification_id", text("at desc")),
        Index("ix_sent_notifications_conversation", "tenant_id", "conversation_id", "notification_id", text("at desc")),
    )

    notification_id: Mapped[uuid.UUID]
    message_id: Mapped[uuid.UUID]
    # Without a foreign key: it is the message's own.
    conversation_id: Mapped[uuid.UUID]
    by_kind: Mapped[str]
    by_id: Mapped[uuid.UUID | None]
    at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def of(cls, notification_id: uuid.UUID) -> Select[Self]:
        return select(cls).where(cls.notification_id == notification_id)

    @classmethod
    def that_went_out(cls, notification_id: uuid.UUID) -> Select[Self]:
        """Those whose message was not refused, cancelled or too late."""
        its = (Message.tenant_id == cls.tenant_id) & (Message.id == cls.message_id)
        return cls.of(notification_id).join(Message, its).where(Message.state.not_in(NOT_SENT))

    @classmethod
    def add_all(cls, sent: Sequence[tuple[Notification, Message]], by: Actor) -> None:
        rows = [
            {
                "tenant_id": current_tenant_id(),
                "id": uuid7(),
                "notification_id": notification.id,
                "message_id": message.id,
                "conversation_id": message.conversation_id,
                "at": now(),
                "by_kind": by.kind,
                "by_id": by.id,
            }
            for notification, message in sent
        ]
        insert_rows(cls, rows)

    @classmethod
    def add(cls, notification: Notification, message: Message, by: Actor) -> None:
        db.session.flush()
        values: dict[str, Any] = {"tenant_id": current_tenant_id(), "id": uuid7(), "notification_id": notification.id}
        values |= {"message_id": message.id, "conversation_id": message.conversation_id, "at": now()}
        values |= {"by_kind": by.kind, "by_id": by.id}
        db.session.execute(insert(cls).values(values).on_conflict_do_nothing())


@uses_templates
def notifications_with(name: str, _language: str) -> Iterator[Use]:
    """Notifications with a template, each with what it fills in and when it was sent last."""
    query = select(Notification).where(Notification.template == name).order_by(Notification.name).limit(MOST_LISTED)
    for one in db.session.scalars(query):
        last = db.session.scalar(
            select(func.max(SentNotification.at)).where(SentNotification.notification_id == one.id)
        )
        fills = tuple(variable.target for variable in one.variables)
        yield Use(N_("Notification"), one.name, "notifications.show", {"notification_id": one.id}, last, fills)
