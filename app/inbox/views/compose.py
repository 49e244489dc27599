"""Messages that are more than words, and what can be done with one message: answer it, react to it."""

from __future__ import annotations

import uuid

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.compose.compose_forms import FORMS
from app.inbox.compose.problems import NOT_SENT, told
from app.inbox.conversations import Conversation, Message
from app.inbox.outbound.uploads import hand_on
from app.tenancy import current_actor, db, requires
from app.tenancy.guard import is_fragment

# What people answer with most, on any phone.
EMOJI = ("👍", "❤️", "😂", "😮", "😢", "🙏")


@bp.route("/<uuid:conversation_id>/compose/<kind>", methods=["GET", "POST"])
@requires("inbox.reply")
def compose(conversation_id: uuid.UUID, kind: str) -> str | tuple[str, int] | AnyResponse:
    """The form for a location, a contact, …; what it holds goes out when it is posted."""
    conversation = Conversation.get_or_404(conversation_id)
    if kind not in FORMS:
        abort(404)
    form, problem = FORMS[kind](), ""
    if request.method == "POST" and form.validate():
        try:
            answering = form.answered_in(conversation)
            message = conversation.send(form.outgoing(), by=current_actor(), client_id=form.id, answering=answering)
        except NOT_SENT as refused:
            problem = told(refused)
        else:
            return sent(conversation, message)
    if not form.client_id.data:
        form.client_id.data, form.reply_to.data = str(uuid.uuid4()), request.args.get("reply_to", "")
    context = {"conversation": conversation, "form": form, "kind": kind, "problem": problem}
    page = "inbox/compose/_compose.html" if is_fragment() else "inbox/compose/compose.html"
    return render_template(page, **context), 422 if problem else 200


def sent(conversation: Conversation, message: Message) -> str | AnyResponse:
    message.hold()
    hand_on(message)
    if is_fragment():
        return render_template("inbox/conversations/_sent.html", message=message)
    return redirect(url_for("inbox.show", conversation_id=conversation.id), 303)


@bp.get("/<uuid:conversation_id>/messages/<uuid:message_id>/actions")
@requires("inbox.reply")
def actions(conversation_id: uuid.UUID, message_id: uuid.UUID) -> str:
    message = message_of(conversation_id, message_id)
    page = "inbox/conversations/_actions.html" if is_fragment() else "inbox/conversations/actions.html"
    return render_template(page, message=message, conversation=message.conversation, emoji=EMOJI)


@bp.route("/<uuid:conversation_id>/messages/<uuid:message_id>/reaction", methods=["PUT", "POST"])
@requires("inbox.reply")
def react(conversation_id: uuid.UUID, message_id: uuid.UUID) -> str | AnyResponse:
    return reacted(message_of(conversation_id, message_id), request.form.get("emoji", ""))


@bp.delete("/<uuid:conversation_id>/messages/<uuid:message_id>/reaction")
@requires("inbox.reply")
def take_reaction_away(conversation_id: uuid.UUID, message_id: uuid.UUID) -> str | AnyResponse:
    return reacted(message_of(conversation_id, message_id), "")


def reacted(message: Message, emoji: str) -> str | AnyResponse:
    problem = ""
    try:
        if reaction := message.conversation.react(message, emoji, by=current_actor()):
            hand_on(reaction)
            db.session.flush()
            db.session.expire(message, ["reactions"])
    except NOT_SENT as refused:
        problem = told(refused)
    if is_fragment():
        return render_template("inbox/conversations/_reacted.html", message=message, problem=problem)
    return redirect(url_for("inbox.show", conversation_id=message.conversation_id), 303)


def message_of(conversation_id: uuid.UUID, message_id: uuid.UUID) -> Message:
    message = Message.get_or_404(message_id)
    if message.conversation_id != conversation_id or not message.is_shown:
        abort(404)
    return message
