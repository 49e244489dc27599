"""Entry points and subjects as the API shows them."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field

from app.api import Shape
from app.api.declaring import Time
from app.entry_points.models import LONGEST_TEXT, EntryPoint
from app.entry_points.subjects import (
    LONGEST_ID,
    LONGEST_TITLE,
    LONGEST_URL,
    Subject,
)
from app.meta.contents import web_address

TYPE_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
LANGUAGE_PATTERN = r"^[a-z]{2,3}(-[a-z0-9]{2,8})?$"


def web(url: str) -> str:
    if url and not web_address(url):
        raise ValueError("Give an address that begins with http:// or https://.")
    return url


class SubjectShape(Shape):
    """What a conversation is about. `price_micros` are millionths of the currency."""

    type: str = Field(examples=["property"])
    external_id: str = Field(examples=["V-1042"])
    title: str = Field(examples=["Villa in Dakar"])
    price_micros: int | None = Field(examples=[500_000_000_000])
    currency: str = Field(examples=["XOF"])
    url: str = Field(examples=["https://example.com/villas/1042"])
    is_claimed: bool = Field(description="Whether a page said so in an unsigned address.", examples=[False])

    @classmethod
    def of(cls, subject: Subject | None) -> Self | None:
        if subject is None:
            return None
        return cls(**{name: getattr(subject, name) for name in cls.model_fields})


class GivenSubject(Shape):
    """What something is about, as a program gives it."""

    type: Annotated[str, Field(max_length=40, pattern=TYPE_PATTERN)] = Field(examples=["property"])
    external_id: Annotated[str, Field(max_length=LONGEST_ID)] = Field("", examples=["V-1042"])
    title: Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE)] = Field(examples=["Villa in Dakar"])
    price: Annotated[str, Field(max_length=20, pattern=r"^\d{1,12}(\.\d{1,6})?$")] | None = Field(
        None, description="A decimal number, with `currency`.", examples=["500000"]
    )
    currency: Annotated[str, Field(max_length=3, pattern=r"^[A-Z]{3}$")] | None = Field(None, examples=["XOF"])
    url: Annotated[str, Field(max_length=LONGEST_URL), AfterValidator(web)] = Field(
        "", examples=["https://example.com/villas/1042"]
    )

    def parameters(self) -> dict[str, str]:
        """As a short link has them."""
        values: dict[str, Any] = self.model_dump(exclude={"external_id"}) | {"id": self.external_id}
        return {name: value for name, value in values.items() if value}

    def subject(self) -> Subject | None:
        claimed = Subject.claimed(self.parameters())
        return claimed and claimed.signed()


class TextShape(Shape):
    language: Annotated[str, Field(max_length=12, pattern=LANGUAGE_PATTERN)] = Field(examples=["fr"])
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)] = Field(
        description="`{title}` is replaced by what the page is about.",
        examples=["Bonjour, je suis intéressé par {title}"],
    )


class EntryPointShape(Shape):
    """A link, button, QR code or ad that opens a chat. `reference` is its own, which never expires."""

    id: uuid.UUID
    external_id: str = Field(examples=["villas"])
    name: str = Field(examples=["Villas on our site"])
    kind: str = Field(examples=["page"])
    phone_number_id: uuid.UUID
    address: str = Field(examples=["https://chat.example.com/c/villas"])
    reference: str = Field(examples=["X7K-M2F"])
    texts: list[TextShape]
    team_id: uuid.UUID | None
    tag_ids: list[uuid.UUID]
    active_until: Time | None = Field(examples=[None])
    created_at: Time

    @classmethod
    def of(cls, one: EntryPoint) -> Self:
        return cls(
            id=one.id,
            external_id=one.external_id,
            name=one.name,
            kind=one.kind,
            phone_number_id=one.phone_number_id,
            address=one.address,
            reference=one.reference,
            texts=[TextShape.model_validate(text) for text in one.texts],
            team_id=one.team_id,
            tag_ids=[uuid.UUID(id) for id in one.tag_ids],
            active_until=one.active_until,
            created_at=one.created_at,
        )
