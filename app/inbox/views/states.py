"""A conversation's state and assignment, as agents change them. Each response shows the new state and an undo."""

from __future__ import annotations

import uuid
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.conversations import Conversation
from app.inbox.conversations.assignment import Taken, member_or_none
from app.inbox.desk.addresses import back_to
from app.inbox.desk.blocks import REASONS, Block
from app.inbox.desk.forms import AssignmentForm, StateForm
from app.inbox.desk.read_pointers import ReadPointer
from app.inbox.desk.state_changes import SETTABLE, change_state
from app.team.models import Team
from app.team.models.teams import colleagues
from app.templating import exact
from app.tenancy import current_actor, db, later, now, online, requires
from app.tenancy.guard import is_fragment

Page = AnyResponse | str | tuple[str, int]

STATE_WORDS = {
    "open": lazy_pgettext("of a conversation", "Reopened"),
    "pending": lazy_gettext("Waiting for the customer"),
    "snoozed": lazy_pgettext("of a conversation", "Snoozed"),
    "resolved": lazy_pgettext("of a conversation", "Resolved"),
    "archived": lazy_pgettext("of a conversation", "Archived"),
    "spam": lazy_gettext("Moved to spam"),
    "blocked": lazy_pgettext("of a conversation", "Blocked"),
}


@bp.post("/<uuid:conversation_id>/state")
@requires("inbox.reply")
def put_state(conversation_id: uuid.UUID) -> Page:
    conversation, form = Conversation.get_or_404(conversation_id), StateForm()
    if not form.validate():
        return respond_changed(conversation, form.problem, status=422)
    before, address = undo_state(conversation), url_for("inbox.put_state", conversation_id=conversation.id)
    change_state(conversation, form.state.data, by=current_actor(), until=form.snoozed_until)
    words = STATE_WORDS[form.state.data] if before else _("Unblocked")
    if form.snoozed_until:
        words = _("Snoozed until %(time)s", time=exact(form.snoozed_until))
    return respond_changed(conversation, words, address if before else "", before)


def undo_state(conversation: Conversation) -> dict[str, Any]:
    """The form that brings the present state back; nothing for a block, which needs a reason."""
    if conversation.state not in SETTABLE:
        return {}
    until = conversation.snoozed_until
    return {"state": conversation.state, "until": until.isoformat() if until else ""}


@bp.get("/<uuid:conversation_id>/assignment")
@requires("inbox.reply")
def choose_assignee(conversation_id: uuid.UUID) -> str:
    people = colleagues()
    return render_template(
        "inbox/desk/_assignment.html" if is_fragment() else "inbox/desk/assignment.html",
        conversation=Conversation.get_or_404(conversation_id),
        people=people,
        online=online([person.id for person in people]),
        teams=db.session.scalars(Team.in_order()).all(),
    )


@bp.post("/<uuid:conversation_id>/assignment")
@requires("inbox.reply")
def assign(conversation_id: uuid.UUID) -> Page:
    """Assigns it to a colleague, a team, or both; not where that has changed since the page was loaded."""
    conversation, form = Conversation.get_or_404(conversation_id), AssignmentForm()
    if not form.validate():
        return respond_changed(conversation, form.problem, status=422)
    undo = {"assignee": conversation.assignee_id or "", "team": conversation.team_id or ""}
    try:
        words = form.apply(conversation, by=current_actor())
    except Taken:
        db.session.expire(conversation)
        return respond_changed(conversation, taken_words(conversation), status=409)
    undo |= {"expected": conversation.assignee_id or "", "expected_team": conversation.team_id or ""}
    return respond_changed(conversation, words, url_for("inbox.assign", conversation_id=conversation.id), undo)


def taken_words(conversation: Conversation) -> str:
    if assignee := member_or_none(conversation.assignee_id):
        return str(_("Already assigned to %(name)s. Nothing was changed.", name=assignee.name))
    return str(_("This was reassigned in the meantime. Nothing was changed."))


@bp.post("/<uuid:conversation_id>/block")
@requires("inbox.reply")
def block(conversation_id: uuid.UUID) -> Page:
    conversation = Conversation.get_or_404(conversation_id)
    reason = request.form.get("reason", "")
    if reason not in REASONS:
        abort(422)
    Block.put(conversation, reason, by=current_actor())
    later("desk.sync_block", conversation.id)
    address = url_for("inbox.put_state", conversation_id=conversation.id)
    return respond_changed(conversation, STATE_WORDS["blocked"], address, {"state": "open"})


@bp.post("/<uuid:conversation_id>/automation-pause")
@requires("inbox.reply")
def pause_automation(conversation_id: uuid.UUID) -> Page:
    """Stops all automation in the conversation."""
    conversation = Conversation.get_or_404(conversation_id)
    conversation.pause_automation(by=current_actor())
    undo = url_for("inbox.resume_automation", conversation_id=conversation.id)
    return respond_changed(conversation, _("Automation stopped in this conversation"), undo)


@bp.post("/<uuid:conversation_id>/automation-pause/removal")
@requires("inbox.reply")
def resume_automation(conversation_id: uuid.UUID) -> Page:
    conversation = Conversation.get_or_404(conversation_id)
    conversation.resume_automation(by=current_actor())
    return respond_changed(conversation, _("Automation may answer here again"))


@bp.post("/<uuid:conversation_id>/handling")
@requires("inbox.reply")
def take_over(conversation_id: uuid.UUID) -> Page:
    """A person has it from now on, whoever answered so far."""
    conversation = Conversation.get_or_404(conversation_id)
    conversation.take(by=current_actor())
    return respond_changed(conversation, _("You took over"))


@bp.post("/<uuid:conversation_id>/handling/removal")
@requires("inbox.reply")
def release(conversation_id: uuid.UUID) -> Page:
    """The person is done: automation may answer before the conversation is resolved."""
    conversation = Conversation.get_or_404(conversation_id)
    conversation.release(by=current_actor())
    return respond_changed(conversation, _("Automation may answer here again"))


@bp.post("/<uuid:conversation_id>/unreading")
@requires("inbox.reply")
def unread(conversation_id: uuid.UUID) -> Page:
    """Marks it as unread, for this agent only."""
    conversation = Conversation.get_or_404(conversation_id)
    ReadPointer.move(conversation, g.membership, unread=True)
    return respond_changed(conversation, _("Marked as unread"))


def respond_changed(
    conversation: Conversation,
    words: str,
    undo_address: str = "",
    undo: dict[str, Any] | None = None,
    status: int = 200,
) -> Page:
    """The conversation's header as it is now, and a message with a button that undoes the change."""
    category = "" if status == 200 else "warning"
    if not is_fragment():
        flash(words, category or "message")
        return redirect(back_to(conversation.id), 303)
    db.session.flush()
    toast = {"words": words, "undo_address": undo_address, "undo": undo or {}, "category": category, "at": now()}
    context = toast | head_context(conversation)
    return render_template("inbox/conversations/changed.html", conversation=conversation, **context), status


def head_context(conversation: Conversation) -> dict[str, Any]:
    """What the header shows beside the conversation itself."""
    return {
        "assignee": member_or_none(conversation.assignee_id) if conversation.assignee_id else None,
        "team": Team.find(conversation.team_id) if conversation.team_id else None,
        "block": Block.of(conversation) if conversation.state == "blocked" else None,
    }
