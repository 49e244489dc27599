"""Private notes, as agents write them."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.folding import fold
from app.inbox.blueprint import bp
from app.inbox.compose.drafts import Draft
from app.inbox.conversations import Conversation
from app.inbox.desk.addresses import back_to
from app.inbox.desk.forms import NoteForm
from app.inbox.desk.notes import Note
from app.team.models.teams import colleagues
from app.tenancy import current_actor, requires
from app.tenancy.guard import is_fragment


@bp.post("/<uuid:conversation_id>/notes")
@requires("inbox.reply")
def write_note(conversation_id: uuid.UUID) -> AnyResponse | str | tuple[str, int]:
    conversation, form = Conversation.get_or_404(conversation_id), NoteForm()
    if not form.validate():
        problem = next(str(errors[0]) for errors in form.errors.values())
        if is_fragment():
            context = {"conversation": conversation, "typed": form.body.data, "problem": problem}
            return render_template("inbox/desk/_note_form.html", **context), 422
        flash(problem, "error")
        return redirect(back_to(conversation.id), 303)
    note = Note.write(conversation, form.body.data, by=current_actor(), client_id=form.client_id.data)
    Draft.clear(conversation, "note", owner=current_user)
    if is_fragment():
        return render_template("inbox/desk/noted.html", conversation=conversation, note=note)
    return redirect(back_to(conversation.id), 303)


@bp.get("/colleagues")
@requires("inbox.reply")
def suggest_colleagues() -> str:
    """Colleagues whose name contains what was typed after an @."""
    typed = fold(request.args.get("q", "")[:100])
    matches = [person for person in colleagues() if typed in fold(person.name)][:8]
    return render_template("inbox/desk/_colleagues.html", people=matches)
