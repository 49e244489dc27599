"""An example of each type of event, for the catalogue and for programs that are being set up."""

from __future__ import annotations

import datetime as dt
import json
import types
import typing
import uuid
from typing import Any

from pydantic_core import to_json

from app.api.versions import NEWEST
from app.appointments.api.shapes import AppointmentShape
from app.contacts.api.shapes import ContactShape, TagReference
from app.inbox.api.shapes import ActorShape, ConversationShape, MessageShape, NoteShape
from app.listings.api.shapes import InquiryShape, ListingShape, PriceShape
from app.message_templates.api.shapes import TemplateSummary
from app.payments.api.shapes import ConfirmationShape, PaymentShape
from app.records.api.shapes import RecordShape
from app.subscriptions.api.shapes import SubscriptionSummary
from app.wabas.api import NumberShape, WabaReference
from app.whatsapp_flows.api.shapes import AnswerShape, FlowResponseShape
from app.words import N_

from .event_types import event_types
from .events import public_id

AT = dt.datetime(2026, 11, 29, 9, 30, tzinfo=dt.UTC)
VILLA = "Villa in Dakar"
PAID_FOR, PLAN = "Deposit for villa 14", "Pro listing, 12 months"
WAMID = "wamid.HBgLMTY1MDU1NTEyMzQVAgASGBQzQTdCNTY"


def id_for(what: str) -> uuid.UUID:
    """An id that stays the same from one sample to the next."""
    return uuid.uuid5(uuid.NAMESPACE_URL, what)


