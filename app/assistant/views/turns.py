"""What the assistant did and why, what people say of it, and the questions that it could not answer."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.assistant.blueprint import bp
from app.assistant.golden import GoldenCase
from app.assistant.turns import ACTIONS, STATES, VERDICTS, AssistantTurn
from app.assistant.unanswered import UnansweredQuestion
from app.assistant.words import PROBLEMS, REASONS
from app.assistant.words import STATES as STATE_WORDS
from app.inbox.conversations import Message
from app.tenancy import Paged, as_uuid, current_actor, db, requires

PAGE = 50


@bp.get("/decisions")
@requires("assistant.manage")
def turns() -> str:
    query, state = AssistantTurn.newest_first(), request.args.get("state", "")
    if state in STATES:
        query = query.where(AssistantTurn.state == state)
    if before := request.args.get("before", type=as_uuid):
        query = query.where(AssistantTurn.id < before)
    rows = db.session.scalars(query.limit(PAGE + 1)).all()
    return render_template(
        "assistant/turns.html",
        rows=rows[:PAGE],
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        states=STATE_WORDS,
        chosen=state if state in STATES else "",
        reasons=REASONS,
        figures=AssistantTurn.figures(),
    )


@bp.get("/decisions/<uuid:turn_id>")
@requires("inbox.read")
def turn(turn_id: uuid.UUID) -> str:
    """Why: for everybody who can read the conversation."""
    one = AssistantTurn.get_or_404(turn_id)
    return render_template("assistant/turn.html", turn=one, states=STATE_WORDS, reasons=REASONS, problems=PROBLEMS)


@bp.get("/messages/<uuid:message_id>")
@requires("inbox.read")
def why(message_id: uuid.UUID) -> AnyResponse | str:
    """The decision behind a message of the assistant."""
    message = Message.get_or_404(message_id)
    if one := AssistantTurn.of_message(message.id):
        return redirect(url_for(".turn", turn_id=one.id), 303)
    return render_template("assistant/no_turn.html", message=message)


@bp.post("/decisions/<uuid:turn_id>/verdict")
@requires("inbox.reply")
def judge(turn_id: uuid.UUID) -> AnyResponse:
    one = AssistantTurn.get_or_404(turn_id)
    verdict = request.form.get("verdict")
    one.judge(verdict if verdict in VERDICTS else None, by=current_actor())
    flash(_("Saved."))
    return redirect(url_for(".turn", turn_id=one.id), 303)


@bp.post("/decisions/<uuid:turn_id>/golden")
@requires("assistant.manage")
def save_as_golden(turn_id: uuid.UUID) -> AnyResponse:
    """A decision that was right becomes a golden conversation."""
    one = AssistantTurn.get_or_404(turn_id)
    transcript = [{"from": "customer", "text": line[:1_000]} for line in one.question.splitlines()[-5:] if line]
    case = GoldenCase.add(
        one.question[:100] or "…", transcript, one.action if one.action in ACTIONS else "answer", [], []
    )
    flash(_("Added. Enter what the answer has to contain."))
    return redirect(url_for(".golden_case", golden_case_id=case.id), 303)


@bp.get("/questions")
@requires("assistant.manage")
def unanswered() -> str:
    page = Paged.of(UnansweredQuestion.most_frequent(), PAGE)
    return render_template("assistant/unanswered.html", page=page)


@bp.post("/questions/<uuid:unanswered_id>/dismissal")
@requires("assistant.manage")
def dismiss_question(unanswered_id: uuid.UUID) -> AnyResponse:
    UnansweredQuestion.get_or_404(unanswered_id).state = "dismissed"
    flash(_("Dismissed."))
    return redirect(url_for(".unanswered"), 303)
