"""The same for many conversations at once."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.tags import Tag
from app.inbox.blueprint import bp
from app.inbox.conversations import Conversation
from app.inbox.conversations.assignment import member_or_none
from app.inbox.desk.lists import as_uuid
from app.team.models import Team
from app.tenancy import User, announce, current_actor, db, requires
from app.tenancy.guard import is_fragment

from .states import PUT, snoozed_until

MOST = 200


@bp.post("/bulk")
@requires("inbox.reply")
def bulk() -> AnyResponse | str | tuple[str, int]:
    """`state`, `assignee`, `team` or a tag for each `id`. `was` is how each stood before, to put it back (undo)."""
    if request.form.get("was"):
        return done(put_back(request.form.getlist("was")), _("Undone"))
    ids = {id for value in request.form.getlist("id")[:MOST] if (id := as_uuid(value))}
    found = locked(ids)
    if not found:
        return done([], _("Select conversations first."), wrong=True)
    before = [as_it_was(conversation) for conversation in found]
    match request.form.to_dict():
        case {"state": state} if state in PUT:
            until = snoozed_until() if state == "snoozed" else None
            for conversation in found:
                conversation.put(state, by=current_actor(), until=until)
        case {"assignee": assignee}:
            to = receiver(assignee)
            for conversation in found:
                conversation.give(to, by=current_actor(), expected=conversation.assignee_id)
        case {"team": team_id}:
            team = Team.get_or_404(team_id) if team_id else None
            for conversation in found:
                conversation.give_to_team(team, by=current_actor())
        case {"add_tag": tag_id} | {"remove_tag": tag_id}:
            return tagged(found, Tag.get_or_404(tag_id), is_added="add_tag" in request.form)
        case _:
            abort(422)
    words = ngettext("%(num)d conversation changed", "%(num)d conversations changed", len(found))
    return done(found, words, {"was": before})


def tagged(found: list[Conversation], tag: Tag, *, is_added: bool) -> AnyResponse | str | tuple[str, int]:
    """The way back is for those who were changed only: the others had the tag, or had it not, before."""
    contacts = [conversation.contact_id for conversation in found]
    changed = tag.put_on(*contacts, by=current_actor()) if is_added else tag.take_off(*contacts)
    them = [conversation for conversation in found if conversation.contact_id in changed]
    for conversation in them:
        announce("conversation", conversation.id)
    put = ngettext("“%(tag)s” is on %(num)d more", "“%(tag)s” is on %(num)d more", len(changed), tag=tag.name)
    off = ngettext("“%(tag)s” is off %(num)d", "“%(tag)s” is off %(num)d", len(changed), tag=tag.name)
    back = {"remove_tag" if is_added else "add_tag": str(tag.id), "id": [str(conversation.id) for conversation in them]}
    return done(them, put if is_added else off, back if them else None)


@bp.get("/bulk/tags")
@requires("inbox.reply")
def choose_bulk_tag() -> str:
    """What the selected can be tagged with: asked for only when somebody wants to."""
    return render_template("inbox/desk/_bulk_tags.html", tags=db.session.scalars(Tag.in_order()).all())


def locked(ids: set[uuid.UUID]) -> list[Conversation]:
    """One after the other by id, so that two agents' selections never wait for each other in a circle."""
    query = select(Conversation).where(Conversation.id.in_(ids)).order_by(Conversation.id)
    return list(db.session.scalars(query.with_for_update(key_share=True)))


def receiver(assignee: str) -> User | None:
    to = current_user if assignee == "me" else member_or_none(assignee or None)
    if assignee and not to:
        abort(404)
    return to


def as_it_was(conversation: Conversation) -> str:
    until = conversation.snoozed_until.isoformat() if conversation.snoozed_until else ""
    return (
        f"{conversation.id},{conversation.state},{conversation.assignee_id or ''},{conversation.team_id or ''},{until}"
    )


def put_back(rows: list[str]) -> list[Conversation]:
    told = {row.split(",")[0]: row.split(",") for row in rows[:MOST] if row.count(",") == 4}
    found = locked({id for value in told if (id := as_uuid(value))})
    for conversation in found:
        _id, state, assignee, team, until = told[str(conversation.id)]
        if state in PUT:
            conversation.put(state, by=current_actor(), until=dt.datetime.fromisoformat(until) if until else None)
        conversation.give(member_or_none(as_uuid(assignee)), by=current_actor(), expected=conversation.assignee_id)
        conversation.give_to_team(Team.find(team), by=current_actor())
    return found


def done(
    found: list[Conversation], words: str, undo: dict[str, Any] | None = None, *, wrong: bool = False
) -> AnyResponse | str | tuple[str, int]:
    if not is_fragment():
        flash(words, "warning" if wrong else "message")
        return redirect(request.referrer or url_for("inbox.index"), 303)
    toast = {
        "words": words,
        "undo": undo,
        "undo_address": url_for("inbox.bulk"),
        "category": "warning" if wrong else "",
    }
    return render_template("inbox/desk/_undo_toast.html", **toast), 422 if wrong else 200
