"""Merges two contacts that are one person, with their conversations, and undoes that exactly.

Every moved row is recorded (`MergeMove`). The other contact and its conversations stay, empty and hidden: `find` leads
to what they were merged into.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from sqlalchemy import Index, Select, insert, or_, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from app.appointments.models import Appointment
from app.automation.models import AutomationRun, AutomationTrace
from app.contacts import search
from app.contacts.consents import Consent
from app.contacts.fields import ContactFieldValue
from app.contacts.models import Contact, ContactIdentity, lock_contacts
from app.contacts.records import ContactLink, ContactNote
from app.contacts.suggestions import MergeSuggestion
from app.contacts.tags import ContactTag
from app.crm.notes import CrmNote
from app.entry_points.models import EntryTouch
from app.inbox.compose.drafts import merge_drafts
from app.inbox.conversations import Conversation, HandlingStretch
from app.inbox.conversations.activities import Activity
from app.inbox.conversations.statuses import show_ticks
from app.inbox.desk.notes import Mention, Note
from app.listings.alerts import ListingAlert
from app.listings.inquiries import Inquiry
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch
from app.payments.models import Payment
from app.records.models import RecordLink
from app.subscriptions.models import Subscription
from app.tenancy import (
    Actor,
    TenantModel,
    announce,
    belongs_to,
    current_tenant_id,
    db,
    happened,
    now,
    one_of,
    uuid7,
)
from app.tenancy.actor import KINDS as ACTORS
from app.whatsapp_flows.responses import FlowResponse
from app.whatsapp_flows.slots import FlowBooking

# The rows of a contact that move, and the column (if any) of which a contact has each value once.
MOVING: dict[str, tuple[Any, str | None]] = {
    "conversation": (Conversation, "phone_number_id"),
    "identity": (ContactIdentity, None),
    "tag": (ContactTag, "tag_id"),
    "value": (ContactFieldValue, "field_id"),
    "note": (ContactNote, None),
    "link": (ContactLink, None),
    "consent": (Consent, None),
    "flow_response": (FlowResponse, None),
    "flow_booking": (FlowBooking, None),
    "saved_search": (SavedSearch, None),
    "listing_alert": (ListingAlert, "day"),
    "inquiry": (Inquiry, None),
    "listing": (Listing, None),
    "payment": (Payment, None),
    "subscription": (Subscription, None),
    "appointment": (Appointment, None),
    "record_link": (RecordLink, "record_id"),
    "crm_note": (CrmNote, None),
}
UNSYNCHRONISED = {"synchronize_session": False}
# The state of a conversation that depends on its last message.
LAST_MESSAGE = (
    "last_message_at",
    "last_message_preview",
    "last_message_facts",
    "last_message_state",
    "last_message_id",
)
# Who has it.
HANDLING = (
    "handled_by",
    "handler_kind",
    "handler_id",
    "handler_name",
    "handled_since",
    "handled_until",
    "automation_paused_at",
)
# What it is about.
ABOUT = ("subject", "subject_type", "subject_external_id", "entry_point_id")
# The state of a conversation that depends on its messages.
SHOWN = (
    "unread_count",
    *LAST_MESSAGE,
    "last_inbound_at",
    "pair_tat",
    "state",
    "snoozed_until",
    "assignee_id",
    "team_id",
    "waiting_since",
    "news_at",
    "entry_at",
    "free_until",
    *ABOUT,
    *HANDLING,
)
TIMES = (
    "last_seen_at",
    "last_message_at",
    "last_inbound_at",
    "pair_tat",
    "snoozed_until",
    "waiting_since",
    "news_at",
    "entry_at",
    "free_until",
    "handled_since",
    "handled_until",
    "automation_paused_at",
)
IDS = ("last_message_id", "assignee_id", "team_id", "handler_id", "entry_point_id")
# What is shown between the messages of a thread moves with them.
BETWEEN: dict[str, Any] = {
    "team_note": Note,
    "activity": Activity,
    "mention": Mention,
    "stretch": HandlingStretch,
    "run": AutomationRun,
    "trace": AutomationTrace,
    "touch": EntryTouch,
    "record_talk": RecordLink,
    "crm_note_talk": CrmNote,
}
Snapshot = dict[str, Any]


class NotTwo(Exception):
    """They can't be merged: they are the same contact, were merged already, or one was erased."""


