"""Automations for programs: list them, switch them on and off, read their runs."""

from __future__ import annotations

import uuid
from typing import Any, Self

from pydantic import Field
from sqlalchemy import select

from app.api import Page, PageQuery, Place, Problem, Shape, check_match, current_key, endpoint, problem, scope
from app.api.declaring import Time
from app.api.pages import after, page_of
from app.tenancy import db
from app.words import N_

from .models import RUN_STATES, Automation, AutomationRun, AutomationStep

READ = scope("automations:read", N_("Read automations and what they did"))
WRITE = scope("automations:write", N_("Switch automations on and off"), is_risky=True)
TAG = "Automations"
NOT_PUBLISHED = problem(
    "not_published", 409, "The automation is not published", N_("Publish it on its page first, then switch it on.")
)
TEAM_KEY = problem(
    "business_key_needed", 403, "A key of a team can't do this", N_("Use a key of the whole business instead.")
)


class AutomationShape(Shape):
    """A rule or a flow. `trigger` is what it begins with."""

    id: uuid.UUID
    name: str
    is_on: bool
    trigger: str = Field(description="Of the published version; empty before the first.", examples=["keyword"])
    version: int = Field(description="The number of the published version; 0 before the first.")
    position: int = Field(description="The smaller is tried first.")
    stops: bool = Field(description="Whether those after it are left out once it runs.")
    created_at: Time

    @classmethod
    def of(cls, one: Automation) -> Self:
        return cls(
            id=one.id,
            name=one.name,
            is_on=one.is_on,
            trigger=one.trigger_kind,
            version=one.version_number,
            position=one.position,
            stops=one.stops,
            created_at=one.created_at,
        )


class AutomationStepShape(Shape):
    """What one step did. `seen` is what it went by."""

    step_id: uuid.UUID
    kind: str = Field(examples=["reply"])
    result: str = Field(examples=["sent"])
    seen: dict[str, Any]
    at: Time

    @classmethod
    def of(cls, one: AutomationStep) -> Self:
        return cls(step_id=one.step_id, kind=one.kind, result=one.result, seen=one.seen, at=one.at)


class AutomationRunShape(Shape):
    """One automation at work in one conversation. `reason` says why it ended, where not at its last step."""

    id: uuid.UUID
    automation_id: uuid.UUID
    conversation_id: uuid.UUID
    state: str = Field(description=f"One of: {', '.join(RUN_STATES)}.", examples=["done"])
    reason: str = Field(examples=["with_person"])
    started_at: Time
    ended_at: Time | None
    steps: list[AutomationStepShape] | None = Field(None, description="Of a single run.")

    @classmethod
    def of(cls, one: AutomationRun, steps: list[AutomationStep] | None = None) -> Self:
        return cls(
            id=one.id,
            automation_id=one.automation_id,
            conversation_id=one.conversation_id,
            state=one.state,
            reason=one.reason,
            started_at=one.started_at,
            ended_at=one.ended_at,
            steps=None if steps is None else [AutomationStepShape.of(step) for step in steps],
        )


class AutomationChange(Shape):
    is_on: bool


class RunsQuery(PageQuery):
    automation_id: uuid.UUID | None = Field(None, alias="filter[automation_id]")
    conversation_id: uuid.UUID | None = Field(None, alias="filter[conversation_id]")


def refuse_teams() -> None:
    """Automations are the whole business's. Raises a `Problem` for a key of a team."""
    if current_key().kind == "team":
        raise Problem(TEAM_KEY)


@endpoint(
    "GET", "/automations", scope=READ, query=PageQuery, gives=Page[AutomationShape], tag=TAG, problems=(TEAM_KEY,)
)
def list_automations(query: PageQuery) -> Page[AutomationShape]:
    """List the automations.

    The newest first.
    """
    refuse_teams()
    rows = after(select(Automation).where(Automation.removed_at.is_(None)), query.after, Automation.id)
    results = db.session.scalars(rows.limit(query.limit + 1))
    return page_of(results, query.limit, AutomationShape.of, lambda one: Place(one.id))


@endpoint("GET", "/automations/<uuid:automation_id>", scope=READ, gives=AutomationShape, tag=TAG, problems=(TEAM_KEY,))
def get_automation(automation_id: uuid.UUID) -> AutomationShape:
    """Get an automation."""
    refuse_teams()
    return AutomationShape.of(Automation.get_or_404(automation_id))


@endpoint(
    "PATCH",
    "/automations/<uuid:automation_id>",
    scope=WRITE,
    body=AutomationChange,
    gives=AutomationShape,
    tag=TAG,
    problems=(NOT_PUBLISHED, TEAM_KEY),
)
def update_automation(automation_id: uuid.UUID, body: AutomationChange) -> AutomationShape:
    """Switch an automation on or off.

    What runs already goes on.
    """
    refuse_teams()
    automation = Automation.get_or_404(automation_id).refresh_locked()
    check_match(AutomationShape.of(automation))
    automation.switch(is_on=body.is_on)
    if body.is_on and not automation.is_on:
        raise Problem(NOT_PUBLISHED)
    return AutomationShape.of(automation)


@endpoint(
    "GET",
    "/automation-runs",
    scope=READ,
    query=RunsQuery,
    gives=Page[AutomationRunShape],
    tag=TAG,
    problems=(TEAM_KEY,),
)
def list_automation_runs(query: RunsQuery) -> Page[AutomationRunShape]:
    """List what automations did.

    The newest first.
    """
    refuse_teams()
    rows = select(AutomationRun)
    if query.automation_id:
        rows = rows.where(AutomationRun.automation_id == query.automation_id)
    if query.conversation_id:
        rows = rows.where(AutomationRun.conversation_id == query.conversation_id)
    results = db.session.scalars(after(rows, query.after, AutomationRun.id).limit(query.limit + 1))
    return page_of(results, query.limit, AutomationRunShape.of, lambda one: Place(one.id))


@endpoint("GET", "/automation-runs/<uuid:run_id>", scope=READ, gives=AutomationRunShape, tag=TAG, problems=(TEAM_KEY,))
def get_automation_run(run_id: uuid.UUID) -> AutomationRunShape:
    """Get a run with its steps."""
    refuse_teams()
    run = AutomationRun.get_or_404(run_id)
    return AutomationRunShape.of(run, run.steps)
