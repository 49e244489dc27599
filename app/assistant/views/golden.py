"""Golden conversations: cases with what is expected, and runs against the draft."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from app.assistant.assistant import Assistant
from app.assistant.blueprint import bp
from app.assistant.forms import GoldenForm, lines_of
from app.assistant.golden import MOST_CASES, GoldenCase, GoldenRun
from app.assistant.words import REASONS
from app.tenancy import db, later, requires

from .overview import Answer


@bp.get("/golden")
@requires("assistant.manage")
def golden() -> str:
    cases = db.session.scalars(GoldenCase.in_order()).all()
    runs = db.session.scalars(GoldenRun.newest_first().limit(20)).all()
    return render_template("assistant/golden.html", cases=cases, runs=runs, most=MOST_CASES)


@bp.get("/golden/new")
@requires("assistant.manage")
def new_golden_case() -> str:
    return render_template("assistant/golden_case.html", form=GoldenForm(formdata=None), case=None)


@bp.post("/golden")
@requires("assistant.manage")
def add_golden_case() -> Answer:
    form = GoldenForm()
    if not form.validate():
        return render_template("assistant/golden_case.html", form=form, case=None), 422
    if db.session.scalars(select(func.count()).select_from(GoldenCase)).one() >= MOST_CASES:
        flash(_("There are %(most)d golden conversations already. Delete some first.", most=MOST_CASES), "error")
        return redirect(url_for(".golden"), 303)
    GoldenCase.add(form.title.data, transcript_of(form), form.action.data, form.must.data, form.must_not.data)
    flash(_("Added."))
    return redirect(url_for(".golden"), 303)


@bp.get("/golden/<uuid:golden_case_id>")
@requires("assistant.manage")
def golden_case(golden_case_id: uuid.UUID) -> str:
    case = GoldenCase.get_or_404(golden_case_id)
    words = "\n".join(str(one["text"]) for one in case.messages if one["from"] == "customer")
    values = {"title": case.title, "words": words, "action": case.action, "must": case.must, "must_not": case.must_not}
    return render_template("assistant/golden_case.html", form=GoldenForm(formdata=None, data=values), case=case)


@bp.post("/golden/<uuid:golden_case_id>")
@requires("assistant.manage")
def save_golden_case(golden_case_id: uuid.UUID) -> Answer:
    case, form = GoldenCase.get_or_404(golden_case_id), GoldenForm()
    if not form.validate():
        return render_template("assistant/golden_case.html", form=form, case=case), 422
    case.title, case.action = form.title.data, form.action.data
    case.messages, case.must, case.must_not = transcript_of(form), form.must.data, form.must_not.data
    flash(_("Saved."))
    return redirect(url_for(".golden"), 303)


@bp.post("/golden/<uuid:golden_case_id>/removal")
@requires("assistant.manage")
def remove_golden_case(golden_case_id: uuid.UUID) -> AnyResponse:
    db.session.delete(GoldenCase.get_or_404(golden_case_id))
    flash(_("Deleted."))
    return redirect(url_for(".golden"), 303)


@bp.post("/golden-runs")
@requires("assistant.manage")
def begin_golden_run() -> AnyResponse:
    """Replays all cases against the newest version, live or not."""
    assistant = Assistant.current()
    version = assistant.draft if assistant else None
    if version is None or not db.session.scalar(GoldenCase.in_order().limit(1)):
        flash(_("Describe the assistant and add a golden conversation first."), "error")
        return redirect(url_for(".golden"), 303)
    run = GoldenRun.begin(version)
    later("assistant.run_golden", run.id)
    return redirect(url_for(".golden_run", golden_run_id=run.id), 303)


@bp.get("/golden-runs/<uuid:golden_run_id>")
@requires("assistant.manage")
def golden_run(golden_run_id: uuid.UUID) -> str:
    run = GoldenRun.get_or_404(golden_run_id)
    previous = run.previous
    return render_template(
        "assistant/golden_run.html",
        run=run,
        previous=previous,
        changes=run.changes_since(previous),
        reasons=REASONS,
        is_refreshing="refresh" in request.args,
    )


def transcript_of(form: GoldenForm) -> list[dict[str, str]]:
    return [{"from": "customer", "text": line} for line in lines_of(form.words.data)]
