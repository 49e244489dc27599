"""Many notifications at once, such as reminders and alerts: what `Notification.send` does, with few statements for all.

Those that few statements can't serve go one by one, with the same outcome: to a contact without a conversation, which
is opened only if the message goes out, and with a notification that pauses between two.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.contacts.fields import ContactFieldValue
from app.contacts.models import Contact, load_identities
from app.inbox.compose.first_messages import Recipient
from app.inbox.compose.problems import NOT_SENT
from app.inbox.conversations import Conversation, Message, Sending, send_all
from app.message_templates.models import MessageTemplate
from app.tenancy import Actor, among, db
from app.wabas.models import PhoneNumber

from . import refusals
from .models import Notification, SentNotification
from .refusals import Unavailable

log = structlog.get_logger()

# The message, or one of NOT_SENT; nothing where an error of ours prevented it, which is in the log.
Outcome = Message | Exception | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One notification to one contact. `values` and `payloads` are made for the template that goes out."""

    notification: Notification
    contact: Contact
    client_id: uuid.UUID
    values: Callable[[MessageTemplate, Conversation], Mapping[str, str]]
    payloads: Callable[[MessageTemplate], Sequence[str]] = lambda _variant: ()
    # Which number writes, where the notification says none.
    phone_number_id: uuid.UUID | None = None
    # In which language, where the contact's field says none.
    language: Callable[[Conversation], str] = lambda _talk: ""
    source: str = "notification"
    lane: str = ""
    expires_at: dt.datetime | None = None


def send_many(wanted: Sequence[Wanted], *, by: Actor) -> dict[uuid.UUID, Outcome]:
    """Puts each into the outbox if the gate lets it. Returns what became of it, by `client_id`."""
    return Round(wanted, by).send() if wanted else {}


def put_all(sendings: Sequence[Sending], by: Actor) -> dict[uuid.UUID, Outcome]:
    """All at once; where that fails, one by one, so that one that cannot be sent holds up none of the others."""
    try:
        with db.session.begin_nested():
            return dict(send_all(sendings, by=by))
    except Exception:
        if len(sendings) == 1:
            log.exception("notification not sent", conversation_id=str(sendings[0].conversation_id))
            return {sendings[0].client_id: None}
    return {id: one for sending in sendings for id, one in put_all([sending], by).items()}


class Withdrawn(Exception):
    """Takes back a conversation that was opened for a message which is not sent."""


