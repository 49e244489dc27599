"""Contacts for assistants: find, and create or change."""

from __future__ import annotations

import uuid
from typing import Annotated

from pydantic import Field, model_validator

from app.api import Page, Shape
from app.contacts.api import tags
from app.contacts.api.shapes import ContactShape
from app.mcp.declaring import CHANGES, READS, tool
from app.people.api import contacts
from app.people.api.contacts import ContactsQuery, ContactUpsert


class FindContact(Shape):
    """By one of these."""

    words: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="Part of a name, a number, a username or a field."
    )
    phone: Annotated[str, Field(max_length=40)] | None = Field(None, description="With its country code.")
    contact_id: uuid.UUID | None = None
    limit: int = Field(10, ge=1, le=50)

    @model_validator(mode="after")
    def check_one(self) -> FindContact:
        if sum(value is not None for value in (self.words, self.phone, self.contact_id)) != 1:
            raise ValueError("Give exactly one of words, phone and contact_id.")
        return self


@tool("find_contact", FindContact, (tags.READ,), READS)
def find_contact(given: FindContact) -> Page[ContactShape]:
    """Find a contact.

    By part of a name or number, by a whole phone number, or by id; with tags and fields.
    """
    if given.contact_id:
        return Page(data=[contacts.get_contact(given.contact_id)], next=None)
    by = {"filter[search]": given.words} if given.words else {"filter[phone]": given.phone}
    return contacts.list_contacts(ContactsQuery.model_validate({"limit": given.limit} | by))


class UpsertContact(ContactUpsert):
    phone: Annotated[str, Field(max_length=40)] = Field(description="With its country code, however it is written.")


@tool("upsert_contact", UpsertContact, (contacts.WRITE,), CHANGES)
def upsert_contact(given: UpsertContact) -> ContactShape:
    """Create or change the contact with a phone number.

    What is left out stays as it is; tags are added.
    """
    change = ContactUpsert.model_validate(given.model_dump(exclude={"phone"}, exclude_unset=True))
    return contacts.upsert_contact("phone", given.phone, change)
