"""Listings: what a business offers, such as properties. By hand, by API and by feed they are the same rows."""

from __future__ import annotations

import datetime as dt
import html
import re
import uuid
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from flask_babel import gettext as _
from sqlalchemy import Double, Index, Select, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.contacts.models import Contact
from app.contacts.names import plain
from app.entry_points.subjects import Subject, finds_places
from app.folding import fold
from app.team.models.teams import of_member
from app.tenancy import (
    Actor,
    TenantModel,
    User,
    belongs_to,
    current_tenant_id,
    database_now,
    db,
    happened,
    now,
    of_tenant,
    one_of,
    uuid7,
)

from .amounts import price_words
from .kinds import KINDS, STATUSES, TYPES, read_type

LONGEST_ID, LONGEST_TITLE, LONGEST_PLACE, LONGEST_LINK, LONGEST_DESCRIPTION = 200, 200, 100, 1_000, 10_000
MOST_ATTRIBUTES, LONGEST_ATTRIBUTE = 50, 500
SOURCES = ("hand", "api", "feed")
# What links say that they are about, where it is one of these.
SUBJECTS = ("listing", "property")
# Whoever writes listings shares it; alerts take it alone for a moment, so that nothing before that moment is unseen.
SHARE = text("select pg_advisory_xact_lock_shared(hashtextextended('listings', 0) # hashtextextended(:tenant, 0))")
LOCK_LISTINGS = text("select pg_advisory_xact_lock(hashtextextended('listings', 0) # hashtextextended(:tenant, 0))")
LINK = re.compile(r"https?://[^\s/?#\\]+[^\s\\]*", re.IGNORECASE)
TAG = re.compile(r"<[^<>]*>")


@finds_places
def place_of(subject: Subject) -> str:
    listing = Listing.with_external_id(subject.external_id) if subject.type in SUBJECTS else None
    return listing.location if listing else ""


def share_listings() -> None:
    """Says that this transaction writes listings, until it ends (`newest_moment`)."""
    db.session.execute(SHARE, {"tenant": str(current_tenant_id())})


def newest_moment() -> dt.datetime:
    """A moment before which every listing's news are committed. The caller commits at once, which ends the lock."""
    db.session.execute(LOCK_LISTINGS, {"tenant": str(current_tenant_id())})
    return database_now()


