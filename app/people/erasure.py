"""Erases a person: who they are and what was written. How many messages there were, and when, stays."""

from __future__ import annotations

import json
import uuid
from typing import Any

import structlog
from sqlalchemy import delete, null, or_, select, text, update

from app.appointments.models import Appointment
from app.contacts import search
from app.contacts.consents import Consent
from app.contacts.fields import ContactFieldValue
from app.contacts.imports import ImportRow
from app.contacts.models import Contact, ContactIdentity, lock_contacts
from app.contacts.records import ContactEvent, ContactLink, ContactNote
from app.contacts.suggestions import MergeSuggestion
from app.contacts.tags import ContactTag
from app.crm.lookups import CrmLookup
from app.crm.notes import CrmNote
from app.entry_points.models import EntryTouch
from app.inbox.compose.drafts import Draft
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.activities import Activity
from app.inbox.files.deletions import delete_later
from app.inbox.files.media import Media
from app.inbox.files.uploaded_files import UploadedFile
from app.listings.alerts import ListingAlert
from app.listings.inquiries import Inquiry
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch
from app.message_templates.samples import TemplateSample
from app.meta.spellings import other_spellings
from app.payments import models as payments
from app.records.models import erase_records
from app.subscriptions import models as subscriptions
from app.tenancy import Actor, announce, as_uuid, current_tenant_id, db, happened, later, now
from app.whatsapp_flows.responses import FlowResponse
from app.whatsapp_flows.slots import FlowBooking

from .merges import ContactMerge

log = structlog.get_logger()

BELONGINGS = (
    *(ContactIdentity, ContactFieldValue, ContactLink, ContactNote, ContactTag, Consent, ContactEvent),
    *(FlowResponse, FlowBooking, SavedSearch, ListingAlert, Inquiry),
    *(CrmLookup, CrmNote),
)


def erase(contact: Contact, *, by: Actor) -> None:
    """Erases the contact and those that were merged into it. Cannot be undone.

    Deletes its data and files, blanks the messages, cancels queued ones; keeps their number, times and costs.
    """
    lock_contacts()
    people = contact.persons
    ids = [each.id for each in people]
    erase_messages(ids)
    erase_import_rows(ids)
    payments.erase(ids)
    subscriptions.erase(ids)
    Appointment.erase_of(ids, by=by)
    for model in BELONGINGS:
        db.session.execute(delete(model).where(model.contact_id.in_(ids)))
    db.session.execute(update(Listing).where(Listing.contact_id.in_(ids)).values(contact_id=None))
    erase_records(ids)
    suggested = or_(MergeSuggestion.contact_id.in_(ids), MergeSuggestion.other_id.in_(ids))
    db.session.execute(delete(MergeSuggestion).where(suggested))
    db.session.execute(delete(ContactMerge).where(ContactMerge.contact_id.in_(ids)))
    for each in people:
        each.name, each.name_is_saved, each.erased_at = "", False, now()
    ContactEvent.record(contact.id, "erased", by=by)
    happened("contact.erased", contact.id, by=by)
    search.index(ids)
    log.info("contact erased", contact_id=str(contact.id), by_id=str(by.id))


def erase_messages(contact_ids: list[uuid.UUID]) -> None:
    query = select(Conversation.id).where(Conversation.contact_id.in_(contact_ids))
    conversations = list(db.session.scalars(query))
    mine = Message.conversation_id.in_(conversations)
    waiting = update(Message).where(mine, Message.state == "queued")
    db.session.execute(waiting.values(state="cancelled"), execution_options=UNSYNCHRONISED)
    parameters = {"conversations": json.dumps([str(id) for id in conversations]), "tenant": current_tenant_id()}
    for statement in (DELETE_CHANGES, DELETE_REACTIONS):
        db.session.execute(statement, parameters)
    db.session.execute(delete(Draft).where(Draft.conversation_id.in_(conversations)))
    mark_shared_files(parameters)
    delete_files(conversations)
    # What another app said of the conversation as it handed it over.
    handovers = Activity.conversation_id.in_(conversations), Activity.kind == "handed_over"
    db.session.execute(update(Activity).where(*handovers).values(facts=null()), execution_options=UNSYNCHRONISED)
    blank = {"body": "", "content": ERASED, "error": None, "client_id": None, "reply_to_wamid": None}
    db.session.execute(update(Message).where(mine).values(blank), execution_options=UNSYNCHRONISED)
    quiet: dict[str, Any] = {"last_message_preview": "", "last_message_facts": None, "unread_count": 0}
    quiet |= {"last_inbound_at": None, "entry_at": None, "free_until": None, "language": None}
    quiet |= {"subject": null(), "subject_type": None, "subject_external_id": None}
    theirs = update(Conversation).where(Conversation.id.in_(conversations))
    db.session.execute(theirs.values(quiet), execution_options=UNSYNCHRONISED)
    # That somebody came, and by which entry point, stays.
    theirs = update(EntryTouch).where(EntryTouch.conversation_id.in_(conversations))
    unknown = {"reference_id": None, "subject": null(), "utm": null(), "referral": null()}
    db.session.execute(theirs.values(unknown), execution_options=UNSYNCHRONISED)
    for id in conversations:
        announce("conversation", id)