@dataclass
class Round:
    """Some notifications; what they have in common is looked up once."""

    wanted: Sequence[Wanted]
    by: Actor
    recipients: dict[uuid.UUID, Recipient] = field(default_factory=dict)
    numbers: dict[tuple[uuid.UUID, uuid.UUID | None], list[PhoneNumber]] = field(default_factory=dict)
    having: dict[uuid.UUID, set[uuid.UUID]] = field(default_factory=dict)
    variants: dict[tuple[uuid.UUID, uuid.UUID, str], MessageTemplate] = field(default_factory=dict)
    # In how many languages an account has a notification's template.
    languages: dict[tuple[uuid.UUID, uuid.UUID], int] = field(default_factory=dict)
    written: dict[tuple[uuid.UUID, uuid.UUID], str] = field(default_factory=dict)
    called: dict[tuple[uuid.UUID, str], str] = field(default_factory=dict)
    sent: list[tuple[Notification, Message]] = field(default_factory=list)

    def send(self) -> dict[uuid.UUID, Outcome]:
        self.load_recipients()
        self.load_languages()
        outcomes: dict[uuid.UUID, Outcome] = dict(self.earlier_messages())
        together: dict[uuid.UUID, tuple[Wanted, Sending]] = {}
        singles = []
        for one in self.wanted:
            if one.client_id in outcomes:
                continue
            try:
                talk = self.conversation_of(one)
                if talk is None or one.notification.pause_minutes:
                    singles.append(one)
                else:
                    together[one.client_id] = one, self.compose(one, talk)
            except NOT_SENT as problem:
                outcomes[one.client_id] = problem
            except Exception:
                log.exception("notification not composed", notification=one.notification.name)
                outcomes[one.client_id] = None
        put = put_all([sending for _, sending in together.values()], self.by) if together else {}
        for client_id, outcome in put.items():
            outcomes[client_id] = self.note(together[client_id][0], outcome)
        for one in singles:
            outcomes[one.client_id] = self.note(one, self.send_one(one))
        db.session.flush()
        SentNotification.add_all(self.sent, self.by)
        return outcomes

    def note(self, one: Wanted, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Message):
            self.sent.append((one.notification, outcome))
        return outcome

    def send_one(self, one: Wanted) -> Outcome:
        """Where it is not sent, nothing of it stays."""
        outcome: Outcome = None
        try:
            with db.session.begin_nested():
                talk = one.notification.conversation_with(one.contact, one.phone_number_id, by=self.by)
                one.notification.check_pause(talk)
                outcome = put_all([self.compose(one, talk)], self.by)[one.client_id]
                if not isinstance(outcome, Message):
                    raise Withdrawn
                # The next one to the same contact has to see it.
                SentNotification.add(one.notification, outcome, self.by)
        except Withdrawn:
            return outcome
        except NOT_SENT as problem:
            return problem
        except Exception:
            log.exception("notification not composed", notification=one.notification.name)
            return None
        return outcome

    def conversation_of(self, one: Wanted) -> Conversation | None:
        """The contact's with the number that it goes from, if there is one. Raises `Refused`."""
        key = one.notification.id, one.phone_number_id
        if key not in self.numbers:
            own = select(PhoneNumber).where(PhoneNumber.id == key[1]) if key[1] else None
            self.numbers[key] = one.notification.numbers(own)
            self.having[key[0]] = one.notification.accounts()
        recipient = self.recipients[one.contact.id]
        number = one.notification.number_among(self.numbers[key], recipient, self.having[key[0]])
        return recipient.conversations.get(number.id)

    def compose(self, one: Wanted, talk: Conversation) -> Sending:
        """Raises `Refused`."""
        notification = one.notification
        if not notification.is_active:
            raise Unavailable(refusals.PAUSED, name=notification.name)
        variant = self.variant(one, talk)
        given = {name: value for name, value in one.values(variant, talk).items() if value}
        outgoing = notification.compose(
            notification.pick(given), variant.waba_id, payloads=one.payloads(variant), variant=variant
        )
        return Sending(talk.id, outgoing, one.client_id, one.source, one.lane, one.expires_at)

    def variant(self, one: Wanted, talk: Conversation) -> MessageTemplate:
        """In the recipient's language, which is looked up where the template is in several."""
        notification, waba_id = one.notification, talk.phone_number.waba_id
        account = notification.id, waba_id
        if account not in self.languages:
            self.languages[account] = len({each.language for each in notification.variants(waba_id)})
        key = *account, self.language_of(one, talk) if self.languages[account] > 1 else ""
        if key not in self.variants:
            self.variants[key] = notification.variant_for(waba_id, key[2])
        return self.variants[key]

    def language_of(self, one: Wanted, talk: Conversation) -> str:
        notification = one.notification
        words = (
            self.written.get((one.contact.id, notification.language_field_id)) if notification.language_field_id else ""
        )
        if words:
            key = notification.id, words
            if key not in self.called:
                self.called[key] = notification.language_called(words)
            words = self.called[key]
        return words or one.language(talk)

    def load_recipients(self) -> None:
        contacts = {one.contact.id: one.contact for one in self.wanted}
        load_identities(list(contacts.values()))
        query = select(Conversation).where(
            among(Conversation.contact_id, contacts), Conversation.merged_into_id.is_(None)
        )
        query = query.options(selectinload(Conversation.phone_number).joinedload(PhoneNumber.waba))
        talks: dict[uuid.UUID, dict[uuid.UUID, Conversation]] = {id: {} for id in contacts}
        for talk in db.session.scalars(query):
            talks[talk.contact_id][talk.phone_number_id] = talk
        for id, contact in contacts.items():
            self.recipients[id] = Recipient(contact, conversations=talks[id])

    def load_languages(self) -> None:
        fields = {one.notification.language_field_id for one in self.wanted} - {None}
        if fields:
            theirs = among(ContactFieldValue.contact_id, self.recipients)
            query = select(ContactFieldValue).where(theirs, ContactFieldValue.field_id.in_(fields))
            self.written = {(one.contact_id, one.field_id): one.value for one in db.session.scalars(query)}

    def earlier_messages(self) -> dict[uuid.UUID, Message]:
        """What was sent for one of them before: it is the same message."""
        talks = [talk.id for one in self.recipients.values() for talk in one.conversations.values()]
        mine = among(Message.client_id, [one.client_id for one in self.wanted])
        earlier = db.session.scalars(select(Message).where(among(Message.conversation_id, talks), mine))
        return {message.client_id: message for message in earlier if message.client_id}
