"""Templates for programs: list and get, the schema of their variables, previews, figures."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal

from flask_babel import gettext as _
from pydantic import Field, model_validator
from sqlalchemy import select
from sqlalchemy.orm import defer

from app.api import Fault, Page, PageQuery, Place, Problem, Shape, endpoint, scope
from app.api.pages import after, page_of
from app.billing.balances import Balance
from app.billing.terms import Terms
from app.contacts import countries
from app.message_templates.figures import TemplateFigures, Totals
from app.message_templates.models import GONE, MessageTemplate
from app.meta import written_numbers
from app.meta.message_templates import Template
from app.meta.outgoing.kinds import Refused
from app.meta.template_schema import keys_of, name_of, schema_of
from app.meta.written_numbers import NotRead
from app.tenancy import db, now
from app.wabas.models import PhoneNumber, Waba
from app.words import N_

from . import reach
from .shapes import (
    ButtonShape,
    CardShape,
    FiguresShape,
    OfferShape,
    PreviewShape,
    PriceShape,
    TemplateSchema,
    TemplateShape,
    TemplateSummary,
    newest,
)

READ = scope("templates:read", N_("Read templates and preview them"))
WRITE = scope("templates:write", N_("Write, submit and delete templates"))
TAG = "Templates"
DAYS = 30
Status = Annotated[str, Field(max_length=40)]


class TemplatesQuery(PageQuery):
    waba_id: uuid.UUID | None = Field(None, alias="filter[waba_id]")
    phone_number_id: uuid.UUID | None = Field(
        None, alias="filter[phone_number_id]", description="Those that this number can send."
    )
    status: list[Status] | None = Field(
        None, alias="filter[status]", max_length=20, description="Deleted ones are left out unless you ask for them."
    )
    category: Literal["MARKETING", "UTILITY", "AUTHENTICATION"] | None = Field(None, alias="filter[category]")
    language: Annotated[str, Field(max_length=20)] | None = Field(None, alias="filter[language]")
    name: Annotated[str, Field(max_length=512)] | None = Field(
        None, alias="filter[name]", description="The beginning of the name."
    )


@endpoint("GET", "/templates", scope=READ, query=TemplatesQuery, gives=Page[TemplateSummary], tag=TAG)
def list_templates(query: TemplatesQuery) -> Page[TemplateSummary]:
    """List templates.

    One for each name, language and account, newest first. Their parts are in each template.
    """
    rows = MessageTemplate.listed().where(reach.reached(MessageTemplate.waba_id))
    for column, value in (
        (MessageTemplate.waba_id, query.waba_id),
        (MessageTemplate.category, query.category),
        (MessageTemplate.language, query.language),
    ):
        rows = rows.where(column == value) if value is not None else rows
    if query.phone_number_id:
        account = select(PhoneNumber.waba_id).where(PhoneNumber.id == query.phone_number_id)
        rows = rows.where(MessageTemplate.waba_id.in_(account))
    rows = rows.where(MessageTemplate.status.in_(query.status) if query.status else MessageTemplate.status != GONE)
    if query.name:
        rows = rows.where(MessageTemplate.name.startswith(query.name, autoescape=True))
    rows = after(rows, query.after, MessageTemplate.id).options(defer(MessageTemplate.components))
    results = db.session.scalars(rows.limit(query.limit + 1))
    return page_of(results, query.limit, TemplateSummary.of, lambda one: Place(one.id))


@endpoint("GET", "/templates/<uuid:template_id>", scope=READ, gives=TemplateShape, tag=TAG)
def get_template(template_id: uuid.UUID) -> TemplateShape:
    """Get a template.

    With its parts as Meta writes them, why Meta rejected it, and the draft that is being worked on.
    """
    return TemplateShape.of(reach.find_template(template_id))


@endpoint("GET", "/templates/<uuid:template_id>/schema", scope=READ, gives=TemplateSchema, tag=TAG)
def get_template_schema(template_id: uuid.UUID) -> TemplateSchema:
    """Get the JSON Schema of a template's variables.

    It describes `template.variables` of a message, so that forms can be built and values mapped.
    """
    return TemplateSchema(schema_of(newest(reach.find_template(template_id))))


@endpoint("GET", "/templates/<uuid:template_id>/figures", scope=READ, gives=FiguresShape, tag=TAG)
def get_template_figures(template_id: uuid.UUID) -> FiguresShape:
    """Get what Meta counted of a template in the last 30 days."""
    template, today = reach.find_template(template_id), now().date()
    days = TemplateFigures.between(template.id, today - dt.timedelta(days=DAYS), today)
    return FiguresShape.of(Totals.of(days), DAYS)


Value = Annotated[str, Field(max_length=4096)]


class PreviewRequest(Shape):
    """With what to fill it in, and for whom a price is estimated."""

    variables: dict[Annotated[str, Field(max_length=100)], Value] = Field(default_factory=dict, max_length=100)
    phone: Annotated[str, Field(max_length=40)] | None = Field(None, description="The recipient's number.")
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = Field(
        None, description="The recipient's country (ISO 3166), instead of a number."
    )

    @model_validator(mode="after")
    def check_one(self) -> PreviewRequest:
        if self.phone and self.country:
            raise ValueError("Give phone or country, not both.")
        return self


@endpoint(
    "POST",
    "/templates/<uuid:template_id>/preview",
    scope=READ,
    body=PreviewRequest,
    gives=PreviewShape,
    tag=TAG,
)
def preview_template(template_id: uuid.UUID, body: PreviewRequest) -> PreviewShape:
    """Preview a template with its variables filled in.

    Nothing is sent. With the recipient's number or country it also estimates the price outside the reply window.
    """
    template = reach.find_template(template_id)
    definition = newest(template)
    try:
        values = keys_of(definition, body.variables)
    except Refused as error:
        key = str(error.facts.get("key")).replace("~", "~0").replace("/", "~1")
        fault = Fault("unknown_variable", error.explain(_), pointer=f"/variables/{key}")
        raise Problem("invalid_request", errors=[fault]) from None
    shown = definition.shown(values)
    missing = [name_of(one) for one in definition.variables if not values.get(one.key, "").strip()]
    return PreviewShape(
        header=shown["header"],
        body=shown["body"],
        footer=shown["footer"],
        buttons=[ButtonShape(**button) for button in shown["buttons"]],
        cards=[card_of(card) for card in shown.get("cards", ())],
        location=shown.get("location"),
        offer=OfferShape(**shown["offer"]) if "offer" in shown else None,
        file_kind=definition.file_kind,
        missing=missing,
        price=price_of(template, definition, body),
    )


def card_of(shown: dict[str, object]) -> CardShape:
    buttons = [ButtonShape.model_validate(button) for button in shown["buttons"]]  # type: ignore[attr-defined]
    return CardShape(kind=str(shown["kind"]), body=str(shown["body"]), buttons=buttons)


def price_of(template: MessageTemplate, definition: Template, body: PreviewRequest) -> PriceShape | None:
    if not (body.phone or body.country):
        return None
    waba = Waba.get_or_404(template.waba_id)
    terms = Terms(waba.currency, number_of(body), plan=Balance.plan_now(), zone=waba.zone)
    return PriceShape.of(terms.price_of(definition.category, now()))


def number_of(body: PreviewRequest) -> str:
    """The number, or one of that country, by which Meta's market is found."""
    if body.country:
        if number := countries.example_of(body.country):
            return number
        fault = Fault("unknown_country", "There is no such country in ISO 3166.", pointer="/country")
        raise Problem("invalid_request", errors=[fault])
    try:
        return written_numbers.read(body.phone or "", "")
    except NotRead as error:
        fault = Fault("invalid_phone_number", error.explain(_), pointer="/phone")
        raise Problem("invalid_request", errors=[fault]) from None
