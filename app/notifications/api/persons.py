"""Whom something of another system is about, as programs name them: a phone number or a contact."""

from __future__ import annotations

import uuid
from typing import Annotated, Self

from pydantic import Field, model_validator
from werkzeug.exceptions import NotFound

from app.api import Fault, Problem, Shape, current_key
from app.contacts.models import Contact
from app.inbox.api import reach
from app.inbox.compose.first_messages import ERASED, save_contact
from app.meta import written_numbers
from app.meta.written_numbers import NotRead


class Person(Shape):
    """Exactly one of `phone` and `contact_id`. A number that no contact has yet becomes one of this `name`."""

    phone: Annotated[str, Field(max_length=40, examples=["+221771234567"])] | None = Field(
        None, description="A phone number with its country code, however it is written."
    )
    contact_id: uuid.UUID | None = None
    name: str = Field("", max_length=200)

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if (self.phone is None) == (self.contact_id is None):
            raise ValueError("Give exactly one of phone and contact_id.")
        return self

    def find(self) -> Contact:
        """The contact, made where no one has the number. Raises a `Problem`."""
        contact = self.named() if self.contact_id else self.with_number()
        if contact.is_erased:
            raise wrong("erased", ERASED, "")
        return contact

    def named(self) -> Contact:
        try:
            return reach.find_contact(self.contact_id)  # type: ignore[arg-type]
        except NotFound:
            raise wrong("not_found", "There is nothing with this id.", "/contact_id") from None

    def with_number(self) -> Contact:
        try:
            wa_id = written_numbers.read(self.phone or "", "")
        except NotRead as error:
            raise wrong("invalid_phone_number", error.explain(), "/phone") from None
        contact = Contact.with_number(wa_id)
        if contact and not reach.is_reached(contact):
            raise wrong("not_found", "This key can't reach the contact with this number.", "/phone")
        return contact or save_contact(self.name, wa_id, by=current_key().actor)


def wrong(code: str, words: str, place: str) -> Problem:
    return Problem("invalid_request", errors=[Fault(code, words, pointer=f"/contact{place}")])
