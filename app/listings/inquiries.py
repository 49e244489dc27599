"""Inquiries: a customer asks about a listing. Its owner hears of it once, the member who takes care of it too."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from sqlalchemy import Index, Select, func, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from app.contacts.models import Contact
from app.inbox.compose.problems import NOT_SENT
from app.inbox.conversations import Conversation
from app.inbox.conversations.assignment import Taken, member_or_none
from app.tenancy import Actor, TenantModel, announce, belongs_to, db, happened, now, one_of, uuid7
from app.words import N_

from .models import Listing
from .settings import ListingSettings
from .wording import filled, language_for

SOURCES = {
    "link": N_("Link or button"),
    "api": N_("API"),
    "form": N_("Form"),
    "agent": N_("Added by hand"),
}
STATES = {
    "new": N_("New"),
    "answered": N_("Answered"),
    "viewing_booked": N_("Viewing booked"),
    "lost": N_("Lost"),
}
LONGEST_TEXT = 2_000
# To how many owners one customer's inquiries write in a day: a link can be opened by anybody, for any listing.
MOST_NOTIFIED = 5
TOO_MANY = "too_many"
SOURCE = "inquiry"
BY = Actor.system("inquiry")


class Inquiry(TenantModel):
    """A customer's interest in a listing. Within some days the same again is the same inquiry, once more."""

    __tablename__ = "inquiries"
    __table_args__ = (
        belongs_to("listings", "listing_id", ondelete="CASCADE"),
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        belongs_to("conversations", "conversation_id"),
        one_of("source", SOURCES),
        one_of("state", STATES),
        Index("ix_inquiries_newest", "tenant_id", text("id desc")),
        Index("ix_inquiries_state", "tenant_id", "state", text("id desc")),
        Index("ix_inquiries_listing", "tenant_id", "listing_id", "contact_id"),
        Index("ix_inquiries_contact", "tenant_id", "contact_id"),
        Index("ix_inquiries_conversation", "tenant_id", "conversation_id"),
    )

    listing_id: Mapped[uuid.UUID]
    contact_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID | None]
    source: Mapped[str]
    state: Mapped[str] = mapped_column(default="new")
    text: Mapped[str] = mapped_column(default="", server_default="")
    # How often they asked.
    times: Mapped[int] = mapped_column(default=1, server_default="1")
    # When the owner's notification was queued; and why it was not, in words, where one was to be sent.
    owner_notified_at: Mapped[dt.datetime | None]
    owner_problem: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_at: Mapped[dt.datetime] = mapped_column(default=now)
    changed_at: Mapped[dt.datetime] = mapped_column(default=now)
    listing: Mapped[Listing] = relationship(viewonly=True)
    contact: Mapped[Contact] = relationship(viewonly=True)

    @classmethod
    def newest(cls) -> Select[Self]:
        return select(cls).options(joinedload(cls.listing), joinedload(cls.contact)).order_by(cls.id.desc())

    @classmethod
    def receive(
        cls,
        listing: Listing,
        contact: Contact,
        *,
        source: str,
        by: Actor | None,
        conversation: Conversation | None = None,
        words: str = "",
    ) -> tuple[Self, bool]:
        """Stores that somebody asks, and tells the owner. Returns the inquiry, and whether it is a new one."""
        # Of two at once, the second finds the first: of one customer, and about one listing.
        lock = func.hashtextextended(f"inquiries {contact.id}", 0)
        db.session.execute(select(func.pg_advisory_xact_lock(lock)))
        listing.refresh_locked()
        settings = ListingSettings.current()
        if earlier := cls.lately(listing, contact, settings):
            earlier.times, earlier.last_at = earlier.times + 1, now()
            earlier.conversation_id = earlier.conversation_id or (conversation.id if conversation else None)
            return earlier, False
        inquiry = cls(id=uuid7(), listing_id=listing.id, contact_id=contact.id, source=source)
        inquiry.state, inquiry.text = "new", words.replace("\x00", "")[:LONGEST_TEXT]
        inquiry.conversation_id = conversation.id if conversation else None
        db.session.add(inquiry)
        db.session.flush()
        facts = {"conversation_id": conversation.id} if conversation else {}
        happened(
            "inquiry.received",
            inquiry.id,
            by=by,
            listing_id=listing.id,
            external_id=listing.external_id,
            contact_id=contact.id,
            source=source,
            **facts,
        )
        inquiry.notify_owner(listing, contact, settings)
        if conversation is not None:
            inquiry.assign_member(listing, conversation, settings)
        return inquiry, True

    @classmethod
    def lately(cls, listing: Listing, contact: Contact, settings: ListingSettings) -> Self | None:
        since = now() - dt.timedelta(days=settings.inquiry_days)
        mine = cls.listing_id == listing.id, cls.contact_id == contact.id, cls.created_at > since
        return db.session.scalar(select(cls).where(*mine).order_by(cls.id.desc()).limit(1))

    @classmethod
    def notified_lately(cls, contact: Contact) -> int:
        """How many owners were notified within a day of this contact's inquiries, up to MOST_NOTIFIED."""
        since = now() - dt.timedelta(days=1)
        mine = cls.contact_id == contact.id, cls.owner_notified_at.is_not(None), cls.created_at > since
        return len(db.session.scalars(select(cls.id).where(*mine).limit(MOST_NOTIFIED)).all())

    def notify_owner(self, listing: Listing, contact: Contact, settings: ListingSettings) -> None:
        """Sends the landlord the notification that was chosen for it. A refusal is stored, for the page."""
        owner = Contact.find(listing.contact_id) if listing.contact_id else None
        notification = settings.inquiry_notification
        if owner is None or owner.id == contact.id or owner.is_erased or notification is None:
            return
        if Inquiry.notified_lately(contact) >= MOST_NOTIFIED:
            self.owner_problem = TOO_MANY
            return
        try:
            with db.session.begin_nested():
                talk = notification.conversation_with(owner, settings.phone_number_id)
                named = {"customer": contact.name or "–"}
                values = filled(notification, listing, named, language_for(notification, owner.id))
                client_id = uuid.uuid5(self.id, "owner")
                notification.send(talk, values, by=BY, client_id=client_id, source=SOURCE)
        except NOT_SENT as problem:
            self.owner_problem = getattr(problem, "kind", "") or type(problem).__name__
        else:
            self.owner_notified_at = now()

    def assign_member(self, listing: Listing, conversation: Conversation, settings: ListingSettings) -> None:
        """Assigns the conversation to the member who takes care of the listing, unless somebody has it."""
        member = member_or_none(listing.member_id) if listing.member_id and settings.assigns_member else None
        if member is None or conversation.assignee_id is not None:
            return
        try:
            conversation.locked().give(member, by=BY, expected=None)
        except Taken:
            return

    def put(self, state: str) -> bool:
        """Returns whether that is a change."""
        inquiry = self.refresh_locked()
        if inquiry.state == state:
            return False
        inquiry.state, inquiry.changed_at = state, now()
        if inquiry.conversation_id:
            announce("conversation", inquiry.conversation_id)
        return True


