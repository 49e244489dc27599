"""Private notes, as agents write them."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.compose.drafts import Draft
from app.inbox.compose.forms import tidy
from app.inbox.conversations import Conversation
from app.inbox.desk.lists import as_uuid
from app.inbox.desk.notes import LONGEST_NOTE, Note
from app.team.models.teams import colleagues
from app.tenancy import current_actor, requires
from app.tenancy.guard import is_fragment


@bp.post("/<uuid:conversation_id>/notes")
@requires("inbox.reply")
def write_note(conversation_id: uuid.UUID) -> AnyResponse | str | tuple[str, int]:
    conversation, body = Conversation.get_or_404(conversation_id), tidy(request.form.get("body"))
    if problem := wrong_with(body):
        if is_fragment():
            return render_template(
                "inbox/desk/_note_form.html", conversation=conversation, typed=body, problem=problem
            ), 422
        flash(problem, "error")
    else:
        client_id = as_uuid(request.form.get("client_id")) or uuid.uuid4()
        note = Note.write(conversation, body, by=current_actor(), client_id=client_id)
        Draft.clear(conversation, "note", owner=current_user)
        if is_fragment():
            return render_template("inbox/desk/noted.html", conversation=conversation, note=note)
    return redirect(url_for("inbox.show", conversation_id=conversation.id), 303)


def wrong_with(body: str) -> str:
    if not body:
        return str(_("Write something first."))
    if len(body) > LONGEST_NOTE:
        return str(_("A note has at most 10,000 characters."))
    return ""


@bp.get("/colleagues")
@requires("inbox.reply")
def suggest_colleagues() -> str:
    """Whom an @ may mean."""
    typed = request.args.get("q", "").casefold()
    found = [person for person in colleagues() if typed in person.name.casefold()][:8]
    return render_template("inbox/desk/_colleagues.html", people=found)
