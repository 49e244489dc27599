"""Forms and their responses, for programs."""

from __future__ import annotations

import uuid

from pydantic import Field
from sqlalchemy import Select, select
from sqlalchemy.orm import selectinload
from werkzeug.exceptions import NotFound

from app.api import Page, PageQuery, Place, endpoint, scope
from app.api.declaring import AddressTime
from app.api.pages import after, page_of
from app.inbox.api import reach
from app.inbox.conversations import Conversation
from app.message_templates.api.reach import reached as reached_account
from app.tenancy import db
from app.whatsapp_flows.models import WhatsappFlow
from app.whatsapp_flows.responses import FlowResponse
from app.words import N_

from .shapes import FlowResponseShape, FlowShape

READ = scope("flows:read", N_("Read forms (WhatsApp Flows) and their responses"))
TAG = "Flows"


class FlowsQuery(PageQuery):
    waba_id: uuid.UUID | None = Field(None, alias="filter[waba_id]")


@endpoint("GET", "/flows", scope=READ, query=FlowsQuery, gives=Page[FlowShape], tag=TAG)
def list_flows(query: FlowsQuery) -> Page[FlowShape]:
    """List forms.

    WhatsApp Flows, newest first: those made here and those made in WhatsApp Manager.
    """
    rows = flows()
    if query.waba_id:
        rows = rows.where(WhatsappFlow.waba_id == query.waba_id)
    rows = after(rows, query.after, WhatsappFlow.id).options(selectinload(WhatsappFlow.versions))
    return page_of(
        db.session.scalars(rows.limit(query.limit + 1)), query.limit, FlowShape.of, lambda one: Place(one.id)
    )


@endpoint("GET", "/flows/<uuid:flow_id>", scope=READ, gives=FlowShape, tag=TAG)
def get_flow(flow_id: uuid.UUID) -> FlowShape:
    """Get a form."""
    flow = db.session.scalar(flows().where(WhatsappFlow.id == flow_id))
    if flow is None:
        raise NotFound
    return FlowShape.of(flow)


class ResponsesQuery(PageQuery):
    flow_id: uuid.UUID | None = Field(None, alias="filter[flow_id]")
    contact_id: uuid.UUID | None = Field(None, alias="filter[contact_id]")
    since: AddressTime | None = Field(None, alias="filter[since]", description="Received at this time or later.")


@endpoint("GET", "/flow-responses", scope=READ, query=ResponsesQuery, gives=Page[FlowResponseShape], tag=TAG)
def list_flow_responses(query: ResponsesQuery) -> Page[FlowResponseShape]:
    """List responses to forms.

    Newest first.
    """
    rows = responses()
    if query.flow_id:
        rows = rows.where(FlowResponse.flow_id == query.flow_id)
    if query.contact_id:
        rows = rows.where(FlowResponse.contact_id == query.contact_id)
    if query.since:
        rows = rows.where(FlowResponse.at >= query.since)
    rows = after(rows, query.after, FlowResponse.id)
    rows = rows.options(selectinload(FlowResponse.flow), selectinload(FlowResponse.version))
    results = db.session.scalars(rows.limit(query.limit + 1))
    return page_of(results, query.limit, FlowResponseShape.of, lambda one: Place(one.id))


@endpoint("GET", "/flow-responses/<uuid:response_id>", scope=READ, gives=FlowResponseShape, tag=TAG)
def get_flow_response(response_id: uuid.UUID) -> FlowResponseShape:
    """Get a response to a form."""
    response = db.session.scalar(responses().where(FlowResponse.id == response_id))
    if response is None:
        raise NotFound
    return FlowResponseShape.of(response)


def flows() -> Select[WhatsappFlow]:
    """Those of the accounts that the key reaches."""
    return select(WhatsappFlow).where(WhatsappFlow.is_archived.is_(False), reached_account(WhatsappFlow.waba_id))


def responses() -> Select[FlowResponse]:
    """Those on the numbers that the key reaches."""
    talks = select(Conversation.id).where(reach.reached(Conversation.phone_number_id))
    return select(FlowResponse).where(FlowResponse.conversation_id.in_(talks))