class NotLast(Exception):
    """A later merge of the same contacts has to be undone first."""

    def __init__(self, later: ContactMerge) -> None:
        super().__init__(later.id)
        self.later = later


class ContactMerge(TenantModel):
    """`other` was merged into `contact`. `before` holds what both conversations of a number were."""

    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        belongs_to("contacts", "other_id", ondelete="CASCADE"),
        one_of("by_kind", ACTORS),
        one_of("undone_by_kind", ACTORS),
        Index("ix_contact_merges_contact", "tenant_id", "contact_id"),
        Index("ix_contact_merges_other", "tenant_id", "other_id"),
    )

    contact_id: Mapped[uuid.UUID]
    other_id: Mapped[uuid.UUID]
    # Null means an agent, from before 0046.
    by_kind: Mapped[str | None]
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str | None]
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    undone_at: Mapped[dt.datetime | None]
    undone_by_kind: Mapped[str | None]
    undone_by_id: Mapped[uuid.UUID | None]
    undone_by_name: Mapped[str | None]

    @classmethod
    def merge(cls, one: Contact, two: Contact, *, by: Actor) -> Self:
        """Merges two contacts into the one that was created first. Raises `NotTwo`."""
        lock_contacts()
        contact, other = sorted(
            (one.refresh_locked(), two.refresh_locked()), key=lambda each: (each.created_at, each.id)
        )
        if contact.id == other.id or any(each.merged_into_id or each.erased_at for each in (one, two)):
            raise NotTwo
        merge = cls(id=uuid7(), contact_id=contact.id, other_id=other.id, before={}, **by.columns("by"))
        db.session.add(merge)
        db.session.flush()
        merge.move(contact, other)
        for suggestion in db.session.scalars(MergeSuggestion.open_ones(contact.id)):
            if suggestion.partner_of(contact.id) == other.id:
                suggestion.decide("accepted", by=by)
        happened("contact.merged", contact.id, by=by, other_id=other.id)
        return merge

    @classmethod
    def active(cls, contact_id: uuid.UUID) -> Select[Self]:
        """The merges into a contact that were not undone, the last one first."""
        return cls.all_of(contact_id).where(cls.undone_at.is_(None), cls.contact_id == contact_id)

    @classmethod
    def all_of(cls, contact_id: uuid.UUID) -> Select[Self]:
        """Every merge of a contact, undone or not, the last one first."""
        mine = or_(cls.contact_id == contact_id, cls.other_id == contact_id)
        return select(cls).where(mine).order_by(cls.id.desc())

    @property
    def by(self) -> Actor | None:
        return Actor.stored(self.by_kind, self.by_id, self.by_name)

    @property
    def undone_by(self) -> Actor | None:
        return Actor.stored(self.undone_by_kind, self.undone_by_id, self.undone_by_name)

    def other_name_for(self, contact_id: uuid.UUID) -> str:
        other_id = self.other_id if contact_id == self.contact_id else self.contact_id
        return db.session.scalar(select(Contact.name).where(Contact.id == other_id)) or ""

    def move(self, contact: Contact, other: Contact) -> None:
        # Locks messages before conversations, as sending does; moves what arrived in between after that.
        self.execute(MOVE_MESSAGES)
        self.execute(LOCK_CONVERSATIONS)
        self.execute(MOVE_MESSAGES)
        self.before = {"contact": values_of(contact), "threads": [join(*pair) for pair in self.pairs()]}
        db.session.flush()
        for kind, (model, twin) in MOVING.items():
            self.move_rows(kind, model, twin)
        for thread in self.before["threads"]:
            gone, home = uuid.UUID(thread["gone"]), uuid.UUID(thread["home"])
            self.move_between(gone, home)
            merge_drafts(gone, home)
        if other.name_is_saved and not contact.name_is_saved:
            contact.name, contact.name_is_saved = other.name, True
        contact.last_seen_at = max(contact.last_seen_at, other.last_seen_at)
        self.before = self.before | {"named": values_of(contact)}
        other.merged_into_id = contact.id
        self.announce_all(contact, other)

    def move_rows(self, kind: str, model: Any, twin: str | None) -> None:
        """Moves the other's rows of one kind to the contact, except those of which it has a twin."""
        moving = update(model).where(model.contact_id == self.other_id).values(contact_id=self.contact_id)
        if twin:
            mine = select(getattr(model, twin)).where(model.contact_id == self.contact_id)
            moving = moving.where(getattr(model, twin).not_in(mine))
        moved = db.session.scalars(moving.returning(model.id), execution_options=UNSYNCHRONISED).all()
        rows = [{"merge_id": self.id, "kind": kind, "row_id": id, "from_id": self.other_id} for id in moved]
        if rows:
            db.session.execute(insert(MergeMove), rows)

    def move_between(self, gone: uuid.UUID, home: uuid.UUID) -> None:
        """Moves the notes and activities of conversation `gone` to `home`."""
        rows = []
        for kind, model in BETWEEN.items():
            moving = update(model).where(model.conversation_id == gone).values(conversation_id=home)
            moved = db.session.scalars(moving.returning(model.id), execution_options=UNSYNCHRONISED)
            rows += [{"merge_id": self.id, "kind": kind, "row_id": id, "from_id": gone} for id in moved]
        if rows:
            db.session.execute(insert(MergeMove), rows)

    def return_between(self) -> None:
        for kind, model in BETWEEN.items():
            moves = select(MergeMove.row_id, MergeMove.from_id).where(MergeMove.merge_id == self.id)
            for row_id, gone in db.session.execute(moves.where(MergeMove.kind == kind)).all():
                back = update(model).where(model.id == row_id).values(conversation_id=gone)
                db.session.execute(back, execution_options=UNSYNCHRONISED)

    def return_rows(self, kind: str, model: Any) -> None:
        """Returns rows to the other contact, except those that have left the contact since."""
        rows = select(MergeMove.row_id).where(MergeMove.merge_id == self.id, MergeMove.kind == kind)
        back = update(model).where(model.id.in_(rows), model.contact_id == self.contact_id)
        db.session.execute(back.values(contact_id=self.other_id), execution_options=UNSYNCHRONISED)

    def pairs(self) -> list[tuple[Conversation, Conversation]]:
        """The conversations of both with the same number: the one that stays, and the one merged into it."""
        home, gone = self.conversations(self.contact_id), self.conversations(self.other_id)
        return [(home[number], each) for number, each in gone.items() if number in home]

    def conversations(self, contact_id: uuid.UUID) -> dict[uuid.UUID, Conversation]:
        query = select(Conversation).where(Conversation.contact_id == contact_id, Conversation.merged_into_id.is_(None))
        conversations = db.session.scalars(query.execution_options(populate_existing=True))
        return {each.phone_number_id: each for each in conversations}

    def undo(self, *, by: Actor) -> None:
        """Separates the two: each gets back what it had. What arrived since stays. Raises `NotLast`, `NotTwo`."""
        lock_contacts()
        self.refresh_locked()
        if self.undone_at:
            return
        contact = db.session.get_one(Contact, (self.tenant_id, self.contact_id)).refresh_locked()
        other = db.session.get_one(Contact, (self.tenant_id, self.other_id)).refresh_locked()
        if contact.erased_at:
            raise NotTwo
        self.refuse_unless_last()
        self.execute(RETURN_MESSAGES)
        self.execute(LOCK_CONVERSATIONS)
        for kind, (model, _) in MOVING.items():
            self.return_rows(kind, model)
        self.return_between()
        for thread in self.before["threads"]:
            split(thread)
        self.restore_values(contact)
        other.merged_into_id = None
        self.undone_at = now()
        for name, value in by.columns("undone_by").items():
            setattr(self, name, value)
        for suggestion in db.session.scalars(select(MergeSuggestion).where(*between(contact.id, other.id))):
            suggestion.state, suggestion.decided_at, suggestion.decided_by_id = "open", None, None
        happened("contact.unmerged", contact.id, by=by, other_id=other.id)
        self.announce_all(contact, other)

    def restore_values(self, contact: Contact) -> None:
        """Restores the name and when the contact was last seen, each unless it has changed since."""
        was, merged, present = self.before["contact"], self.before["named"], values_of(contact)
        if is_same(present, merged, "name", "name_is_saved"):
            contact.name, contact.name_is_saved = was["name"], was["name_is_saved"]
        # Merges from before this column was recorded have no value of it.
        if was.get("last_seen_at") and is_same(present, merged, "last_seen_at"):
            contact.last_seen_at = from_json("last_seen_at", was["last_seen_at"])

    def refuse_unless_last(self) -> None:
        ours = {self.contact_id, self.other_id}
        touching = or_(ContactMerge.contact_id.in_(ours), ContactMerge.other_id.in_(ours))
        later = select(ContactMerge).where(touching, ContactMerge.undone_at.is_(None), ContactMerge.id != self.id)
        newer = db.session.scalar(later.where(ContactMerge.created_at > self.created_at).limit(1))
        if newer is not None:
            raise NotLast(newer)

    def announce_all(self, *contacts: Contact) -> None:
        """Indexes the contacts for search, and updates the pages that show their conversations."""
        search.index([each.id for each in contacts])
        ids = [each.id for each in contacts]
        for id in db.session.scalars(select(Conversation.id).where(Conversation.contact_id.in_(ids))):
            announce("conversation", id)

    def execute(self, statement: Any) -> None:
        ids = {"merge": self.id, "contact": self.contact_id, "other": self.other_id}
        db.session.execute(statement, ids | {"tenant": current_tenant_id()})


