"""The records by their stages, as a list that can be searched, and the stages themselves."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.records import search
from app.records.blueprint import bp
from app.records.forms import StagesForm
from app.records.models import LONGEST_OWNER, Record
from app.records.pipeline import Pipeline, counts_by_type, owners_of
from app.records.stages import LONGEST_STAGE, OUTCOMES, TYPE_NAMES, TYPES, RecordStage, key_of
from app.tenancy import in_menu, requires
from app.tenancy.guard import is_fragment
from app.tenancy.paging import Paged
from app.words import N_

PAGE = 50
Answer = str | tuple[str, int] | AnyResponse


@bp.get("/")
@in_menu("records", N_("Pipeline"), "square-kanban", order=30)
@requires("records.view")
def index() -> str:
    counts = counts_by_type()
    type = wanted_type(counts)
    owner = request.args.get("owner", "")[:LONGEST_OWNER]
    context: dict[str, Any] = {"pipeline": Pipeline.of(type, owner), "type": type, "owner": owner}
    if is_fragment():
        return render_template("records/_board.html", **context)
    return render_template(
        "records/index.html", **context, types=TYPES, counts=counts, owners=owners_of(type), outcomes=OUTCOMES
    )


def wanted_type(counts: dict[str, int]) -> str:
    """The one in the address, else the first that has records."""
    if (type := request.args.get("type", "")) in TYPES:
        return type
    return next((type for type in TYPES if counts.get(type)), "deal")


@bp.get("/list")
@requires("records.view")
def listing() -> str:
    """What the words of a search match, or one stage of a type, the last changed first."""
    words = request.args.get("q", "")[: search.LONGEST_QUERY].strip()
    type, stage = request.args.get("type", ""), request.args.get("stage")
    query = select(Record).order_by(Record.staged_at.desc(), Record.id.desc())
    if type in TYPES:
        query = query.where(Record.type == type)
        if stage is not None:
            query = query.where(Record.stage_key == key_of(stage[:LONGEST_STAGE]))
    if (ids := search.matching(words)) is not None:
        query = query.where(Record.id.in_(ids))
    arguments = {name: value for name in ("q", "type", "stage") if (value := request.args.get(name)) is not None}
    return render_template(
        "records/list.html",
        page=Paged.of(query, PAGE),
        words=words,
        type=type,
        types=TYPES,
        names=TYPE_NAMES,
        arguments=arguments,
    )


@bp.get("/settings")
@requires("records.manage")
def stages() -> str:
    type = wanted_type({})
    by_outcome: dict[str, list[str]] = {outcome: [] for outcome in OUTCOMES}
    for stage in RecordStage.of(type):
        by_outcome[stage.outcome].append(stage.name)
    lines = {outcome: "\n".join(names) for outcome, names in by_outcome.items()}
    return stages_page(StagesForm(formdata=None, data=lines), type)


@bp.post("/settings/<type>")
@requires("records.manage")
def save_stages(type: str) -> Answer:
    form = StagesForm()
    if type not in TYPES:
        return redirect(url_for(".stages"), 303)
    if not form.validate():
        return stages_page(form, type), 422
    RecordStage.define(type, form.stages)
    flash(_("Saved."))
    return redirect(url_for(".stages", type=type), 303)


def stages_page(form: StagesForm, type: str) -> str:
    return render_template("records/stages.html", form=form, type=type, types=TYPES)