def mark_answered(conversation_ids: list[uuid.UUID]) -> None:
    """A person has replied there: what was new is answered."""
    new = Inquiry.conversation_id.in_(conversation_ids), Inquiry.state == "new"
    db.session.execute(update(Inquiry).where(*new).values(state="answered", changed_at=now()))


def mark_booked(contact_ids: list[uuid.UUID]) -> None:
    """These customers have an appointment: it is about what they asked for last."""
    open_ones = Inquiry.contact_id.in_(contact_ids), Inquiry.state.in_(("new", "answered"))
    newest = select(Inquiry.id).ext(distinct_on(Inquiry.contact_id)).where(*open_ones)
    ids = db.session.scalars(newest.order_by(Inquiry.contact_id, Inquiry.last_at.desc(), Inquiry.id.desc())).all()
    if ids:
        booked = update(Inquiry).where(Inquiry.id.in_(ids)).values(state="viewing_booked", changed_at=now())
        db.session.execute(booked)


def mark_unbooked(contact_ids: list[uuid.UUID]) -> None:
    """The appointment of these customers was cancelled: what they asked for last waits for another one."""
    booked = Inquiry.contact_id.in_(contact_ids), Inquiry.state == "viewing_booked"
    newest = select(Inquiry.id).ext(distinct_on(Inquiry.contact_id)).where(*booked)
    ids = db.session.scalars(newest.order_by(Inquiry.contact_id, Inquiry.last_at.desc(), Inquiry.id.desc())).all()
    if ids:
        answered = update(Inquiry).where(Inquiry.id.in_(ids)).values(state="answered", changed_at=now())
        db.session.execute(answered)