class MergeMove(TenantModel):
    """One row that a merge moved, and from where."""

    __table_args__ = (
        belongs_to("contact_merges", "merge_id", ondelete="CASCADE"),
        one_of("kind", ("message", *MOVING, *BETWEEN)),
        Index("ix_merge_moves_merge", "tenant_id", "merge_id", "kind"),
    )

    merge_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    row_id: Mapped[uuid.UUID]
    from_id: Mapped[uuid.UUID]


def between(one: uuid.UUID, two: uuid.UUID) -> tuple[Any, Any]:
    return MergeSuggestion.contact_id == min(one, two), MergeSuggestion.other_id == max(one, two)


def values_of(contact: Contact) -> Snapshot:
    """What a merge may change of the contact that stays, as JSON."""
    return {name: as_json(getattr(contact, name)) for name in ("name", "name_is_saved", "last_seen_at")}


def join(home: Conversation, gone: Conversation) -> Snapshot:
    """Merges conversation `gone` into `home`. Returns what each was before, and what `home` is now."""
    before = {"home": str(home.id), "gone": str(gone.id), "home_was": snapshot(home), "gone_was": snapshot(gone)}
    latest = max(home, gone, key=lambda each: each.last_message_at)
    for name in LAST_MESSAGE:
        setattr(home, name, getattr(latest, name))
    home.unread_count += gone.unread_count
    home.last_inbound_at = latest_of(home.last_inbound_at, gone.last_inbound_at)
    home.entry_at, home.free_until = (
        latest_of(home.entry_at, gone.entry_at),
        latest_of(home.free_until, gone.free_until),
    )
    home.pair_tat, home.news_at = latest_of(home.pair_tat, gone.pair_tat), latest_of(home.news_at, gone.news_at)
    home.waiting_since = min(filter(None, (home.waiting_since, gone.waiting_since)), default=None)
    if gone.is_active and not home.is_active and home.state not in ("spam", "blocked"):
        home.state, home.snoozed_until = gone.state, None
    if home.assignee_id is None and home.team_id is None:
        home.assignee_id, home.team_id = gone.assignee_id, gone.team_id
    if home.subject is None:
        for name in ABOUT:
            setattr(home, name, getattr(gone, name))
    if gone.is_with_person and not home.is_with_person:
        for name in HANDLING[:-1]:
            setattr(home, name, getattr(gone, name))
    home.automation_paused_at = latest_of(home.automation_paused_at, gone.automation_paused_at)
    gone.handled_by = None
    gone.unread_count, gone.last_inbound_at, gone.merged_into_id, gone.state = 0, None, home.id, "merged"
    return before | {"joined": snapshot(home)}


