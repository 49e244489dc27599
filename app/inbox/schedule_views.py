"""Messages that were put aside until later: the list of them, another time, at once after all."""

from __future__ import annotations

import uuid

from flask import abort, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as AnyResponse

from app.tenancy import db, requires
from app.tenancy.guard import is_fragment

from .jobs import deliver
from .models import Conversation, Later, Message
from .schedule_forms import TimeForm
from .views import bp

AT_ONCE = 200


@bp.get("/scheduled")
@requires("inbox.read")
def scheduled() -> str:
    around = joinedload(Message.conversation).joinedload(Conversation.contact)
    waiting = select(Message).where(Message.state == "scheduled").options(around)
    messages = db.session.scalars(waiting.order_by(Message.send_at, Message.id).limit(AT_ONCE)).all()
    return render_template("inbox/scheduled.html", messages=messages)


@bp.post("/<uuid:conversation_id>/messages/<uuid:message_id>/time")
@requires("inbox.reply")
def another_time(conversation_id: uuid.UUID, message_id: uuid.UUID) -> AnyResponse | tuple[str, int] | str:
    message, form = message_or_404(conversation_id, message_id).refresh_locked(), TimeForm()
    if not form.validate():
        return render_template("inbox/another_time.html", message=message, form=form), 422
    if message.state == "scheduled":
        message.put_aside(Later(form.moment, message.instead))
    return shown(message)


@bp.post("/<uuid:conversation_id>/messages/<uuid:message_id>/release")
@requires("inbox.reply")
def send_now(conversation_id: uuid.UUID, message_id: uuid.UUID) -> AnyResponse | str:
    message = message_or_404(conversation_id, message_id).refresh_locked()
    message.release()
    deliver.later()
    return shown(message)


def shown(message: Message) -> AnyResponse | str:
    if is_fragment():
        return render_template("inbox/_message.html", message=message)
    return redirect(url_for("inbox.show", conversation_id=message.conversation_id), 303)


def message_or_404(conversation_id: uuid.UUID, message_id: uuid.UUID) -> Message:
    message = Message.get_or_404(message_id)
    if message.conversation_id != conversation_id:
        abort(404)
    return message
