"""For agents, beside the composer: a suggested reply, an answer to approve, and help with what they write."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import abort, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.assistant.access import ModelAccess
from app.assistant.answering import approve
from app.assistant.blueprint import bp
from app.assistant.forms import HelpForm
from app.assistant.hand_over import answer_id
from app.assistant.helps import TASKS, help_with
from app.assistant.phrases import LANGUAGES
from app.assistant.turns import AssistantTurn
from app.assistant.words import PROBLEMS, REASONS
from app.inbox.compose.drafts import Draft
from app.inbox.compose.problems import NOT_SENT, explain
from app.inbox.conversations import Conversation
from app.inbox.desk.addresses import back_to
from app.inbox.desk.preferences import DeskPreference
from app.inbox.outbound.replies import hold_replies
from app.tenancy import current_actor, requires

from .overview import Answer


@bp.app_template_global()
def suggestion_in(conversation: Conversation) -> AssistantTurn | None:
    """What the assistant suggests, or waits to have approved, in a conversation."""
    return AssistantTurn.open_in(conversation.id)


@bp.app_template_global()
def has_model() -> bool:
    """Whether agents can be helped with what they write."""
    return ModelAccess.current() is not None


@bp.app_template_global()
def assistant_reason(reason: str) -> str:
    return str(_(REASONS.get(reason, reason)))


@bp.post("/suggestions/<uuid:turn_id>/use")
@requires("inbox.reply")
def use(turn_id: uuid.UUID) -> AnyResponse:
    """Sends a suggestion as the agent's own reply, or an approved answer as the assistant's."""
    turn, conversation = open_or_404(turn_id)
    try:
        if turn.state == "waiting":
            approve(turn, by=current_actor())
        else:
            message = conversation.reply(turn.reply, by=current_actor(), client_id=answer_id(turn))
            hold_replies(conversation, [message], undo=DeskPreference.undo_of(current_user))
            turn.message_id = message.id
            turn.settle("used", by=current_actor())
    except NOT_SENT as problem:
        flash(explain(problem), "error")
    return shown(conversation)


@bp.post("/suggestions/<uuid:turn_id>/edit")
@requires("inbox.reply")
def edit_suggestion(turn_id: uuid.UUID) -> AnyResponse:
    """Puts a suggestion into the composer, as a draft. What is sent in the end says whether it was right."""
    turn, conversation = open_or_404(turn_id)
    Draft.save(conversation, "reply", turn.reply, owner=current_user, age=dt.timedelta())
    turn.state = "suggested"
    return shown(conversation)


@bp.post("/suggestions/<uuid:turn_id>/dismissal")
@requires("inbox.reply")
def dismiss(turn_id: uuid.UUID) -> AnyResponse:
    turn, conversation = open_or_404(turn_id)
    turn.settle("dismissed", by=current_actor())
    return shown(conversation)


def open_or_404(turn_id: uuid.UUID) -> tuple[AssistantTurn, Conversation]:
    """One that no one has decided about yet. Who comes second finds the conversation as it is."""
    turn = AssistantTurn.get_or_404(turn_id).refresh_locked()
    if turn.conversation_id is None:
        abort(404)
    conversation = Conversation.get_or_404(turn.conversation_id)
    if not turn.is_open:
        flash(_("Somebody was faster."), "error")
        abort(shown(conversation))
    return turn, conversation


def shown(conversation: Conversation) -> AnyResponse:
    return redirect(back_to(conversation.id, latest=""), 303)


@bp.get("/help/<uuid:conversation_id>")
@requires("inbox.reply")
def writing_help(conversation_id: uuid.UUID) -> str:
    conversation = Conversation.get_or_404(conversation_id)
    draft = Draft.find_for(conversation, "reply", current_user)
    return help_page(conversation, HelpForm(formdata=None, data={"text": draft.body if draft else ""}))


@bp.post("/help/<uuid:conversation_id>")
@requires("inbox.reply")
def get_help(conversation_id: uuid.UUID) -> Answer:
    """Drafts, shortens, changes the tone, translates or sums up. Nothing is sent, and the original stays there."""
    conversation, form, task = Conversation.get_or_404(conversation_id), HelpForm(), request.form.get("task", "")
    if task == "use":
        Draft.save(conversation, "reply", form.text.data or "", owner=current_user, age=dt.timedelta())
        return shown(conversation)
    if task not in TASKS or not form.validate():
        return help_page(conversation, form), 422
    original = form.text.data or ""
    if task in ("shorten", "tone", "translate") and not original:
        form.text.errors = [_("Write or paste a text first.")]
        return help_page(conversation, form), 422
    helped, problem = help_with(
        conversation, task, original, language=form.language.data or LANGUAGES[0], tone=form.tone.data
    )
    if problem:
        form.text.errors = [_(PROBLEMS.get(problem) or REASONS[problem])]
        return help_page(conversation, form), 422
    if task == "summarise":
        return help_page(conversation, form, summary=helped)
    form.text.data = helped
    return help_page(conversation, form, original=original)


def help_page(conversation: Conversation, form: HelpForm, **more: Any) -> str:
    return render_template(
        "assistant/help.html", conversation=conversation, form=form, has_key=ModelAccess.current() is not None, **more
    )
