"""A conversation's state and whose it is, as agents change them. Each answer says how it now stands, and undoes."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app import zones
from app.inbox.blueprint import bp
from app.inbox.conversations import Conversation
from app.inbox.conversations.assignment import CONVERSATION_STATES, Taken, member_or_none
from app.inbox.desk.blocks import REASONS, Block
from app.inbox.desk.read_pointers import ReadPointer
from app.team.models import Team
from app.team.models.teams import colleagues
from app.templating import exact
from app.tenancy import User, db, later, now, online, requires
from app.tenancy.guard import is_fragment

Answer = AnyResponse | str | tuple[str, int]

DONE = {
    "open": lazy_gettext("Open again"),
    "pending": lazy_gettext("Waiting for the customer"),
    "snoozed": lazy_gettext("Snoozed"),
    "resolved": lazy_gettext("Resolved"),
    "archived": lazy_gettext("Archived"),
    "spam": lazy_gettext("Moved to spam"),
    "blocked": lazy_gettext("Blocked"),
}
# Whoever is blocked is so with a reason (`block`).
PUT = tuple(state for state in CONVERSATION_STATES if state != "blocked")


@bp.post("/<uuid:conversation_id>/state")
@requires("inbox.reply")
def put_state(conversation_id: uuid.UUID) -> Answer:
    conversation = Conversation.get_or_404(conversation_id)
    state = request.form.get("state", "")
    if state not in PUT:
        abort(422)
    try:
        until = snoozed_until() if state == "snoozed" else None
    except zones.SkippedTime as skipped:
        return told(conversation, str(skipped), wrong=True)
    except ValueError:
        return told(conversation, _("Choose a time that is still to come."), wrong=True)
    before = {"state": conversation.state, "until": conversation.snoozed_until or ""}
    if block := Block.of(conversation):
        block.lift(by=current_user)
        later("desk.sync_block", conversation.id)
    conversation.put(state, by=current_user, until=until)
    undo = before if before["state"] in PUT else None
    words = _("Snoozed until %(time)s", time=exact(until)) if until else DONE[state]
    return told(conversation, words, url_for("inbox.put_state", conversation_id=conversation.id), undo)


def snoozed_until() -> dt.datetime | None:
    """Until when, or none: until the customer writes. Raises `ValueError` where that is no time to come."""
    match request.form.get("until", ""):
        case "" | "reply":
            return None
        case "hour":
            return now() + dt.timedelta(hours=1)
        case "later":
            return now() + dt.timedelta(hours=3)
        case "tomorrow":
            return at_nine(1)
        case "week":
            return at_nine(7 - zones.today().weekday())
        case written:
            until = dt.datetime.fromisoformat(written)
            until = zones.moment_at(until, zones.find_zone(request.form.get("zone")) or zones.reader_zone())
            if not now() < until < now() + dt.timedelta(days=3650):
                raise ValueError(written)
            return until


def at_nine(days: int) -> dt.datetime:
    """Nine o'clock by the reader's clock."""
    date = zones.today() + dt.timedelta(days=days)
    return zones.in_utc(dt.datetime.combine(date, dt.time(9), zones.reader_zone()))


@bp.get("/<uuid:conversation_id>/assignment")
@requires("inbox.reply")
def choose_assignee(conversation_id: uuid.UUID) -> str:
    conversation = Conversation.get_or_404(conversation_id)
    people = colleagues()
    context = {
        "conversation": conversation,
        "people": people,
        "online": online([person.id for person in people]),
        "teams": db.session.scalars(Team.in_order()).all(),
    }
    return render_template("inbox/desk/_assignment.html" if is_fragment() else "inbox/desk/assignment.html", **context)


@bp.post("/<uuid:conversation_id>/assignment")
@requires("inbox.reply")
def assign(conversation_id: uuid.UUID) -> Answer:
    """Gives it to somebody (`assignee`: an id, `me`, or nothing for nobody) or to a team, or to both.

    `expected` is whose it was on the page; when that has changed meanwhile, nothing is done and the page says so.
    """
    conversation, form = Conversation.get_or_404(conversation_id), request.form
    before = {"assignee": str(conversation.assignee_id or ""), "team": str(conversation.team_id or "")}
    words = ""
    if "assignee" in form:
        to = current_user if form["assignee"] == "me" else member_or_none(form["assignee"] or None)
        if form["assignee"] and not to:
            abort(404)
        try:
            conversation.give(to, by=current_user, expected=expected_holder(conversation))
        except Taken:
            db.session.expire(conversation)
            return told(conversation, taken_words(conversation), wrong=True)
        words = given_words(to)
    if "team" in form:
        team = Team.get_or_404(form["team"]) if form["team"] else None
        conversation.give_to_team(team, by=current_user)
        words = words or (_("Now with %(team)s", team=team.name) if team else _("With no team"))
    now_with = str(conversation.assignee_id or "")
    address = url_for("inbox.assign", conversation_id=conversation.id)
    return told(conversation, words, address, before | {"expected": now_with})


def expected_holder(conversation: Conversation) -> uuid.UUID | None:
    if "expected" not in request.form:
        return conversation.assignee_id
    try:
        return uuid.UUID(request.form["expected"]) if request.form["expected"] else None
    except ValueError:
        abort(422)


def taken_words(conversation: Conversation) -> str:
    holder = member_or_none(conversation.assignee_id)
    if holder:
        return str(_("%(name)s has it by now. Nothing was changed.", name=holder.name))
    return str(_("It was given back meanwhile. Nothing was changed."))


def given_words(to: User | None) -> str:
    if to is None:
        return str(_("Nobody has it now"))
    return str(_("Yours now") if to.id == current_user.id else _("%(name)s has it now", name=to.name))


@bp.post("/<uuid:conversation_id>/block")
@requires("inbox.reply")
def block(conversation_id: uuid.UUID) -> Answer:
    conversation = Conversation.get_or_404(conversation_id)
    reason = request.form.get("reason", "")
    if reason not in REASONS:
        abort(422)
    Block.put(conversation, reason, by=current_user)
    later("desk.sync_block", conversation.id)
    address = url_for("inbox.put_state", conversation_id=conversation.id)
    return told(conversation, DONE["blocked"], address, {"state": "open"})


@bp.post("/<uuid:conversation_id>/unreading")
@requires("inbox.reply")
def unread(conversation_id: uuid.UUID) -> Answer:
    """Back to unread, for this agent only."""
    conversation = Conversation.get_or_404(conversation_id)
    ReadPointer.move(conversation, g.membership, unread=True)
    return told(conversation, _("Unread again"))


def told(
    conversation: Conversation,
    words: str,
    undo_address: str = "",
    undo: dict[str, Any] | None = None,
    *,
    wrong: bool = False,
) -> Answer:
    """How it stands now, what was done in words, and the way back."""
    if not is_fragment():
        flash(words, "warning" if wrong else "message")
        return redirect(url_for("inbox.show", conversation_id=conversation.id), 303)
    db.session.flush()
    toast = {"words": words, "undo_address": undo_address, "undo": undo, "category": "warning" if wrong else ""}
    page = render_template(
        "inbox/conversations/changed.html", conversation=conversation, **toast, **head_context(conversation)
    )
    return (page, 409) if wrong else page


def head_context(conversation: Conversation) -> dict[str, Any]:
    return {
        "assignee": member_or_none(conversation.assignee_id) if conversation.assignee_id else None,
        "team": Team.find(conversation.team_id) if conversation.team_id else None,
        "block": Block.of(conversation) if conversation.state == "blocked" else None,
    }
