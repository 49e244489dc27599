"""Custom fields of contacts, each with a type."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal, InvalidOperation
from typing import Self
from urllib.parse import urlsplit

from sqlalchemy import Index, Select, UniqueConstraint, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import Actor, TenantModel, belongs_to, current_tenant_id, db, happened, now, of_tenant, one_of, uuid7
from app.words import N_

from .refusals import Refusal

KINDS = ("text", "number", "date", "yes_no", "choice", "link")
LONGEST_VALUE = 1_000
LONGEST_NAME = 60
MOST_FIELDS = 50
YES = (
    "yes",
    "true",
    "1",
    "y",
    "x",
    "ja",
    "oui",
    "si",
    "sí",
    "sim",
    "да",
    "نعم",
    "是",
    "はい",
    "예",
    "evet",
    "tak",
    "כן",
    "हाँ",
)
NO = (
    "no",
    "false",
    "0",
    "n",
    "nein",
    "non",
    "não",
    "nao",
    "нет",
    "لا",
    "否",
    "いいえ",
    "아니요",
    "hayır",
    "nie",
    "לא",
    "नहीं",
)


class Wrong(Refusal):
    """What was typed isn't a value of this field."""


class ContactField(TenantModel):
    __table_args__ = (
        of_tenant(),
        one_of("kind", KINDS),
        Index("uq_contact_fields_name", "tenant_id", text("lower(name)"), unique=True),
    )

    name: Mapped[str]
    kind: Mapped[str]
    choices: Mapped[list[str]] = mapped_column(default=list)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def in_order(cls) -> Select[Self]:
        return select(cls).order_by(cls.position, cls.id)

    @classmethod
    def all(cls) -> list[Self]:
        return list(db.session.scalars(cls.in_order()))

    @classmethod
    def named(cls, name: str) -> Self | None:
        return db.session.scalar(select(cls).where(func.lower(cls.name) == func.lower(name)))

    @classmethod
    def get_or_make(cls, name: str) -> Self:
        """The field of that name, in whatever case; made as text at the end of the list where there is none."""
        name = name.strip()[:LONGEST_NAME]
        if (existing := cls.named(name)) is not None:
            return existing
        last = db.session.scalar(select(func.max(cls.position))) or 0
        made = cls(id=uuid7(), name=name, kind="text", choices=[], position=last + 1)
        db.session.add(made)
        db.session.flush()
        return made

    @property
    def count(self) -> int:
        """How many contacts have a value of it."""
        query = select(func.count()).select_from(ContactFieldValue).where(ContactFieldValue.field_id == self.id)
        return db.session.scalars(query).one()

    def read(self, typed: str) -> str:
        """What was typed, in the one form in which it is stored. Raises `Wrong`."""
        typed = typed.replace("\x00", "").strip()
        if len(typed) > LONGEST_VALUE:
            raise Wrong(N_("Use at most {count} characters."), count=LONGEST_VALUE)
        match self.kind:
            case "number":
                return read_number(typed)
            case "date":
                return read_date(typed)
            case "yes_no":
                return read_yes_no(typed)
            case "choice":
                return self.read_choice(typed)
            case "link":
                return read_link(typed)
        return typed

    def read_choice(self, typed: str) -> str:
        choice_of_typed = next((choice for choice in self.choices if choice.casefold() == typed.casefold()), None)
        if typed and choice_of_typed is None:
            raise Wrong(N_("Choose one of: {choices}."), choices=", ".join(self.choices))
        return choice_of_typed or ""

    def put_on(self, contact_id: uuid.UUID, value: str, *, by: Actor | None = None) -> None:
        """Saves a value that was `read`. An empty one removes it."""
        here = (ContactFieldValue.contact_id == contact_id) & (ContactFieldValue.field_id == self.id)
        if (db.session.scalar(select(ContactFieldValue.value).where(here)) or "") == value:
            return
        happened("field.changed", contact_id, by=by, field_id=self.id)
        if not value:
            db.session.execute(delete(ContactFieldValue).where(here))
            return
        row = {"tenant_id": current_tenant_id(), "id": uuid7(), "contact_id": contact_id, "field_id": self.id}
        put = upsert(ContactFieldValue).values(row | {"value": value})
        key = ["tenant_id", "contact_id", "field_id"]
        db.session.execute(put.on_conflict_do_update(index_elements=key, set_={"value": value}))


class ContactFieldValue(TenantModel):
    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        belongs_to("contact_fields", "field_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "contact_id", "field_id"),
        Index("ix_contact_field_values_field", "tenant_id", "field_id"),
    )

    contact_id: Mapped[uuid.UUID]
    field_id: Mapped[uuid.UUID]
    value: Mapped[str]


def read_number(typed: str) -> str:
    if not typed:
        return ""
    try:
        number = Decimal(typed.replace(" ", "").replace("\u00a0", ""))
    except InvalidOperation:
        raise Wrong(N_("Enter a number, such as 12 or 12.5.")) from None
    if not number.is_finite() or abs(number) >= 10**15:
        raise Wrong(N_("Enter a smaller number."))
    return f"{number:f}"


def read_date(typed: str) -> str:
    try:
        return dt.date.fromisoformat(typed).isoformat() if typed else ""
    except ValueError:
        raise Wrong(N_("Enter a date as year-month-day, such as 2026-11-21.")) from None


def read_yes_no(typed: str) -> str:
    word = typed.casefold()
    if word and word not in YES + NO:
        raise Wrong(N_("Enter yes or no."))
    return "" if not word else "yes" if word in YES else "no"


def read_link(typed: str) -> str:
    """A web address that a page may link to."""
    if not typed:
        return ""
    try:
        parts = urlsplit(typed)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and not any(c.isspace() for c in typed)
    except ValueError:
        is_whole = False
    if not is_whole:
        raise Wrong(N_("Enter a whole web address that begins with https:// or http://."))
    return typed