SAMPLES: dict[str, Any] = {
    "message": MessageShape(
        id=id_for("message"),
        wamid=WAMID,
        conversation_id=id_for("conversation"),
        phone_number_id=id_for("number"),
        direction="inbound",
        type="text",
        text="Is my bread ready?",
        content=None,
        file=None,
        reactions=[],
        reply_to=None,
        state="received",
        error=None,
        by=None,
        source=None,
        is_test=False,
        occurred_at=AT,
        created_at=AT,
        send_at=None,
    ),
    "conversation": ConversationShape(
        id=id_for("conversation"),
        contact_id=id_for("contact"),
        phone_number_id=id_for("number"),
        is_group=False,
        state="open",
        snoozed_until=None,
        assignee_id=None,
        team_id=None,
        unread_count=1,
        last_message_at=AT,
        last_message_id=id_for("message"),
        handled_by="person",
        subject=None,
        entry_point_id=None,
        waiting_since=AT,
        reply_window_closes_at=AT + dt.timedelta(hours=24),
        created_at=AT,
        contact=None,
        phone_number=None,
    ),
    "contact": ContactShape(
        id=id_for("contact"),
        name="Carla Mendes",
        phone="+16505551234",
        phones=["+16505551234"],
        bsuid=None,
        username=None,
        external_id="crm-1042",
        is_group=False,
        is_erased=False,
        tags=[TagReference(id=id_for("tag"), name="VIP")],
        fields={"City": "Lisbon"},
        created_at=AT,
        last_seen_at=AT,
    ),
    "note": NoteShape(
        id=id_for("note"),
        conversation_id=id_for("conversation"),
        body="Asked for the rye bread.",
        by=ActorShape(kind="agent", id=id_for("agent"), name="Ann"),
        created_at=AT,
    ),
    "number": NumberShape(
        id=id_for("number"),
        meta_id="106540352242922",
        display_number="+1 555 078 3881",
        verified_name="Bakery",
        username="",
        state="connected",
        quality_rating="GREEN",
        messaging_limit="TIER_1K",
        waba=WabaReference(id=id_for("waba"), meta_id="102290129340398", name="Bakery", currency="EUR"),
        connected_at=AT,
        created_at=AT,
    ),
    "template": TemplateSummary(
        id=id_for("template"),
        meta_id="594425479261596",
        waba_id=id_for("waba"),
        name="order_ready",
        language="en",
        category="UTILITY",
        status="APPROVED",
        status_at=AT,
        quality="GREEN",
        is_sendable=True,
        is_hidden=False,
        folder="",
        created_at=AT,
    ),
    "response": FlowResponseShape(
        id=id_for("response"),
        contact_id=id_for("contact"),
        conversation_id=id_for("conversation"),
        message_id=id_for("message"),
        flow_id=id_for("flow"),
        flow_name="Delivery address",
        flow_version=1,
        answers={"full_name": "Carla Mendes", "city": "Lisbon"},
        rows=[AnswerShape.of("Full name", "Carla Mendes"), AnswerShape.of("City", "Lisbon")],
        at=AT,
    ),
    "payment": PaymentShape(
        id=id_for("payment"),
        external_id="invoice-2041",
        contact_id=id_for("contact"),
        amount_micros=500_000_000_000,
        currency="XOF",
        title=PAID_FOR,
        reference="R-2041",
        paid_at=AT,
        status="received",
        received_at=AT,
        confirmation=ConfirmationShape(message_id=id_for("message"), detail=""),
        created_at=AT,
        updated_at=AT,
    ),
    "subscription": SubscriptionSummary(
        id=id_for("subscription"),
        external_id="sub-77",
        contact_id=id_for("contact"),
        title=PLAN,
        ends_on=dt.date(2026, 12, 13),
        ends_at=dt.datetime(2026, 12, 14, tzinfo=dt.UTC),
        zone="Africa/Dakar",
        renews=False,
        price_micros=15_000_000_000,
        currency="XOF",
        status="active",
        created_at=AT,
        updated_at=AT,
    ),
    "listing": ListingShape(
        id=id_for("listing"),
        external_id="DKR-204",
        title=N_("Villa with a garden"),
        kind="sale",
        type="villa",
        city="Dakar",
        district="Almadies",
        price=PriceShape(micros=500_000_000_000, currency="XOF"),
        rooms=5,
        area=240,
        url="https://agency.example/dkr-204",
        picture_url="",
        description=N_("Near the sea."),
        status="available",
        owner_contact_id=id_for("owner"),
        member_id=None,
        attributes={"pool": True},
        source="api",
        listed_at=AT,
        updated_at=AT,
    ),
    "inquiry": InquiryShape(
        id=id_for("inquiry"),
        listing_id=id_for("listing"),
        listing_external_id="DKR-204",
        contact_id=id_for("contact"),
        conversation_id=id_for("conversation"),
        source="link",
        state="new",
        text="",
        times=1,
        owner_notified=True,
        created_at=AT,
        last_at=AT,
    ),
    "appointment": AppointmentShape.model_validate(
        {
            "id": id_for("appointment"),
            "external_id": "viewing-4711",
            "contact_id": id_for("contact"),
            "phone_number_id": id_for("number"),
            "title": "Viewing: Villa Azur",
            "starts_at": AT + dt.timedelta(days=2),
            "time_zone": "Africa/Dakar",
            "minutes": 60,
            "place": "12 Rue des Almadies, Dakar",
            "agent_id": id_for("agent"),
            "state": "booked",
            "version": 1,
            "source": "api",
            "notes": "",
            "calendar_url": "https://switchboard.example/calendar/ImFwcG9pbnRtZW50Ig.ics",
            "created_at": AT,
            "changed_at": AT,
        }
    ),
    "record": RecordShape(
        id=id_for("record"),
        source="agency",
        type="property",
        external_id="villa-17",
        title=VILLA,
        url="https://agency.example/villa-17",
        attributes={"Bedrooms": 4, "Free from": "2027-01-01"},
        stage="Viewing",
        outcome="",
        amount_micros=500_000_000_000,
        currency="XOF",
        owner_name="Awa Diop",
        is_mirrored=False,
        is_stale=False,
        gone_at=None,
        staged_at=AT,
        seen_at=AT,
        updated_at=AT,
        created_at=AT,
    ),
}
# Facts by their name; others by their type.
FACTS = {
    "type": "text",
    "source": "inbox",
    "what": "status",
    "before": "PENDING",
    "after": "APPROVED",
    "value": "GREEN",
    "purpose": "marketing",
    "until": "2026-11-30T09:00:00+00:00",
    "closes_at": "2026-11-29T10:30:00+00:00",
    "why": "answered",
    "starts_at": "2026-12-01T09:30:00+00:00",
    "code": 131026,
    "days": 14,
    "changed": ["price_micros"],
    "stage": "Viewing",
    "stage_before": "New",
}


def sample_of(name: str) -> dict[str, Any]:
    """A whole event of this type, as it would be sent."""
    kind = event_types()[name]
    facts = {field: fact_of(field, info.annotation) for field, info in kind.facts.model_fields.items()}
    data = facts | {"actor": None} | {resource: SAMPLES[resource] for resource in kind.resources}
    event: dict[str, Any] = {"id": public_id(id_for(name)), "type": name, "timestamp": "2026-11-29T09:30:00.000Z"}
    event |= {"api_version": NEWEST} | ({"sequence": 1} if kind.is_of_conversation else {}) | {"data": data}
    return json.loads(to_json(event))  # type: ignore[no-any-return]


def fact_of(name: str, annotation: Any) -> Any:
    wanted = [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        wanted = [one for one in typing.get_args(annotation) if one is not types.NoneType]
    if wanted[0] is uuid.UUID:
        return id_for(name.removesuffix("_id"))
    if wanted[0] is bool:
        return True
    return FACTS.get(name, 1 if wanted[0] is int else name)