class Listing(TenantModel):
    """One thing on offer. `external_id` is its reference in the business's own system, or one that we made."""

    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id", "external_id"),
        belongs_to("contacts", "contact_id", nulled=True),
        of_member("member_id", nulled=True),
        one_of("kind", KINDS),
        one_of("status", STATUSES),
        one_of("source", SOURCES),
        Index("ix_listings_newest", "tenant_id", text("listed_at desc"), text("id desc")),
        Index("ix_listings_status", "tenant_id", "status", text("listed_at desc"), text("id desc")),
        Index("ix_listings_contact", "tenant_id", "contact_id"),
        Index("ix_listings_news", "tenant_id", "news_at", postgresql_where=text("status = 'available'")),
    )

    external_id: Mapped[str]
    title: Mapped[str]
    kind: Mapped[str]
    # As it was written, and the name by which it is compared (`kinds.read_type`).
    type: Mapped[str] = mapped_column(default="", server_default="")
    type_key: Mapped[str] = mapped_column(default="", server_default="")
    city: Mapped[str] = mapped_column(default="", server_default="")
    city_key: Mapped[str] = mapped_column(default="", server_default="")
    district: Mapped[str] = mapped_column(default="", server_default="")
    district_key: Mapped[str] = mapped_column(default="", server_default="")
    price_micros: Mapped[int | None]
    currency: Mapped[str | None]
    rooms: Mapped[float | None] = mapped_column(Double)
    area: Mapped[float | None] = mapped_column(Double)
    url: Mapped[str] = mapped_column(default="", server_default="")
    # Stored for programs. No page shows it: pictures of other servers would tell them who looks.
    picture_url: Mapped[str] = mapped_column(default="", server_default="")
    description: Mapped[str] = mapped_column(default="", server_default="", deferred=True)
    status: Mapped[str] = mapped_column(default="available")
    # The landlord or seller, and the member of the team who takes care of it.
    contact_id: Mapped[uuid.UUID | None]
    member_id: Mapped[uuid.UUID | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    source: Mapped[str] = mapped_column(default="hand")
    # What a search compares: title, type, place and reference, folded.
    words: Mapped[str] = mapped_column(default="", server_default="")
    # Under which keys saved searches find it (`matching.py`).
    keys: Mapped[list[str]] = mapped_column(default=list)
    listed_at: Mapped[dt.datetime] = mapped_column(default=now)
    # When it was news last, and when that was because it became cheaper.
    news_at: Mapped[dt.datetime] = mapped_column(default=now)
    dropped_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    updated_at: Mapped[dt.datetime] = mapped_column(default=now)
    owner: Mapped[Contact | None] = relationship(viewonly=True)
    member: Mapped[User | None] = relationship(
        viewonly=True, primaryjoin="foreign(Listing.member_id) == User.id", lazy="select"
    )

    # What a program or a person says of it; everything else follows from these.
    GIVEN: ClassVar[tuple[str, ...]] = (
        *("title", "kind", "type", "city", "district", "price_micros", "currency", "rooms", "area", "url"),
        *("picture_url", "description", "status", "contact_id", "member_id", "attributes", "listed_at"),
    )

    @classmethod
    def with_external_id(cls, external_id: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.external_id == external_id))

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.listed_at.desc(), cls.id.desc())

    @classmethod
    def put(cls, external_id: str, given: dict[str, Any], *, source: str, by: Actor) -> tuple[Self, bool]:
        """Creates the listing with this reference, or changes it. Returns it, and whether it is new.

        Two at once make one row, locked until the transaction ends; what the second one says holds.
        """
        share_listings()
        blank = {
            "tenant_id": current_tenant_id(),
            "id": uuid7(),
            "external_id": external_id,
            "title": "",
            "kind": "sale",
        }
        blank |= {"source": source, "listed_at": database_now(), "news_at": database_now(), "status": "available"}
        blank |= {"keys": [], "attributes": {}, "created_at": database_now(), "updated_at": database_now()}
        new = insert(cls).values(blank).on_conflict_do_nothing(index_elements=["tenant_id", "external_id"])
        is_new = db.session.scalar(new.returning(cls.id)) is not None
        mine = select(cls).where(cls.external_id == external_id).with_for_update(key_share=True)
        listing = db.session.scalars(mine.execution_options(populate_existing=True)).one()
        if is_new:
            listing.write(given)
            happened("listing.created", listing.id, by=by, **listing.facts)
        else:
            listing.change(given, by=by)
        return listing, is_new

    def change(self, given: dict[str, Any], *, by: Actor) -> list[str]:
        """Changes what differs. Returns the names of what was changed. The caller holds its lock."""
        share_listings()
        changed = self.alter(given)
        if changed:
            kind, facts = self.happening(changed)
            happened(kind, self.id, by=by, **facts)
        return changed

    def alter(self, given: dict[str, Any]) -> list[str]:
        """`change` for one of many: the caller shares listings and records what happened, for all at once."""
        changed = [name for name, value in given.items() if getattr(self, name) != value]
        if not changed:
            return []
        before = {name: getattr(self, name) for name in ("status", "price_micros", "currency")}
        self.write({name: given[name] for name in changed})
        self.updated_at = database_now()
        self.note_news(**before)
        return changed

    def happening(self, changed: list[str]) -> tuple[str, dict[str, Any]]:
        """The kind and the facts of a change."""
        if "status" in changed and self.status == "withdrawn":
            return "listing.withdrawn", self.facts
        return "listing.changed", self.facts | {"changed": sorted(changed)}

    def note_news(self, *, status: str, price_micros: int | None, currency: str | None) -> None:
        """It is news again when it comes back, and when it becomes cheaper."""
        if self.status == "available" and status in ("withdrawn", "sold", "let"):
            self.news_at, self.dropped_at = database_now(), None
        if is_drop(price_micros, self.price_micros) and currency == self.currency:
            self.news_at = self.dropped_at = database_now()

    def write(self, given: dict[str, Any]) -> None:
        for name, value in given.items():
            setattr(self, name, value)
        for name, value in derived(self.external_id, {name: getattr(self, name) for name in DERIVED_FROM}).items():
            setattr(self, name, value)

    def withdraw(self, *, by: Actor) -> bool:
        """Takes it off the market: no alert and no search of customers offers it. Returns whether that is new."""
        return bool(self.change({"status": "withdrawn"}, by=by))

    @property
    def facts(self) -> dict[str, Any]:
        return {"external_id": self.external_id, "status": self.status} | (
            {"contact_id": self.contact_id} if self.contact_id else {}
        )

    @property
    def is_offered(self) -> bool:
        return self.status == "available"

    @property
    def price(self) -> str:
        """In the reader's language."""
        return price_words(self.price_micros, self.currency)

    @property
    def location(self) -> str:
        return ", ".join(filter(None, (self.district, self.city)))

    @property
    def type_words(self) -> str:
        return str(_(TYPES[self.type_key])) if self.type_key in TYPES else self.type

    @property
    def status_words(self) -> str:
        return str(_(STATUSES[self.status]))

    @property
    def kind_words(self) -> str:
        return str(_(KINDS[self.kind]))

    @property
    def heading(self) -> str:
        """`Villa in Dakar · 500,000 XOF`: what a card says of it."""
        where = str(_("%(title)s in %(place)s", title=self.type_words, place=self.city)) if self.city else ""
        named = where if where and self.type_words else self.title
        return " · ".join(filter(None, (named, self.price)))


