"""Entry points and their routes, the references that their links make, and clicks without one."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import uuid
from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import quote

from sqlalchemy import ForeignKey, Index, Select, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from app.contacts.tags import Tag
from app.extensions import settings
from app.folding import fold_letters
from app.tenancy import (
    GlobalModel,
    Tenant,
    TenantModel,
    as_uuid,
    belongs_to,
    current_tenant_id,
    db,
    now,
    one_of,
    uuid7,
)
from app.wabas.models import PhoneNumber
from app.words import N_

from .codes import new_code, written
from .subjects import Subject, campaign_words

KINDS = {
    "link": N_("Link"),
    "page": N_("Button on a page"),
    "qr": N_("QR code"),
    "widget": N_("Widget"),
    "email": N_("Email signature"),
    "ad": N_("Ad"),
}
MOST = 500
LONGEST_NAME, LONGEST_EXTERNAL_ID, LONGEST_TEXT, MOST_LANGUAGES = 100, 200, 300, 12
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,58})[a-z0-9]", re.ASCII)
NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+", re.ASCII)
# None is stored as null, not as JSON's.
JSON = JSONB(none_as_null=True)
# How long a reference tells what its visitor came for; the rows behind the report last longer.
LIFETIME = dt.timedelta(days=30)
RETENTION = dt.timedelta(days=100)


class SlugTaken(Exception):
    """Another entry point, perhaps of another business, has this short link."""


# What a customer's message begins with where no text was written.
FIRST_WORDS = {
    "ar": "مرحباً، لدي سؤال:",
    "de": "Hallo, ich habe eine Frage:",
    "en": "Hello, I have a question:",
    "es": "Hola, tengo una pregunta:",
    "fa": "سلام، سؤالی دارم:",
    "fr": "Bonjour, j’ai une question :",
    "hi": "नमस्ते, मेरा एक सवाल है:",
    "it": "Ciao, ho una domanda:",
    "pt": "Olá, tenho uma pergunta:",
    "tr": "Merhaba, bir sorum var:",
}


class TooManyEntryPoints(Exception):
    """The business has as many as it may have."""


class EntryPoint(TenantModel):
    """One way in: a link, a button on a page, a QR code, with its first words and where its conversations go."""

    __table_args__ = (
        UniqueConstraint("tenant_id", "external_id"),
        UniqueConstraint("tenant_id", "code"),
        one_of("kind", KINDS),
        belongs_to("phone_numbers", "phone_number_id"),
        belongs_to("teams", "team_id", nulled=True),
    )

    # The name that another program gave it; the short link's, where none did.
    external_id: Mapped[str]
    slug: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    # Its own reference, for visits that get none: it never expires, and says nothing but the entry point.
    code: Mapped[str]
    phone_number_id: Mapped[uuid.UUID]
    # What the customer's message begins with, a text for each language, the usual one first; `{title}` is what it is
    # about.
    texts: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    team_id: Mapped[uuid.UUID | None]
    tag_ids: Mapped[list[str]] = mapped_column(default=list)
    active_until: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    phone_number: Mapped[PhoneNumber] = relationship(viewonly=True)

    @classmethod
    def create(cls, name: str, number: PhoneNumber, *, slug: str = "", external_id: str = "", **values: Any) -> Self:
        """Raises `SlugTaken`, and `TooManyEntryPoints`."""
        if len(db.session.scalars(select(cls.id).limit(MOST)).all()) >= MOST:
            raise TooManyEntryPoints
        made = cls(id=uuid7(), name=name, phone_number_id=number.id, code=new_code(permanent=True), **values)
        made.slug = EntryPointRoute.take(slug, name, made.id)
        made.external_id = external_id or made.slug
        db.session.add(made)
        db.session.flush()
        return made

    @classmethod
    def in_order(cls) -> Select[Self]:
        return select(cls).order_by(cls.name, cls.id)

    @classmethod
    def called(cls, name: str) -> Self | None:
        """By its external id, or by ours."""
        named = db.session.scalar(select(cls).where(cls.external_id == name))
        return named or (cls.find(name) if as_uuid(name) else None)

    @classmethod
    def for_visit(cls, id: uuid.UUID) -> Self | None:
        """With its number, in one statement. None where its business is closed."""
        query = select(cls).join(Tenant, Tenant.id == cls.tenant_id).where(cls.id == id, Tenant.closed_at.is_(None))
        return db.session.scalar(query.options(joinedload(cls.phone_number)))

    @property
    def address(self) -> str:
        """The short link."""
        return f"{settings.public_url}/c/{self.slug}"

    @property
    def heading(self) -> str:
        """What a sign says to customers: the business, as WhatsApp shows it. The entry point's name is the team's."""
        return self.phone_number.verified_name or db.session.get_one(Tenant, self.tenant_id).name

    @property
    def reference(self) -> str:
        """Its own code, as people see it."""
        return written(self.code)

    @property
    def has_ended(self) -> bool:
        return self.active_until is not None and self.active_until <= now()

    @property
    def languages(self) -> list[str]:
        return [one["language"] for one in self.texts]

    @property
    def subject(self) -> Subject:
        """What a conversation is about that came by it, where nothing more is known."""
        return Subject("entry_point", self.external_id, self.name)

    @property
    def tags(self) -> list[Tag]:
        """Those of its tags that there still are."""
        ids = [uuid.UUID(id) for id in self.tag_ids]
        return list(db.session.scalars(Tag.in_order().where(Tag.id.in_(ids)))) if ids else []

    def text_in(self, language: str) -> str:
        """In this language, else in the usual one; where none was written, ours."""
        by_language = {one["language"]: one["text"] for one in reversed(self.texts)}
        usual = self.texts[0]["text"] if self.texts else FIRST_WORDS.get(language.partition("-")[0], FIRST_WORDS["en"])
        return str(by_language.get(language) or usual)

    def first_words(self, code: str, subject: Subject | None, language: str) -> str:
        """The text of the customer's message when WhatsApp opens, with the reference at its end."""
        about = (subject and subject.title) or self.name
        return f"{self.text_in(language).replace('{title}', about).strip()} (ref {written(code)})".lstrip()

    def chat_address(self, code: str, subject: Subject | None, language: str) -> str:
        words = quote(self.first_words(code, subject, language), safe="")
        return f"{self.phone_number.wa_me}?text={words}"

    def remove(self) -> None:
        """Its short link leads nowhere from then on, and stays the business's: signs and pages still have it.

        Conversations that came by it stay.
        """
        db.session.delete(self)
        db.session.flush()


