"""What a conversation is about: the page, property, order, campaign or ad that the customer came from."""

from __future__ import annotations

import uuid
from typing import Any

from babel import Locale, UnknownLocaleError
from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from app.entry_points.subjects import Subject
from app.tenancy import Actor, belongs_to

SUBJECT_VALUES = ("title", "type", "external_id", "price", "url")


def about_constraints() -> tuple[SchemaItem, ...]:
    newest = text("last_message_at desc"), text("id desc")
    return (
        belongs_to("entry_points", "entry_point_id", nulled=True),
        Index(
            "ix_conversations_entry_point",
            "tenant_id",
            "entry_point_id",
            *newest,
            postgresql_where=text("entry_point_id is not null"),
        ),
        Index(
            "ix_conversations_subject",
            "tenant_id",
            "subject_type",
            "subject_external_id",
            *newest,
            postgresql_where=text("subject_type is not null"),
        ),
    )


class About:
    """The subject of a conversation. The list shows it from here; what it is filtered by has columns of its own."""

    subject: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    subject_type: Mapped[str | None]
    subject_external_id: Mapped[str | None]
    # By which entry point the customer first came.
    entry_point_id: Mapped[uuid.UUID | None]

    locked: Any
    record: Any

    @property
    def about(self) -> Subject | None:
        return Subject.read(self.subject)

    def begin_about(self, subject: Subject | None, entry_point_id: uuid.UUID | None) -> None:
        """By the customer's first touch. What is there already is not overwritten. Called with the row locked."""
        if self.subject is None and subject:
            self.put_subject(subject)
        self.entry_point_id = self.entry_point_id or entry_point_id

    def set_about(self, subject: Subject | None, *, by: Actor) -> bool:
        """Corrects or removes it. Returns whether that changed it."""
        self.locked()
        if self.about == subject:
            return False
        self.put_subject(subject)
        self.record("subject" if subject else "no_subject", by, to=subject and subject.words)
        return True

    def put_subject(self, subject: Subject | None) -> None:
        self.subject = subject.as_json() if subject else None
        self.subject_type = subject.type if subject else None
        self.subject_external_id = (subject.external_id if subject else None) or None

    def subject_values(self, language: str) -> dict[str, str | None]:
        """For the variables of texts in a language: `subject.title` and others."""
        about, locale = self.about, locale_called(language)
        if about is None:
            return dict.fromkeys(f"subject.{name}" for name in SUBJECT_VALUES)
        values: dict[str, str | None] = {f"subject.{name}": str(getattr(about, name)) for name in SUBJECT_VALUES}
        price = about.price_in(locale)
        # Amount and currency stay together between words that run from right to left.
        values["subject.price"] = f"\u2066{price}\u2069" if price and locale.text_direction == "rtl" else price
        return values


def locale_called(language: str) -> Locale:
    """English where the language is unknown."""
    try:
        return Locale.parse(language or "en")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