DERIVED_FROM = ("title", "kind", "type", "city", "district")


def derived(external_id: str, given: dict[str, Any]) -> dict[str, Any]:
    """The columns that follow from what is given."""
    type_key, city, district = read_type(given["type"]), fold(given["city"]), fold(given["district"])
    markup = (given["title"], given["type"], type_key, given["district"], given["city"], external_id)
    places = dict.fromkeys(("", city, district))
    return {
        "type_key": type_key,
        "city_key": city,
        "district_key": district,
        "words": fold(" ".join(markup)),
        "keys": [search_key(*key) for key in keys_of(("", given["kind"]), dict.fromkeys(("", type_key)), places)],
    }


def keys_of(kinds: Iterable[str], types: Iterable[str], places: Iterable[str]) -> list[tuple[str, str, str]]:
    types, places = list(types), list(places)
    return [(kind, type, place) for kind in kinds for type in types for place in places]


def search_key(kind: str, type: str, place: str) -> str:
    """What a listing and the searches that may want it have in common; an empty part means any."""
    return f"{kind}|{type}|{place}"


def is_drop(before: int | None, after: int | None) -> bool:
    return before is not None and after is not None and after < before


def without_markup(written: str) -> str:
    """A description as plain text: of HTML the words, without scripts, one empty line at most between paragraphs."""
    markup = written[: LONGEST_DESCRIPTION * 2]
    if "<" in markup:
        for name in ("script", "style"):
            markup = without_element(markup, name)
        markup = re.sub(r"<(?:br|/p|/li|/div|/h[1-6])\b[^<>]*>", "\n", markup, flags=re.IGNORECASE)
        markup = TAG.sub("", markup)
    markup = html.unescape(markup).replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
    lines = (" ".join(line.split()) for line in markup.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()[:LONGEST_DESCRIPTION]


def without_element(markup: str, name: str) -> str:
    """Without what is inside an element; one that is never closed goes on to the end."""
    parts, at, low = [], 0, markup.lower()
    while (start := low.find(f"<{name}", at)) >= 0:
        parts.append(markup[at:start])
        end = low.find(f"</{name}", start)
        if end < 0:
            return "".join(parts)
        at = end
    return "".join([*parts, markup[at:]])


def is_link(written: str) -> bool:
    return len(written) <= LONGEST_LINK and bool(LINK.fullmatch(written)) and written.isprintable()


def read_attributes(given: dict[str, Any]) -> dict[str, Any]:
    """Bounded: texts, numbers and truths by name. Raises `ValueError`."""
    if len(given) > MOST_ATTRIBUTES:
        raise ValueError
    for name, value in given.items():
        fits = isinstance(value, bool | int | float | None) or (
            isinstance(value, str) and len(value) <= LONGEST_ATTRIBUTE
        )
        if not plain(name) or len(name) > LONGEST_PLACE or not fits:
            raise ValueError
    return given