def erase_import_rows(contact_ids: list[uuid.UUID]) -> None:
    """Deletes the rows of uploaded files with a number of theirs, in any spelling."""
    numbers = ContactIdentity.kind == "wa_id", ContactIdentity.contact_id.in_(contact_ids)
    wa_ids = db.session.scalars(select(ContactIdentity.value).where(*numbers))
    spellings = {spelling for wa_id in wa_ids for spelling in (wa_id, *other_spellings(wa_id))}
    db.session.execute(delete(ImportRow).where(ImportRow.wa_id.in_(spellings)), execution_options=UNSYNCHRONISED)


def delete_files(conversation_ids: list[uuid.UUID]) -> None:
    """Deletes the rows in this transaction; a job deletes the stored files."""
    messages = select(Message.id).where(Message.conversation_id.in_(conversation_ids))
    gone = delete(Media).where(Media.message_id.in_(messages)).returning(Media.storage_key, Media.thumbnail_key)
    for keys in db.session.execute(gone, execution_options=UNSYNCHRONISED).all():
        delete_later(keys)


def mark_shared_files(parameters: dict[str, Any]) -> None:
    """Marks files that these messages show and others may, too: a job deletes them if none does (jobs.py)."""
    # A program that sends in Meta's own format may have written anything there.
    samples = filter(None, map(as_uuid, db.session.scalars(SAMPLES, parameters)))
    shown = TemplateSample.id.in_(list(samples))
    marked = update(TemplateSample).where(shown).values(erasure_at=now()).returning(TemplateSample.sha256)
    hashes = {*db.session.scalars(marked, execution_options=UNSYNCHRONISED), *db.session.scalars(HASHES, parameters)}
    copied = update(UploadedFile).where(UploadedFile.sha256.in_(hashes)).values(erasure_at=now())
    db.session.execute(copied, execution_options=UNSYNCHRONISED)
    later("people.erase_files")


UNSYNCHRONISED = {"synchronize_session": False}
ERASED = {"erased": True}
# Which pictures and videos of templates their messages show; of which files they have copies.
SAMPLES = text("""
    select distinct sample #>> '{}'
    from messages m, jsonb_path_query(m.content, 'lax $.raw.components.**.sample') sample
    where m.tenant_id = :tenant and m.type = 'template' and jsonb_typeof(sample) = 'string'
      and m.conversation_id in (select value::uuid from jsonb_array_elements_text(cast(:conversations as jsonb)))
""")
HASHES = text("""
    select distinct f.sha256 from media f join messages m on m.tenant_id = f.tenant_id and m.id = f.message_id
    where f.tenant_id = :tenant and m.tenant_id = :tenant and f.sha256 <> ''
      and m.conversation_id in (select value::uuid from jsonb_array_elements_text(cast(:conversations as jsonb)))
""")
DELETE_CHANGES = text("""
    delete from message_changes x using messages m
    where m.tenant_id = :tenant
      and m.conversation_id in (select value::uuid from jsonb_array_elements_text(cast(:conversations as jsonb)))
      and x.tenant_id = :tenant and x.phone_number_id = m.phone_number_id and x.target_wamid = m.wamid
""")
DELETE_REACTIONS = text("""
    delete from reactions x using messages m
    where m.tenant_id = :tenant
      and m.conversation_id in (select value::uuid from jsonb_array_elements_text(cast(:conversations as jsonb)))
      and x.tenant_id = :tenant and x.phone_number_id = m.phone_number_id and x.target_wamid = m.wamid
""")
