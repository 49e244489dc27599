"""Messages that were put aside until later: the list of them, another time, at once after all."""

from __future__ import annotations

import uuid

from flask import abort, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.models import Contact
from app.inbox.blueprint import bp
from app.inbox.compose.drafts import Draft
from app.inbox.compose.problems import NOT_SENT, told
from app.inbox.compose.schedule_forms import LaterForm, TimeForm
from app.inbox.conversations import Conversation, Later, Message
from app.message_templates.models import MessageTemplate
from app.tenancy import current_actor, db, later, requires
from app.tenancy.guard import is_fragment
from app.wabas.models import PhoneNumber

AT_ONCE = 200


@bp.get("/scheduled")
@requires("inbox.read")
def scheduled() -> str:
    talk = joinedload(Message.conversation)
    around = (
        talk.joinedload(Conversation.contact).selectinload(Contact.identities),
        talk.joinedload(Conversation.phone_number).joinedload(PhoneNumber.waba),
    )
    waiting = select(Message).where(Message.state == "scheduled").options(*around)
    messages = db.session.scalars(waiting.order_by(Message.send_at.asc().nulls_last(), Message.id).limit(AT_ONCE)).all()
    return render_template("inbox/compose/scheduled.html", messages=messages)


@bp.route("/<uuid:conversation_id>/later", methods=["GET", "POST"])
@requires("inbox.reply")
def schedule(conversation_id: uuid.UUID) -> AnyResponse | tuple[str, int] | str:
    """The form for a text that goes out later, and what goes out instead if the window is closed by then."""
    conversation = Conversation.get_or_404(conversation_id)
    refused = conversation.gate.refused_purposes
    templates = [
        one
        for one in MessageTemplate.sendable(conversation.phone_number.waba_id)
        if one.definition.is_whole and one.category.lower() not in refused
    ]
    form = LaterForm(templates, conversation.terms)
    problem = ""
    if request.method == "POST" and form.validate():
        try:
            message = form.message_for(conversation, by=current_actor())
        except NOT_SENT as refused:
            problem = told(refused)
        else:
            Draft.clear(conversation, "reply", owner=current_user)
            return put_aside(message)
    if request.method == "GET":
        form.client_id.data, form.parks.data = str(uuid.uuid4()), "parks" in request.args
        form.body.data = draft.body if (draft := Draft.of(conversation, "reply", current_user)) else ""
    page = "inbox/compose/_later.html" if is_fragment() else "inbox/compose/later.html"
    context = {"conversation": conversation, "form": form, "problem": problem}
    return render_template(page, **context), 422 if problem or form.errors else 200


def put_aside(message: Message) -> AnyResponse | str:
    if is_fragment():
        return render_template("inbox/conversations/_sent.html", message=message)
    return redirect(url_for("inbox.show", conversation_id=message.conversation_id), 303)


@bp.post("/<uuid:conversation_id>/messages/<uuid:message_id>/time")
@requires("inbox.reply")
def another_time(conversation_id: uuid.UUID, message_id: uuid.UUID) -> AnyResponse | tuple[str, int] | str:
    message, form = message_or_404(conversation_id, message_id).refresh_locked(), TimeForm()
    if not form.validate():
        return render_template("inbox/compose/another_time.html", message=message, time_form=form), 422
    if message.state == "scheduled":
        message.put_aside(Later(form.moment, message.instead))
    return shown(message)


@bp.post("/<uuid:conversation_id>/messages/<uuid:message_id>/release")
@requires("inbox.reply")
def send_now(conversation_id: uuid.UUID, message_id: uuid.UUID) -> AnyResponse | str:
    message = message_or_404(conversation_id, message_id).refresh_locked()
    message.release()
    later("outbound.deliver")
    return shown(message)


def shown(message: Message) -> AnyResponse | str:
    if is_fragment():
        return render_template("inbox/conversations/_message.html", message=message)
    return redirect(url_for("inbox.show", conversation_id=message.conversation_id), 303)


def message_or_404(conversation_id: uuid.UUID, message_id: uuid.UUID) -> Message:
    message = Message.get_or_404(message_id)
    if message.conversation_id != conversation_id:
        abort(404)
    return message
