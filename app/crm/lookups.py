"""What a CRM has about a customer: looked up by number, and copied into records."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Index, UniqueConstraint, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.contacts.models import Contact, ContactIdentity
from app.inbox.conversations import Conversation
from app.records.models import Record, RecordLink, TooManyLinks, Values
from app.tenancy import TenantModel, announce, belongs_to, current_tenant_id, database_now, db, now, uuid7

from .adapters import MOST_PEOPLE, Adapter, Deal, Person
from .calls import CrmFailure
from .models import CrmConnection

# What is shown beside a conversation is looked up again after so long.
FRESH = dt.timedelta(minutes=15)
# So long one lookup may take before another worker takes it.
LEASE = dt.timedelta(minutes=5)
MOST_ATTEMPTS = 8
RETRY_SECONDS = 30
MOST_NUMBERS = 5
UNTITLED = "–"


@dataclass(frozen=True, slots=True)
class Copied:
    """What the CRM has: people with the customer's number, and the deals of each."""

    people: tuple[Person, ...]
    deals: dict[str, list[Deal]]
    count: int


class CrmLookup(TenantModel):
    """One customer in one CRM. `due_at` is when it is to be looked up; null: not waiting."""

    __table_args__ = (
        belongs_to("crm_connections", "connection_id", ondelete="CASCADE"),
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "connection_id", "contact_id", name="uq_crm_lookups_contact"),
        Index(
            "ix_crm_lookups_due", "tenant_id", "connection_id", "due_at", postgresql_where=text("due_at is not null")
        ),
        Index("ix_crm_lookups_contact", "tenant_id", "contact_id"),
    )

    connection_id: Mapped[uuid.UUID]
    contact_id: Mapped[uuid.UUID]
    due_at: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    fetched_at: Mapped[dt.datetime | None]
    # How many people there have the number.
    people: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    problem: Mapped[str] = mapped_column(default="", server_default="")

    @classmethod
    def queue(cls, connection_id: uuid.UUID, contact_ids: Iterable[uuid.UUID]) -> None:
        """Has these contacts looked up. One that waits already keeps its place."""
        at, tenant_id = now(), current_tenant_id()
        rows: list[dict[str, Any]] = [
            {"tenant_id": tenant_id, "id": uuid7(), "connection_id": connection_id, "contact_id": id, "due_at": at}
            for id in dict.fromkeys(contact_ids)
        ]
        if not rows:
            return
        made = insert(cls).values(rows)
        again = made.on_conflict_do_update(
            index_elements=["tenant_id", "connection_id", "contact_id"],
            set_={"due_at": at, "attempts": 0},
            where=cls.due_at.is_(None),
        )
        db.session.execute(again)

    @classmethod
    def begin(cls, connection: CrmConnection, contact_id: uuid.UUID) -> Self:
        """Leases the one of a contact, made where there is none."""
        cls.queue(connection.id, [contact_id])
        mine = cls.connection_id == connection.id, cls.contact_id == contact_id
        lookup = db.session.scalars(select(cls).where(*mine).execution_options(populate_existing=True)).one()
        lookup.due_at, lookup.attempts = now() + LEASE, lookup.attempts + 1
        return lookup

    @classmethod
    def of_contact(cls, contact_id: uuid.UUID) -> dict[uuid.UUID, Self]:
        """By connection."""
        return {one.connection_id: one for one in db.session.scalars(select(cls).where(cls.contact_id == contact_id))}

    @property
    def is_fresh(self) -> bool:
        """Whether what is here was looked up a moment ago."""
        return self.fetched_at is not None and self.fetched_at > now() - FRESH

    @property
    def is_waiting(self) -> bool:
        return self.due_at is not None

    @classmethod
    def claim(cls, connection: CrmConnection) -> Self | None:
        """Leases the one that has waited longest."""
        at = database_now()
        due = select(cls).where(cls.connection_id == connection.id, cls.due_at <= at).order_by(cls.due_at, cls.id)
        lookup = db.session.scalar(due.limit(1).with_for_update(skip_locked=True))
        if lookup:
            lookup.due_at, lookup.attempts = at + LEASE, lookup.attempts + 1
        return lookup

    def numbers(self) -> list[str]:
        """Of the contact, the present one first."""
        stored = ContactIdentity.contact_id == self.contact_id, ContactIdentity.kind == "wa_id"
        query = select(ContactIdentity.value).where(*stored).order_by(ContactIdentity.created_at.desc())
        return list(db.session.scalars(query.limit(MOST_NUMBERS)))

    def settle(self, connection: CrmConnection, copied: Copied, adapter: Adapter) -> None:
        """Copies what the CRM has. A customer who was merged, erased or deleted meanwhile gets nothing."""
        self.due_at, self.fetched_at, self.attempts, self.problem = None, now(), 0, ""
        self.people = copied.count
        contact = Contact.find(self.contact_id)
        if contact is None or contact.is_erased:
            return
        stored = copy_all(connection, adapter, contact.id, copied)
        drop_others(connection, contact.id, stored, has_people=bool(copied.people))
        announce_contact(contact.id)

    def fail(self, failure: CrmFailure) -> None:
        """Tries again when the connection may be called again, a few times."""
        self.problem = failure.kind
        is_final = failure.kind in ("invalid", "token", "permission") or self.attempts >= MOST_ATTEMPTS
        self.due_at = None if is_final else now() + dt.timedelta(seconds=RETRY_SECONDS)
        announce_contact(self.contact_id)