class EntryPointRoute(GlobalModel):
    """Whose entry point a short link leads to. The primary key gives each to one."""

    __tablename__ = "entry_point_routes"
    is_reference = True

    slug: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    entry_point_id: Mapped[uuid.UUID]

    @classmethod
    def take(cls, wanted: str, name: str, entry_point_id: uuid.UUID) -> str:
        """The slug that was wanted; else one like the name. Raises `SlugTaken` for one that was wanted."""
        for slug in [wanted] if wanted else proposals(name):
            values = {"slug": slug, "tenant_id": current_tenant_id(), "entry_point_id": entry_point_id}
            taken = insert(cls).values(values).on_conflict_do_nothing().returning(cls.slug)
            if db.session.scalar(taken) or cls.take_again(slug, entry_point_id):
                return slug
        raise SlugTaken(wanted)

    @classmethod
    def take_again(cls, slug: str, entry_point_id: uuid.UUID) -> bool:
        """One of the business's own, whose entry point was deleted, leads to this one."""
        route = db.session.scalar(select(cls).where(cls.slug == slug).with_for_update())
        if route is None or route.tenant_id != current_tenant_id() or EntryPoint.find(route.entry_point_id):
            return False
        route.entry_point_id = entry_point_id
        return True


def proposals(name: str) -> Sequence[str]:
    plain = NOT_IN_SLUGS.sub("-", fold_letters(name[:LONGEST_NAME])).strip("-")[:40].strip("-")
    ends = ("".join(secrets.choice("23456789bcdfghjkmnpqrtvwx") for _ in range(6)) for _ in range(4))
    return [*([plain] if SLUG.fullmatch(plain) else []), *(f"{plain}-{end}".lstrip("-") for end in ends)]


