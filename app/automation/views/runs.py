"""What automations did, why others did nothing, and trying them out."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as AnyResponse

from app.automation.blueprint import bp
from app.automation.models import Automation, AutomationRun, AutomationStep, AutomationTrace
from app.automation.parts import Names, Step
from app.automation.rehearsals import replay, try_all
from app.automation.runner import stop
from app.automation.words import (
    REASONS,
    STATES,
    explain_decision,
    explain_outcome,
    explain_result,
    happening_title,
    names_of_automations,
)
from app.inbox.conversations import Conversation, Message
from app.tenancy import as_uuid, current_actor, db, requires

PAGE = 50
# So many of the newest traces are searched for an automation's decisions.
MOST_TRACES = 200
LONGEST_TRIAL = 4_096
MOST_CONVERSATIONS = 20


@bp.get("/<uuid:automation_id>/runs")
@requires("automation.read")
def runs(automation_id: uuid.UUID) -> str:
    automation = Automation.get_or_404(automation_id)
    query = automation.runs.options(joinedload(AutomationRun.conversation).joinedload(Conversation.contact))
    if before := request.args.get("before", type=as_uuid):
        query = query.where(AutomationRun.id < before)
    rows = list(db.session.scalars(query.limit(PAGE + 1)))
    return render_template(
        "automation/runs.html",
        automation=automation,
        runs=rows[:PAGE],
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        decisions=decisions_of(automation),
        states=STATES,
        reasons=REASONS,
    )


def decisions_of(automation: Automation) -> list[tuple[AutomationTrace, str]]:
    """Why it did not begin lately, by the newest traces of the business."""
    names, results = Names(), []
    for trace in db.session.scalars(select(AutomationTrace).order_by(AutomationTrace.id.desc()).limit(MOST_TRACES)):
        mine = [one for one in trace.decisions if one.get("automation") == str(automation.id)]
        results += [(trace, explain_decision(one, names)) for one in mine if one["why"] not in ("begun", "reply")]
    return results[:PAGE]


@bp.get("/runs/<uuid:run_id>")
@requires("automation.read")
def run(run_id: uuid.UUID) -> str:
    results, names = AutomationRun.get_or_404(run_id), Names()
    definition = results.version.definition
    sentences = {str(one.step.id): one.step.sentence(names) for one in definition.walk()}
    steps = [(step, sentences.get(str(step.step_id), ""), explain_result(step, names)) for step in results.steps]
    waiting = definition.find(results.step_id) if results.step_id else None
    return render_template(
        "automation/run.html",
        run=results,
        trigger=definition.trigger.sentence(names),
        steps=steps,
        messages=messages_of([step for step, *_rest in steps]),
        at_step=waiting.step.sentence(names) if waiting else "",
        states=STATES,
        reasons=REASONS,
    )


def messages_of(steps: list[AutomationStep]) -> dict[str, Message]:
    """What the steps sent, by id."""
    ids = [id for step in steps if (id := as_uuid(step.seen.get("message")))]
    results = select(Message).where(Message.id.in_(ids))
    return {str(message.id): message for message in db.session.scalars(results)} if ids else {}


@bp.post("/runs/<uuid:run_id>/stopping")
@requires("inbox.reply")
def stop_run(run_id: uuid.UUID) -> AnyResponse:
    stop(AutomationRun.get_or_404(run_id), by=current_actor())
    flash(_("Stopped."))
    return redirect(url_for(".run", run_id=run_id), 303)


@bp.get("/conversations/<uuid:conversation_id>")
@requires("automation.read")
def conversation(conversation_id: uuid.UUID) -> str:
    """What automations did and did not do in a conversation."""
    talk, names = Conversation.get_or_404(conversation_id), Names()
    traced = select(AutomationTrace).where(AutomationTrace.conversation_id == talk.id)
    traces = db.session.scalars(traced.order_by(AutomationTrace.id.desc()).limit(PAGE)).all()
    mine = AutomationRun.newest_first().where(AutomationRun.conversation_id == talk.id)
    return render_template(
        "automation/conversation.html",
        conversation=talk,
        runs=db.session.scalars(mine.options(joinedload(AutomationRun.automation)).limit(PAGE)).all(),
        traces=[(trace, explained(trace, names)) for trace in traces],
        messages={one.id: one for one in messages_in(traces)},
        states=STATES,
        reasons=REASONS,
        happening_title=happening_title,
    )


def messages_in(traces: Any) -> list[Message]:
    ids = [trace.message_id for trace in traces if trace.message_id]
    query = select(Message).where(Message.id.in_(ids)).options(*Message.with_all_around_it())
    return list(db.session.scalars(query)) if ids else []


def explained(trace: AutomationTrace, names: Names) -> list[tuple[str, str, dict[str, Any]]]:
    """Each decision of a trace: the automation's name, the sentence, and the decision itself."""
    called = names_of_automations(trace.decisions)
    return [(called.get(str(one.get("automation")), ""), explain_decision(one, names), one) for one in trace.decisions]