def split(thread: Snapshot) -> None:
    """Makes one conversation two again: as they were, except for what has happened since."""
    tenant = current_tenant_id()
    home, gone = (db.session.get_one(Conversation, (tenant, uuid.UUID(thread[name]))) for name in ("home", "gone"))
    for each in (home, gone):
        db.session.refresh(each)
    unread = min(home.unread_count, thread["gone_was"]["unread_count"])
    left = home.unread_count - unread
    now_shown, joined, was = snapshot(home), thread["joined"], thread["home_was"]
    if is_same(now_shown, joined, "last_message_at", "last_message_id"):
        restore(home, was, *LAST_MESSAGE)
    for name in ("last_inbound_at", "pair_tat", "waiting_since", "news_at", "entry_at", "free_until"):
        if is_same(now_shown, joined, name):
            restore(home, was, name)
    if is_same(now_shown, joined, "state", "snoozed_until", "assignee_id", "team_id"):
        restore(home, was, "state", "snoozed_until", "assignee_id", "team_id")
    if is_same(now_shown, joined, *ABOUT):
        restore(home, was, *ABOUT)
    if is_same(now_shown, joined, *HANDLING):
        restore(home, was, *HANDLING)
    restore(gone, thread["gone_was"], *SHOWN)
    home.unread_count, gone.unread_count, gone.merged_into_id = left, unread, None
    db.session.flush()
    show_ticks([id for id in (home.last_message_id, gone.last_message_id) if id])


