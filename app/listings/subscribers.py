"""Listings listen: to links that lead to one, buttons of alerts, forms, withdrawn consents, and people's replies."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress

from sqlalchemy import select

from app.inbox.compose.problems import NOT_SENT
from app.inbox.conversations import Conversation, Message
from app.inbox.inbound.readers import reads_messages
from app.meta.payload import text as text_of
from app.tenancy import Happened, db, subscriber
from app.whatsapp_flows.models import WhatsappFlow
from app.whatsapp_flows.responses import FlowResponse

from .alerts import BY, ListingAlert, alert_in
from .form_source import BETWEEN, search_from
from .form_source import NAME as SOURCE_OF_FORMS
from .inquiries import Inquiry, mark_answered, mark_booked, mark_unbooked
from .models import SUBJECTS, Listing
from .saved_searches import SavedSearch
from .settings import ListingSettings
from .wording import STOPPED, in_language

# WhatsApp did not deliver a message of advertising, to spare the person (Meta's code 131049).
HELD_BACK = 131049
LONGEST_ANSWER = 1_000


@subscriber("listings_inquiries", "entry_point.touched")
def receive_inquiries(touched: list[Happened]) -> None:
    """Somebody came by a link of a listing: they ask about it."""
    for one in touched:
        if one.facts.type not in SUBJECTS or not one.facts.external_id:
            continue
        listing, talk = Listing.with_external_id(one.facts.external_id), Conversation.find(one.subject_id)
        if listing is not None and talk is not None and not talk.is_group:
            Inquiry.receive(listing, talk.contact, source="link", by=None, conversation=talk)


@subscriber("listings_buttons", "message.received")
def stop_alerts(received: list[Happened]) -> None:
    """The button “Stop alerts” stops the searches of its alert, and says so."""
    ids = [one.subject_id for one in received if one.facts.type == "button"]
    if not ids:
        return
    query = select(Message).where(Message.id.in_(ids), Message.direction == "inbound").order_by(Message.id)
    for message in db.session.scalars(query).unique():
        alert_id = alert_of(message)
        alert = ListingAlert.find(alert_id) if alert_id else None
        talk = Conversation.find(message.conversation_id)
        # A forwarded button is somebody else's.
        if alert is not None and talk is not None and alert.contact_id == talk.contact_id:
            confirm(talk, message, alert.stop_searches(by=None), alert.language)


@reads_messages
def stopping_messages(messages: Sequence[Message]) -> set[uuid.UUID]:
    """Taps on “Stop alerts”, which are answered here."""
    return {one.id for one in messages if one.type == "button" and not one.is_outbound and alert_of(one)}


def alert_of(message: Message) -> uuid.UUID | None:
    """The alert whose button a message is a tap on."""
    return alert_in(text_of(message.raw.get("payload"), 200) or "")


def confirm(talk: Conversation, tapped: Message, searches: list[SavedSearch], language: str) -> None:
    named = ", ".join(search.label_in(language) for search in searches)
    words = in_language(STOPPED, language).format(search=named[:500])
    with suppress(*NOT_SENT):
        talk.reply(words, by=BY, client_id=uuid.uuid5(tapped.id, "alerts stopped"), source="listing_alert")


@subscriber("listings_capped", "message.failed")
def note_caps(failed: list[Happened]) -> None:
    """Whom WhatsApp spares gets no other alert for a while (`matching.CAPPED`)."""
    for one in failed:
        if one.facts.code == HELD_BACK and (alert := ListingAlert.with_message(one.subject_id)):
            alert.settle("capped", "held_back")


@subscriber("listings_replies", "message.queued")
def note_replies(queued: list[Happened]) -> None:
    talks = [one.facts.conversation_id for one in queued if one.actor and one.actor.takes_over]
    if talks:
        mark_answered(talks)


@subscriber("listings_viewings", "appointment.booked", "appointment.cancelled")
def note_viewings(changed: list[Happened]) -> None:
    """One by one, since a viewing that is cancelled and booked again is booked."""
    for one in changed:
        mark = mark_booked if one.kind == "appointment.booked" else mark_unbooked
        mark([one.facts.contact_id])


@subscriber("listings_consents", "consent.changed")
def stop_without_consent(changed: list[Happened]) -> None:
    """Who takes back their consent to marketing gets no more alerts, and none again without being asked."""
    refused = [one for one in changed if one.facts.purpose == "marketing" and not one.facts.is_granted]
    for one in refused:
        for search in db.session.scalars(SavedSearch.of_contact(one.subject_id).where(SavedSearch.state == "active")):
            search.stop(by=one.actor, how="consent")


@subscriber("listings_forms", "flow.completed")
def read_forms(completed: list[Happened]) -> None:
    """A form whose choices are listings is an inquiry about what was chosen; the chosen form is a saved search."""
    settings = ListingSettings.current()
    for one in completed:
        if one.facts.flow_id is None:
            continue
        flow, response = WhatsappFlow.find(one.facts.flow_id), FlowResponse.find(one.subject_id)
        if flow is None or response is None:
            continue
        talk = Conversation.find(response.conversation_id)
        if talk is None:
            continue
        if flow.lookup_source == SOURCE_OF_FORMS:
            for listing in listings_in(response):
                Inquiry.receive(listing, talk.contact, source="form", by=None, conversation=talk)
        if settings.search_flow_id == flow.id:
            search_from(response, talk.contact)


def listings_in(response: FlowResponse) -> Iterator[Listing]:
    """What was chosen in a form: its answer begins with the reference (`form_source.answer`)."""
    for value in response.answers.values():
        reference = value.partition(BETWEEN)[0] if isinstance(value, str) and len(value) < LONGEST_ANSWER else ""
        if reference and (listing := Listing.with_external_id(reference)):
            yield listing