def look_up(adapter: Adapter, numbers: Sequence[str]) -> Copied:
    """The people with one of the numbers, and their deals. Raises `CrmFailure`."""
    people = adapter.people(numbers) if numbers else []
    chosen = people[:MOST_PEOPLE]
    return Copied(tuple(chosen), {person.id: adapter.deals_of(person) for person in chosen}, len(people))


def copy_all(connection: CrmConnection, adapter: Adapter, contact_id: uuid.UUID, copied: Copied) -> set[uuid.UUID]:
    """Records of the people and of their open deals; closed deals only where they are here already."""
    stored: set[uuid.UUID] = set()
    for person in copied.people:
        stored.add(copy_one(connection, "contact", person.id, values_of_person(person, adapter), contact_id))
        for deal in copied.deals[person.id]:
            if deal.is_open or Record.with_external_id(connection.provider, "deal", deal.id):
                stored.add(copy_one(connection, "deal", deal.id, values_of_deal(deal, adapter), contact_id))
    return stored


def copy_one(connection: CrmConnection, type: str, id: str, values: Values, contact_id: uuid.UUID) -> uuid.UUID:
    record, _is_new = Record.upsert(connection.provider, type, id[:200], values, by=connection.actor, is_mirrored=True)
    with contextlib.suppress(TooManyLinks):
        record.link(contact_id, by=connection.actor, is_automatic=True)
    return record.id


def values_of_person(person: Person, adapter: Adapter) -> Values:
    details = {"Email": person.email} | {"Phone": ", ".join(person.phones)[:200]}
    return Values(
        title=person.name or person.email or UNTITLED,
        url=adapter.link_to("contact", person.id),
        attributes=[{"name": name, "value": value} for name, value in details.items() if value],
        owner_name=adapter.directory.owners.get(person.owner_id, "")[:100],
    )


def values_of_deal(deal: Deal, adapter: Adapter) -> Values:
    closes = [{"name": "Expected close", "value": deal.expected_on}] if deal.expected_on else []
    return Values(
        title=deal.title or UNTITLED,
        url=adapter.link_to("deal", deal.id),
        attributes=closes,
        stage=deal.stage[:100],
        amount_micros=deal.micros,
        currency=deal.currency,
        owner_name=deal.owner_name[:100],
    )


def drop_others(connection: CrmConnection, contact_id: uuid.UUID, stored: set[uuid.UUID], *, has_people: bool) -> None:
    """What the CRM no longer has about the customer: deals are marked, the rest is unlinked."""
    mine = (
        RecordLink.contact_id == contact_id,
        RecordLink.by_kind == "system",
        RecordLink.by_name == connection.provider,
    )
    same = (RecordLink.tenant_id == Record.tenant_id) & (RecordLink.record_id == Record.id)
    others = select(Record).join(RecordLink, same).where(*mine, Record.is_mirrored.is_(True))
    for record in db.session.scalars(others.where(Record.id.not_in(stored))).all():
        if record.type == "deal" and has_people:
            record.mark_gone()
        else:
            gone = delete(RecordLink).where(RecordLink.record_id == record.id, *mine)
            db.session.execute(gone, execution_options={"synchronize_session": False})


def announce_contact(contact_id: uuid.UUID) -> None:
    """What is shown beside the conversations of a contact updates itself."""
    talks = select(Conversation.id).where(Conversation.contact_id == contact_id).limit(20)
    for id in db.session.scalars(talks):
        announce("beside", id)