class EntryReference(TenantModel):
    """One visit by a link: what it was about. Its code is in the message that the visitor may send."""

    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        belongs_to("entry_points", "entry_point_id", ondelete="CASCADE"),
        Index("ix_entry_references_entry_point", "tenant_id", "entry_point_id", "created_at"),
        Index("ix_entry_references_created", "created_at"),
    )

    entry_point_id: Mapped[uuid.UUID]
    # The number that it opens a chat with: only there it is recognised.
    phone_number_id: Mapped[uuid.UUID]
    code: Mapped[str]
    subject: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    language: Mapped[str] = mapped_column(default="")
    utm: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    expires_at: Mapped[dt.datetime]

    @classmethod
    def issue(
        cls, entry_point: EntryPoint, subject: Subject | None, utm: dict[str, str] | None, language: str
    ) -> str | None:
        """A new one's code; None in the unlikely case that three random ones are all taken."""
        for _attempt in range(3):
            at = now()
            values = {
                "tenant_id": current_tenant_id(),
                "id": uuid7(),
                "entry_point_id": entry_point.id,
                "phone_number_id": entry_point.phone_number_id,
                "code": new_code(),
                "subject": subject and subject.as_json(),
                "utm": utm,
                "language": language,
                "created_at": at,
                "expires_at": at + LIFETIME,
            }
            made = insert(cls).values(values).on_conflict_do_nothing().returning(cls.code)
            if code := db.session.scalar(made):
                return code
        return None

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= now()


class EntryClicks(TenantModel):
    """Clicks beyond the limits, which got no reference: how many in a quarter of an hour."""

    __tablename__ = "entry_clicks"
    __table_args__ = (
        UniqueConstraint("tenant_id", "entry_point_id", "at"),
        belongs_to("entry_points", "entry_point_id", ondelete="CASCADE"),
    )

    entry_point_id: Mapped[uuid.UUID]
    at: Mapped[dt.datetime]
    count: Mapped[int]


class EntryTouch(TenantModel):
    """A message by which a customer came in: with a reference, or by an ad. All stay; the first is the subject's."""

    __tablename__ = "entry_touches"
    __table_args__ = (
        UniqueConstraint("tenant_id", "message_id", "kind"),
        one_of("kind", ("reference", "ad")),
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        belongs_to("entry_points", "entry_point_id", nulled=True),
        Index("ix_entry_touches_conversation", "tenant_id", "conversation_id", "at"),
        Index("ix_entry_touches_reference", "tenant_id", "reference_id"),
        Index("ix_entry_touches_entry_point", "tenant_id", "entry_point_id", "at"),
        Index("ix_entry_touches_at", "tenant_id", "at"),
    )

    conversation_id: Mapped[uuid.UUID]
    message_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    entry_point_id: Mapped[uuid.UUID | None]
    # The row may be gone: references are deleted after 100 days.
    reference_id: Mapped[uuid.UUID | None]
    subject: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    utm: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # Of an ad, as Meta sent it, with its `ctwa_clid`.
    referral: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    is_first: Mapped[bool] = mapped_column(default=False)
    # Another customer had sent the same reference before: somebody passed the link on.
    is_shared: Mapped[bool] = mapped_column(default=False)
    is_expired: Mapped[bool] = mapped_column(default=False)
    at: Mapped[dt.datetime] = mapped_column(default=now)
    entry_point: Mapped[EntryPoint | None] = relationship(viewonly=True)

    @classmethod
    def of_conversation(cls, conversation_id: uuid.UUID) -> Select[Self]:
        return select(cls).where(cls.conversation_id == conversation_id).order_by(cls.at, cls.id)

    @property
    def campaign(self) -> str:
        """Source / medium / campaign, as far as they are known."""
        return campaign_words(self.utm or {})

    @property
    def about(self) -> Subject | None:
        return Subject.read(self.subject)
