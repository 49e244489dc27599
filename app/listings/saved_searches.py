"""Saved searches of contacts, about which they get alerts: at most one a day, whatever the number of searches."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from sqlalchemy import Double, Index, Select, UniqueConstraint, delete, false, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.contacts.consents import Consent
from app.contacts.models import Contact
from app.contacts.names import plain
from app.contacts.refusals import Refusal
from app.tenancy import (
    Actor,
    TenantModel,
    belongs_to,
    current_tenant_id,
    database_now,
    db,
    happened,
    now,
    one_of,
    uuid7,
)
from app.tenancy.actor import KINDS as ACTORS
from app.words import N_

from .criteria import Criteria

SOURCES = ("agent", "api", "form", "automation")
FREQUENCIES = {"daily": N_("Once a day"), "at_once": N_("As soon as something new matches, at most once a day")}
MOST_OF_CONTACT = 20


class NoConsent(Refusal):
    """The contact has not agreed to marketing, which alerts are."""


class SavedSearch(TenantModel):
    """What one contact looks for. Alerts are about listings that became news after `seen_until`."""

    __tablename__ = "saved_searches"
    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "external_id"),
        one_of("frequency", FREQUENCIES),
        one_of("state", ("active", "stopped")),
        one_of("source", SOURCES),
        one_of("by_kind", ACTORS),
        Index("ix_saved_searches_contact", "tenant_id", "contact_id"),
        Index("ix_saved_searches_active", "tenant_id", "id", postgresql_where=text("state = 'active'")),
    )

    contact_id: Mapped[uuid.UUID]
    name: Mapped[str] = mapped_column(default="", server_default="")
    # All of it as it was given, and beside it in columns what a statement compares.
    criteria: Mapped[dict[str, Any]] = mapped_column(default=dict)
    frequency: Mapped[str] = mapped_column(default="daily")
    # Whether a listing that becomes cheaper is news.
    wants_drops: Mapped[bool] = mapped_column(default=False, server_default=false())
    kind: Mapped[str] = mapped_column(default="", server_default="")
    price_from: Mapped[int | None]
    price_to: Mapped[int | None]
    currency: Mapped[str | None]
    rooms_from: Mapped[float | None] = mapped_column(Double)
    rooms_to: Mapped[float | None] = mapped_column(Double)
    area_from: Mapped[float | None] = mapped_column(Double)
    area_to: Mapped[float | None] = mapped_column(Double)
    words: Mapped[list[str]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(default="active")
    source: Mapped[str]
    external_id: Mapped[str | None]
    by_kind: Mapped[str]
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    seen_until: Mapped[dt.datetime] = mapped_column(default=now)
    stopped_at: Mapped[dt.datetime | None]
    # customer, agent, api, automation or consent.
    stopped_by: Mapped[str] = mapped_column(default="", server_default="")
    contact: Mapped[Contact] = relationship(viewonly=True)

    @classmethod
    def of_contact(cls, contact_id: uuid.UUID) -> Select[Self]:
        return select(cls).where(cls.contact_id == contact_id).order_by(cls.id.desc())

    @classmethod
    def with_external_id(cls, external_id: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.external_id == external_id))

    @classmethod
    def begin(
        cls,
        contact: Contact,
        criteria: Criteria,
        *,
        source: str,
        by: Actor,
        name: str = "",
        frequency: str = "daily",
        wants_drops: bool = False,
        external_id: str | None = None,
    ) -> Self:
        """Saves a search, once: the same criteria again are the same search, active again.

        Raises `NoConsent`, `TooWide` and `Refusal` for one too many.
        """
        require_consent(contact.id)
        criteria.refuse_if_too_wide()
        contact.refresh_locked()
        theirs = list(db.session.scalars(cls.of_contact(contact.id)))
        same = next(
            (one for one in theirs if one.criteria == criteria.as_json() and one.external_id == external_id), None
        )
        if same is None and len(theirs) >= MOST_OF_CONTACT:
            raise Refusal(N_("A contact can have at most {count} searches. Delete one first."), count=MOST_OF_CONTACT)
        search = same or cls(
            id=uuid7(), contact_id=contact.id, source=source, external_id=external_id, **by.columns("by")
        )
        search.name, search.frequency, search.wants_drops = plain(name), frequency, wants_drops
        if same is None or same.state != "active":
            search.state, search.stopped_at, search.stopped_by, search.seen_until = "active", None, "", database_now()
        search.look_for(criteria)
        return search

    def change(self, contact: Contact, criteria: Criteria, *, name: str, frequency: str, wants_drops: bool) -> None:
        """Looks for something else from now on. Raises what `begin` raises."""
        require_consent(contact.id)
        criteria.refuse_if_too_wide()
        if self.criteria != criteria.as_json() or self.contact_id != contact.id:
            self.seen_until = database_now()
        self.contact_id, self.name = contact.id, plain(name)
        self.frequency, self.wants_drops = frequency, wants_drops
        self.look_for(criteria)

    def look_for(self, criteria: Criteria) -> None:
        """Stores the criteria, and the keys by which new listings find this search."""
        self.criteria = criteria.as_json()
        for name in ("kind", "price_from", "price_to", "rooms_from", "rooms_to", "area_from", "area_to"):
            setattr(self, name, getattr(criteria, name))
        self.currency = criteria.currency or None
        self.words = criteria.wanted_words
        db.session.add(self)
        db.session.flush()
        db.session.execute(delete(SavedSearchKey).where(SavedSearchKey.search_id == self.id))
        keys = [
            {"tenant_id": current_tenant_id(), "id": uuid7(), "search_id": self.id, "key": key} for key in criteria.keys
        ]
        db.session.execute(insert(SavedSearchKey).values(keys).on_conflict_do_nothing())

    @property
    def looks_for(self) -> Criteria:
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in self.criteria.items()}
        return Criteria(**values)

    @property
    def label(self) -> str:
        return self.name or self.looks_for.sentence()

    def label_in(self, language: str) -> str:
        """The name, or what it looks for with numbers as a language writes them."""
        return self.name or self.looks_for.sentence(language)

    def stop(self, *, by: Actor | None, how: str) -> bool:
        """No more alerts about it. Returns whether that is new. `how` is who decided: see `stopped_by`."""
        search = self.refresh_locked()
        if search.state == "stopped":
            return False
        search.state, search.stopped_at, search.stopped_by = "stopped", now(), how
        happened("alert.stopped", search.contact_id, by=by, saved_search_id=search.id, how=how)
        return True

    def resume(self) -> None:
        """Alerts go on, about what becomes news from now on. Raises `NoConsent`."""
        require_consent(self.contact_id)
        search = self.refresh_locked()
        if search.state == "stopped":
            search.state, search.stopped_at, search.stopped_by, search.seen_until = "active", None, "", database_now()


class SavedSearchKey(TenantModel):
    """One of the keys that a search has in common with the listings it may want (`Listing.keys`)."""

    __tablename__ = "saved_search_keys"
    __table_args__ = (
        belongs_to("saved_searches", "search_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "search_id", "key"),
        Index("ix_saved_search_keys_key", "tenant_id", "key"),
    )

    search_id: Mapped[uuid.UUID]
    key: Mapped[str]


def has_consent(contact_id: uuid.UUID) -> bool:
    consent = Consent.latest(contact_id).get("marketing")
    return bool(consent and consent.is_granted)


def require_consent(contact_id: uuid.UUID) -> None:
    """Raises `NoConsent`."""
    if not has_consent(contact_id):
        raise NoConsent(N_("Alerts are marketing: record first that the customer agreed to marketing, and how."))


def count_active() -> int:
    return db.session.scalar(select(func.count()).select_from(SavedSearch).where(SavedSearch.state == "active")) or 0
