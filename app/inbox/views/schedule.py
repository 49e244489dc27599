"""Scheduled messages: the list of them, a new time, sending now."""

from __future__ import annotations

import uuid

from flask import redirect, render_template, request
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.models import Contact
from app.inbox.blueprint import bp
from app.inbox.compose.drafts import Draft
from app.inbox.compose.problems import NOT_SENT, explain
from app.inbox.compose.schedule_forms import ScheduleForm, TimeForm
from app.inbox.conversations import Conversation, Later, Message
from app.inbox.desk.addresses import back_to
from app.message_templates.models import MessageTemplate
from app.tenancy import db, requires
from app.tenancy.guard import is_fragment
from app.wabas.models import PhoneNumber

from .messages import message_or_404, render_message

AT_ONCE = 200


@bp.get("/scheduled")
@requires("inbox.read")
def scheduled_messages() -> str:
    """What will be sent later in any conversation, the next first."""
    conversation = joinedload(Message.conversation)
    related = (
        conversation.joinedload(Conversation.contact).selectinload(Contact.identities),
        conversation.joinedload(Conversation.phone_number).joinedload(PhoneNumber.waba),
    )
    waiting = select(Message).where(Message.state == "scheduled").options(*related)
    messages = db.session.scalars(waiting.order_by(Message.send_at.asc().nulls_last(), Message.id).limit(AT_ONCE)).all()
    return render_template("inbox/compose/scheduled.html", messages=messages)


@bp.route("/<uuid:conversation_id>/later", methods=["GET", "POST"])
@requires("inbox.reply")
def schedule(conversation_id: uuid.UUID) -> AnyResponse | tuple[str, int] | str:
    """The form for a text to send later, and the template to send instead if the reply window has closed by then."""
    conversation = Conversation.get_or_404(conversation_id)
    refused = conversation.gate.refused_purposes
    templates = [
        one
        for one in MessageTemplate.sendable(conversation.phone_number.waba_id)
        if one.goes_as_it_is and one.category.lower() not in refused
    ]
    form = ScheduleForm(templates, conversation.terms, conversation.ways_to_write)
    problem = ""
    if request.method == "POST" and form.validate():
        try:
            message = form.schedule(conversation, by=current_user)
        except NOT_SENT as refusal:
            problem = explain(refusal)
        else:
            return render_scheduled(message)
    if request.method == "GET":
        form.client_id.data, form.parks.data = uuid.uuid4(), "parks" in request.args
        form.body.data = draft.body if (draft := Draft.find_for(conversation, "reply", current_user)) else ""
    page = "inbox/compose/_later.html" if is_fragment() else "inbox/compose/later.html"
    context = {"conversation": conversation, "form": form, "problem": problem}
    return render_template(page, **context), 422 if problem or form.errors else 200


def render_scheduled(message: Message) -> AnyResponse | str:
    if is_fragment():
        return render_template("inbox/conversations/_sent.html", message=message)
    return redirect(back_to(message.conversation_id), 303)


@bp.post("/<uuid:conversation_id>/messages/<uuid:message_id>/time")
@requires("inbox.reply")
def reschedule(conversation_id: uuid.UUID, message_id: uuid.UUID) -> AnyResponse | tuple[str, int] | str:
    message, form = message_or_404(conversation_id, message_id).refresh_locked(), TimeForm()
    if not form.validate():
        return render_template("inbox/compose/another_time.html", message=message, time_form=form), 422
    if message.state == "scheduled":
        message.schedule(Later(form.moment, message.instead))
    return render_message(message)


@bp.post("/<uuid:conversation_id>/messages/<uuid:message_id>/release")
@requires("inbox.reply")
def send_now(conversation_id: uuid.UUID, message_id: uuid.UUID) -> AnyResponse | str:
    message = message_or_404(conversation_id, message_id).refresh_locked()
    message.release()
    return render_message(message)