@bp.get("/messages/<uuid:message_id>")
@requires("automation.read")
def why(message_id: uuid.UUID) -> str:
    """Why did nothing happen? All automations and one message."""
    message = Message.get_or_404(message_id)
    names = Names()
    traces = AutomationTrace.of_message(message.id, message.conversation_id)
    listed = db.session.scalars(Automation.in_order()).all()
    decided = {str(one.get("automation")) for trace in traces for one in trace.decisions}
    return render_template(
        "automation/why.html",
        message=message,
        conversation=Conversation.get_or_404(message.conversation_id),
        traces=[(trace, explained(trace, names)) for trace in traces],
        others=[one for one in listed if str(one.id) not in decided],
        names=names,
    )


@bp.get("/test")
@requires("automation.read")
def trial() -> str:
    return trial_page()


@bp.post("/test")
@requires("automation.manage")
def run_trial() -> str | tuple[str, int]:
    """What each automation would do with a message, by the same engine, without sending anything."""
    typed = request.form.get("text", "").replace("\x00", "")[:LONGEST_TRIAL]
    talk = Conversation.find(request.form.get("conversation"))
    if talk is None or not typed.strip():
        return trial_page(typed, problem=str(_("Choose a customer and enter a message."))), 422
    chosen = Automation.find(request.form.get("automation"))
    tried = try_all(talk, typed, [(one, one.definition) for one in chosen_ones(chosen)])
    names = Names()
    shown = [
        (
            one,
            explain_decision(one.decision, names),
            [(step.sentence(names), outcome_words(outcome, step)) for step, outcome in one.steps],
        )
        for one in tried
    ]
    return trial_page(typed, talk, chosen, shown)


def chosen_ones(chosen: Automation | None) -> list[Automation]:
    """One draft, or all that are on."""
    if chosen:
        return [chosen]
    return [one for one in db.session.scalars(Automation.in_order()) if one.is_on]


def outcome_words(outcome: Any, step: Step) -> str:
    return explain_outcome(outcome.result, outcome.words, outcome.seen)


def trial_page(
    typed: str = "",
    talk: Conversation | None = None,
    chosen: Automation | None = None,
    tried: Any = None,
    problem: str = "",
) -> str:
    chosen = chosen or Automation.find(request.args.get("automation"))
    talks = db.session.scalars(
        Conversation.newest_first().where(Conversation.is_group.is_(False)).limit(MOST_CONVERSATIONS)
    )
    return render_template(
        "automation/test.html",
        typed=typed,
        talk=talk,
        chosen=chosen,
        automations=db.session.scalars(Automation.in_order()).all(),
        conversations=list(talks),
        tried=tried,
        problem=problem,
    )


@bp.get("/<uuid:automation_id>/replay")
@requires("automation.manage")
def replayed(automation_id: uuid.UUID) -> str:
    """What the draft would have made of the last day's messages."""
    automation, names = Automation.get_or_404(automation_id), Names()
    rows = replay(automation, automation.definition)
    shown = [(message, decision["why"] == "begun", explain_decision(decision, names)) for message, decision in rows]
    return render_template("automation/replay.html", automation=automation, rows=shown)
