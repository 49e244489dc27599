"""The activity of a contact: how it was identified, what it consented to, what people did to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.contacts.consents import Consent
from app.contacts.forms import PURPOSE_WORDS
from app.contacts.models import Contact
from app.contacts.records import ContactEvent
from app.contacts.tags import ADDED_BY, ContactTag, Tag
from app.meta.written_numbers import formatted
from app.tenancy import Actor, User, db

from .merges import ContactMerge

MOST = 100


@dataclass(frozen=True)
class Moment:
    """One thing that happened. `merge` is a merge that can be undone."""

    at: dt.datetime
    kind: str
    words: str
    by: Actor | None = None
    merge: ContactMerge | None = None


def timeline(contact: Contact) -> list[Moment]:
    """The last MOST of them, newest first."""
    sources = (identities, consents, tags, merges, events)
    moments = [Moment(contact.created_at, "created", _("First seen")), *(m for each in sources for m in each(contact))]
    return with_names(sorted(moments, key=lambda moment: moment.at, reverse=True)[:MOST])


def with_names(moments: list[Moment]) -> list[Moment]:
    """With the present names of the agents who did these."""
    ids = {moment.by.user_id for moment in moments if moment.by}
    names: dict[Any, str] = dict(db.session.execute(select(User.id, User.name).where(User.id.in_(ids))).all())
    return [
        replace(moment, by=replace(moment.by, name=names[moment.by.id]))
        if moment.by and moment.by.user_id in names
        else moment
        for moment in moments
    ]


def identities(contact: Contact) -> Iterator[Moment]:
    for identity in contact.identities:
        match identity.kind:
            case "wa_id":
                yield Moment(
                    identity.created_at,
                    "identity",
                    _("Phone number added: %(number)s", number=formatted(identity.value)),
                )
            case "username":
                yield Moment(identity.created_at, "identity", _("Username added: @%(name)s", name=identity.value))
            case "bsuid":
                yield Moment(identity.created_at, "identity", _("WhatsApp ID added"))


def consents(contact: Contact) -> Iterator[Moment]:
    for consent in db.session.scalars(Consent.history(contact.id).limit(MOST)):
        purpose = PURPOSE_WORDS[consent.purpose]
        words = _("Consented: %(purpose)s") if consent.is_granted else _("Declined: %(purpose)s")
        yield Moment(consent.occurred_at, "consent", words % {"purpose": purpose}, consent.by)


def tags(contact: Contact) -> Iterator[Moment]:
    query = select(ContactTag.created_at, *(getattr(ContactTag, name) for name in ADDED_BY), Tag.name).join(
        Tag, (Tag.tenant_id == ContactTag.tenant_id) & (Tag.id == ContactTag.tag_id)
    )
    for at, by_kind, by_id, by_name, name in db.session.execute(query.where(ContactTag.contact_id == contact.id)):
        yield Moment(at, "tag", _("Tagged “%(name)s”", name=name), Actor.stored(by_kind, by_id, by_name))


def merges(contact: Contact) -> Iterator[Moment]:
    for merge in db.session.scalars(ContactMerge.all_of(contact.id).limit(MOST)):
        name = merge.other_name_for(contact.id) or _("No name")
        can_be_undone = merge.undone_at is None and merge.contact_id == contact.id
        words = _("Merged with “%(name)s”", name=name)
        yield Moment(merge.created_at, "merge", words, merge.by, merge if can_be_undone else None)
        if merge.undone_at:
            words = _("Merge with “%(name)s” undone", name=name)
            yield Moment(merge.undone_at, "merge", words, merge.undone_by)


def events(contact: Contact) -> Iterator[Moment]:
    query = select(ContactEvent).where(ContactEvent.contact_id == contact.id).order_by(ContactEvent.id.desc())
    for event in db.session.scalars(query.limit(MOST)):
        yield Moment(event.created_at, event.kind, event_words(event), event.by)


def event_words(event: ContactEvent) -> str:
    match event.kind:
        case "created":
            return str(_("Added manually"))
        case "imported":
            return str(_("Imported from “%(file)s”", file=event.details.get("filename", "")))
        case "renamed":
            before, after = event.details.get("before") or _("No name"), event.details.get("after", "")
            return str(_("Renamed from “%(before)s” to “%(after)s”", before=before, after=after))
        case "exported":
            return str(_("All data exported as a file"))
    return str(_("All data erased"))