def snapshot(conversation: Conversation) -> Snapshot:
    """The values of SHOWN, as JSON."""
    return {name: as_json(getattr(conversation, name)) for name in SHOWN}


def as_json(value: Any) -> Any:
    return (
        value.isoformat() if isinstance(value, dt.datetime) else str(value) if isinstance(value, uuid.UUID) else value
    )


def is_same(one: Snapshot, other: Snapshot, *names: str) -> bool:
    """Whether these values are equal. Times are compared as times, since zones write them differently."""
    return all(from_json(name, one.get(name)) == from_json(name, other.get(name)) for name in names)


def restore(conversation: Conversation, was: Snapshot, *names: str) -> None:
    for name in names:
        # A column that is newer than the merge is missing in it.
        setattr(conversation, name, from_json(name, was.get(name)))


def from_json(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in TIMES:
        return dt.datetime.fromisoformat(value)
    return uuid.UUID(value) if name in IDS else value


def latest_of(one: dt.datetime | None, other: dt.datetime | None) -> dt.datetime | None:
    return max(filter(None, (one, other)), default=None)


LOCK_CONVERSATIONS = text("""
    select from conversations where tenant_id = :tenant and contact_id in (:contact, :other) order by id for update
""")
# Moves the messages of the other contact's conversations to the contact's with the same number, where it has one, and
# records each. Index: ix_conversations_contact, ix_messages_thread.
MOVE_MESSAGES = text("""
    with moved as (
        update messages m set conversation_id = home.id
        from conversations gone join conversations home
            on home.tenant_id = :tenant and home.contact_id = :contact and home.merged_into_id is null
            and home.phone_number_id = gone.phone_number_id
        where gone.tenant_id = :tenant and gone.contact_id = :other and gone.merged_into_id is null
          and m.tenant_id = :tenant and m.conversation_id = gone.id
        returning m.id, gone.id as from_id
    )
    insert into merge_moves (tenant_id, id, merge_id, kind, row_id, from_id)
    select :tenant, gen_random_uuid(), :merge, 'message', id, from_id from moved
    on conflict do nothing
""")
RETURN_MESSAGES = text("""
    update messages m set conversation_id = v.from_id from merge_moves v
    where v.tenant_id = :tenant and v.merge_id = :merge and v.kind = 'message'
      and m.tenant_id = :tenant and m.id = v.row_id
""")
