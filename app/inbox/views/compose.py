"""Messages other than text, and the actions on one message: reply, react."""

from __future__ import annotations

import uuid

from flask import abort, g, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.compose.canned_forms import CannedReplyForm
from app.inbox.compose.canned_replies import CannedReply
from app.inbox.compose.compose_forms import FORMS, ComposeForm
from app.inbox.compose.problems import NOT_SENT, explain
from app.inbox.conversations import Conversation, Message, progress_of
from app.inbox.desk.addresses import back_to
from app.inbox.desk.preferences import DeskPreference
from app.inbox.outbound.replies import hold_replies
from app.meta.outgoing import Refused
from app.tenancy import current_actor, db, now, requires
from app.tenancy.guard import is_fragment

from .canned_replies import new_canned_reply
from .messages import message_or_404

# The reactions that WhatsApp offers first.
EMOJI = ("👍", "❤️", "😂", "😮", "😢", "🙏")


@bp.route("/<uuid:conversation_id>/compose/<kind>", methods=["GET", "POST"])
@requires("inbox.reply")
def compose(conversation_id: uuid.UUID, kind: str) -> str | tuple[str, int] | AnyResponse:
    """The form for a location, a contact, …; posted, it sends that."""
    conversation = Conversation.get_or_404(conversation_id)
    form, problem = offered(conversation, kind), ""
    if request.method == "POST" and form.validate():
        try:
            quoted = form.quoted_in(conversation)
            message = conversation.send(form.build(), by=current_actor(), client_id=form.id, answering=quoted)
        except NOT_SENT as refusal:
            problem = explain(refusal)
        else:
            return deliver(conversation, message)
    reply = None if request.method == "POST" else CannedReply.usable_by(g.membership, request.args.get("canned"))
    if reply and reply.sheet == kind:
        form.fill_in(reply.fill_in(conversation, by=current_actor(), tenant=g.tenant), reply.sheet_values or {})
    return sheet(conversation, kind, form, problem), 422 if problem else 200


@bp.post("/<uuid:conversation_id>/compose/<kind>/canned-reply")
@requires("inbox.reply")
def save_sheet(conversation_id: uuid.UUID, kind: str) -> str | tuple[str, int]:
    """Saves what is filled in as a canned reply; nothing is sent."""
    conversation = Conversation.get_or_404(conversation_id)
    form, saving = offered(conversation, kind), CannedReplyForm(new_canned_reply(), g.membership)
    if not form.may_be_canned:
        abort(404)
    try:
        form.build()
    except Refused as refusal:
        return sheet(conversation, kind, form, explain(refusal), saving), 422
    if not (form.validate() and saving.validate() and saving.save()):
        return sheet(conversation, kind, form, "", saving), 422
    saving.reply.sheet, saving.reply.sheet_values = kind, form.canned_values
    return sheet(conversation, kind, form, saved=saving.reply)


def offered(conversation: Conversation, kind: str) -> ComposeForm:
    """The form of a kind, with what this number offers."""
    if kind not in FORMS:
        abort(404)
    form = FORMS[kind]()
    form.offer(conversation.phone_number)
    return form


def sheet(
    conversation: Conversation,
    kind: str,
    form: ComposeForm,
    problem: str = "",
    saving: CannedReplyForm | None = None,
    saved: CannedReply | None = None,
) -> str:
    """The form, and the one that saves it as a canned reply where that can be."""
    if not form.client_id.data:
        form.client_id.data, form.reply_to.data = uuid.uuid4(), request.args.get("reply_to", "")
    if form.may_be_canned and saving is None:
        saving = CannedReplyForm(new_canned_reply(), g.membership)
    context = {"conversation": conversation, "form": form, "kind": kind, "problem": problem}
    context |= {"saving": saving, "saved": saved}
    context["address"] = url_for("inbox.compose", conversation_id=conversation.id, kind=kind)
    if form.category and not conversation.window_is_open:
        context["estimate"] = conversation.terms.price_of(form.category, now())
        context["obstacle"] = conversation.ways_to_write.obstacle
    page = "inbox/compose/_compose.html" if is_fragment() else "inbox/compose/compose.html"
    return render_template(page, **context)


def deliver(conversation: Conversation, message: Message) -> str | AnyResponse:
    """Sends a message, shows it in the thread and closes the form; without JavaScript, shows the conversation."""
    hold_replies(conversation, [message], undo=DeskPreference.undo_of(current_user))
    if is_fragment():
        return render_template("inbox/conversations/_sent.html", message=message)
    return redirect(back_to(conversation.id), 303)


@bp.get("/<uuid:conversation_id>/messages/<uuid:message_id>/actions")
@requires("inbox.reply")
def actions(conversation_id: uuid.UUID, message_id: uuid.UUID) -> str:
    message = shown_message_or_404(conversation_id, message_id)
    page = "inbox/conversations/_actions.html" if is_fragment() else "inbox/conversations/actions.html"
    progress = progress_of(message.id) if message.is_outbound else []
    return render_template(page, message=message, conversation=message.conversation, emoji=EMOJI, progress=progress)


@bp.route("/<uuid:conversation_id>/messages/<uuid:message_id>/reaction", methods=["PUT", "POST"])
@requires("inbox.reply")
def react(conversation_id: uuid.UUID, message_id: uuid.UUID) -> str | AnyResponse:
    return change_reaction(shown_message_or_404(conversation_id, message_id), request.form.get("emoji", ""))


@bp.delete("/<uuid:conversation_id>/messages/<uuid:message_id>/reaction")
@requires("inbox.reply")
def remove_reaction(conversation_id: uuid.UUID, message_id: uuid.UUID) -> str | AnyResponse:
    return change_reaction(shown_message_or_404(conversation_id, message_id), "")


def change_reaction(message: Message, emoji: str) -> str | AnyResponse:
    """Sends our reaction, or its removal, and shows the message with it or with the reason why not."""
    problem = ""
    try:
        if message.conversation.react(message, emoji, by=current_actor()):
            db.session.flush()
            db.session.expire(message, ["reactions"])
    except NOT_SENT as refusal:
        problem = explain(refusal)
    if is_fragment():
        return render_template("inbox/conversations/_reacted.html", message=message, problem=problem)
    return redirect(back_to(message.conversation_id), 303)


def shown_message_or_404(conversation_id: uuid.UUID, message_id: uuid.UUID) -> Message:
    """A message with a bubble: not a reaction of ours."""
    message = message_or_404(conversation_id, message_id)
    if not message.is_shown:
        abort(404)
    return message
