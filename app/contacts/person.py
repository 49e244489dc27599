"""The parts of a contact's page and of the pane beside a conversation, each loaded when it is shown."""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.tenancy import db

from .consents import Consent
from .fields import ContactField, ContactFieldValue
from .models import Contact
from .records import ContactLink, ContactNote
from .suggestions import MergeSuggestion
from .tags import Tag

MOST_NOTES = 50
MOST_CHOICES = 200
MOST_LINKS = 100
MOST_CONSENTS = 50


class Person:
    def __init__(self, contact: Contact) -> None:
        self.contact = contact

    @cached_property
    def fields(self) -> list[tuple[ContactField, str]]:
        """Every field of the business, with this contact's value or none."""
        mine = select(ContactFieldValue.field_id, ContactFieldValue.value)
        values = dict(db.session.execute(mine.where(ContactFieldValue.contact_id == self.contact.id)).all())
        return [(each, values.get(each.id, "")) for each in ContactField.all()]

    @property
    def has_many_choices(self) -> bool:
        """Whether the form of all fields is too long for a pane."""
        return sum(len(field.choices) for field, _value in self.fields) > MOST_CHOICES

    @cached_property
    def notes(self) -> list[ContactNote]:
        mine = select(ContactNote).where(ContactNote.contact_id == self.contact.id).order_by(ContactNote.id.desc())
        return list(db.session.scalars(mine.limit(MOST_NOTES)))

    @cached_property
    def links(self) -> list[ContactLink]:
        mine = select(ContactLink).where(ContactLink.contact_id == self.contact.id).order_by(ContactLink.id)
        return list(db.session.scalars(mine.limit(MOST_LINKS)))

    @cached_property
    def consents(self) -> list[Consent]:
        return list(db.session.scalars(Consent.history(self.contact.id).limit(MOST_CONSENTS)))

    @cached_property
    def latest_consents(self) -> dict[str, Consent]:
        return Consent.latest(self.contact.id)

    @cached_property
    def suggestions(self) -> list[tuple[MergeSuggestion, Contact]]:
        """Possible duplicates, with the reason."""
        open_ones = list(db.session.scalars(MergeSuggestion.open_ones(self.contact.id)))
        ids = [each.partner_of(self.contact.id) for each in open_ones]
        shown = Contact.id.in_(ids), Contact.merged_into_id.is_(None), Contact.erased_at.is_(None)
        query = select(Contact).where(*shown).options(selectinload(Contact.identities))
        partners = {each.id: each for each in db.session.scalars(query)} if ids else {}
        paired = ((each, partners.get(each.partner_of(self.contact.id))) for each in open_ones)
        return [(each, partner) for each, partner in paired if partner]

    @cached_property
    def other_tags(self) -> list[Tag]:
        """Tags that the contact doesn't have, to choose from."""
        mine = {tag.id for tag in self.contact.tags}
        return [tag for tag in Tag.offered() if tag.id not in mine]
