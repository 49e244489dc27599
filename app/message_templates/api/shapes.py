"""Templates as the API shows them. Outgoing webhooks carry the same."""

from __future__ import annotations

import uuid
from typing import Any, Self

from flask_babel import gettext as _
from pydantic import ConfigDict, Field, RootModel

from app.api import Shape
from app.api.declaring import Time
from app.billing.terms import Estimate
from app.message_templates.figures import Totals
from app.message_templates.models import MessageTemplate
from app.message_templates.versions import TemplateVersion
from app.meta import template_statuses as words
from app.meta.message_templates import MOST_CHARACTERS, Template
from app.meta.payload import bounded
from app.meta.template_problems import Problem

MOST_PROBLEMS = 50


class RejectionShape(Shape):
    """Why Meta does not allow it. `reason` is Meta's word; `part` the part it is about, where Meta says so."""

    reason: str
    title: str
    fix: str
    part: str
    quotes: list[str] = Field(description="Meta's own words.")

    @classmethod
    def of(cls, facts: dict[str, Any] | None, category: str) -> Self:
        title, fix = words.reason_words(facts, category)
        reason = str((facts or {}).get("reason") or "")
        part, quotes = words.part_of(facts), words.quotes(facts)
        return cls(reason=reason, title=_(title), fix=_(fix), part=part, quotes=quotes)


class DraftProblem(Shape):
    """What Meta would refuse in it, or may refuse (`is_warning`)."""

    code: str
    detail: str
    is_warning: bool

    @classmethod
    def of(cls, problem: Problem) -> Self:
        return cls(code=problem.kind, detail=problem.explain(_), is_warning=problem.is_warning)


class DraftShape(Shape):
    """The text that is being worked on.

    `state` is draft, awaiting (an owner of the business is to approve it first) or submitting.
    """

    state: str
    category: str
    parameter_format: str
    components: list[Any]
    validity_seconds: int | None
    edited_at: Time
    note: str = Field(description="What an owner wrote when sending it back.")
    problems: list[DraftProblem]
    error: dict[str, str] | None = Field(description="Why Meta did not take it: `title` and `fix`.")

    @classmethod
    def of(cls, template: MessageTemplate) -> Self | None:
        if (version := TemplateVersion.open_of(template.id)) is None:
            return None
        error = version.error
        return cls(
            state=version.state,
            category=version.category,
            parameter_format=version.parameter_format,
            components=bounded(version.components, MOST_CHARACTERS),
            validity_seconds=version.ttl_seconds,
            edited_at=version.edited_at,
            note=version.note,
            problems=[DraftProblem.of(one) for one in template.problems(version)[:MOST_PROBLEMS]],
            error={name: _(str(error.get(name) or "")) for name in ("title", "fix")} if error else None,
        )


class TemplateSummary(Shape):
    """A template in one language. `status` is Meta's word, or DRAFT where Meta has not seen it yet."""

    id: uuid.UUID
    meta_id: str | None
    waba_id: uuid.UUID
    name: str
    language: str
    category: str
    status: str
    status_at: Time | None
    quality: str | None = Field(description="GREEN, YELLOW or RED; null where Meta has not rated it.")
    is_sendable: bool
    is_hidden: bool = Field(description="Whether agents are not offered it.")
    folder: str
    created_at: Time

    @classmethod
    def of(cls, one: MessageTemplate) -> Self:
        return cls(**summary(one))


def summary(one: MessageTemplate) -> dict[str, Any]:
    return {
        "id": one.id,
        "meta_id": one.meta_id,
        "waba_id": one.waba_id,
        "name": one.name,
        "language": one.language,
        "category": one.category,
        "status": one.status,
        "status_at": one.status_at,
        "quality": one.quality_score,
        "is_sendable": one.is_sendable,
        "is_hidden": one.is_hidden,
        "folder": one.folder,
        "created_at": one.created_at,
    }


class TemplateShape(TemplateSummary):
    """With its parts as Meta has them, and the draft of what Meta does not have yet."""

    status_title: str
    status_advice: str
    rejection: RejectionShape | None
    next_category: str | None = Field(description="What Meta is going to make of the category.")
    previous_category: str | None
    parameter_format: str
    components: list[Any] = Field(description="As Meta has them; empty while Meta has none.")
    validity_seconds: int | None
    file_kind: str | None = Field(description="The kind of file it begins with: image, video or document.")
    draft: DraftShape | None

    @classmethod
    def of(cls, one: MessageTemplate) -> Self:
        status = words.status_words(one.status)
        return cls(
            **summary(one),
            status_title=_(status.name),
            status_advice=_(status.next) if status.next else "",
            rejection=RejectionShape.of(one.status_facts, one.category) if one.status == "REJECTED" else None,
            next_category=one.correct_category,
            previous_category=one.previous_category,
            parameter_format=one.parameter_format,
            components=bounded(one.components, MOST_CHARACTERS),
            validity_seconds=one.ttl_seconds,
            file_kind=newest(one).file_kind,
            draft=DraftShape.of(one),
        )


def newest(one: MessageTemplate) -> Template:
    """What Meta has; of a template that Meta does not have yet, what is written."""
    version = TemplateVersion.open_of(one.id) if one.is_draft else None
    return version.definition(one.name, one.language) if version else one.definition


class TemplateSchema(RootModel[dict[str, Any]]):
    """A JSON Schema (draft 2020-12) of the `variables` of a message with this template."""

    model_config = ConfigDict(hide_input_in_errors=True)


class PriceShape(Shape):
    """What a message would cost now, by Meta's list. `micros` is null where that is not known."""

    micros: int | None
    charged_micros: int | None = Field(description="With the mark-up of your plan; null without a plan.")
    currency: str | None
    category: str
    market: str | None
    text: str

    @classmethod
    def of(cls, estimate: Estimate) -> Self:
        quote, money, charged = estimate.quote, estimate.quote.money, estimate.charged
        return cls(
            micros=0 if estimate.free else money.micros if money else None,
            charged_micros=charged.micros if charged and not estimate.free else 0 if charged else None,
            currency=money.currency if money else None,
            category=quote.category,
            market=quote.market,
            text=estimate.words,
        )


class ButtonShape(Shape):
    title: str
    url: str


class OfferShape(Shape):
    text: str
    expires: int | None = Field(description="Milliseconds since 1970.")


class CardShape(Shape):
    kind: str
    body: str
    buttons: list[ButtonShape]


class PreviewShape(Shape):
    """What the customer would see. A variable that is not filled in stays as it is written."""

    header: str
    body: str
    footer: str
    buttons: list[ButtonShape]
    cards: list[CardShape]
    location: dict[str, str] | None
    offer: OfferShape | None
    file_kind: str | None
    missing: list[str] = Field(description="Variables that have to be filled in.")
    price: PriceShape | None = Field(description="With `phone` or `country`.")


class FiguresShape(Shape):
    """What Meta counted. `clicked` is by the label of the button."""

    days: int
    sent: int
    delivered: int
    read: int
    clicked: dict[str, int]

    @classmethod
    def of(cls, totals: Totals, days: int) -> Self:
        return cls(days=days, sent=totals.sent, delivered=totals.delivered, read=totals.read, clicked=totals.clicked)
