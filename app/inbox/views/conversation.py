"""The shared inbox. Page, fragment and live update of a region share one function and one partial."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, abort, g, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.compose.drafts import Draft
from app.inbox.compose.forms import ReplyForm
from app.inbox.compose.problems import NOT_SENT, told
from app.inbox.conversations import Conversation, Cursor, Message
from app.inbox.conversations.number_desks import NumberDesk
from app.inbox.desk.notes import Mention
from app.inbox.desk.read_pointers import ReadPointer
from app.inbox.desk.thread import Thread
from app.inbox.files.attachments import LARGEST
from app.inbox.outbound.uploads import hand_on
from app.tenancy import current_actor, later, requires, takes_files
from app.tenancy.guard import is_fragment

from .drafts import age_from_request
from .lists import list_arguments
from .states import head_context


@bp.get("/<uuid:conversation_id>")
@requires("inbox.read")
def show(conversation_id: uuid.UUID) -> str:
    conversation = Conversation.get_or_404(conversation_id)
    form = ReplyForm.blank(reply_to=request.args.get("reply_to", ""))
    context = thread_context(conversation) | {"form": form, "answering": form.answered_in(conversation)}
    if is_fragment() and "HX-History-Restore-Request" not in request.headers:
        return render_template("inbox/conversations/_conversation.html", **context)
    return render_template("inbox/conversations/show.html", **context, beside=list_arguments())


@bp.get("/<uuid:conversation_id>/details")
@requires("inbox.read")
def details(conversation_id: uuid.UUID) -> str:
    """Who the customer is: asked for when there is room to see it."""
    page = "inbox/conversations/_details.html" if is_fragment() else "inbox/conversations/details.html"
    return render_template(page, conversation=Conversation.get_or_404(conversation_id))


@bp.get("/<uuid:conversation_id>/messages")
@requires("inbox.read")
def thread(conversation_id: uuid.UUID) -> str:
    """The messages from `from` to the newest, or the page before `before`, or after `after`."""
    conversation = Conversation.get_or_404(conversation_id)
    if before := Cursor.read(request.args.get("before")):
        return render_template("inbox/conversations/_older.html", **Thread.before(conversation, before).context)
    if after := Cursor.read(request.args.get("after")):
        return render_template("inbox/conversations/_newer.html", **Thread.after(conversation, after).context)
    return render_template("inbox/conversations/thread.html", **thread_context(conversation), form=ReplyForm.blank())


@bp.post("/<uuid:conversation_id>/messages")
@requires("inbox.reply")
@takes_files(LARGEST + 1_000_000)
def reply(conversation_id: uuid.UUID) -> tuple[str, int] | AnyResponse | str:
    """Words and files, as one message or several."""
    conversation, form = Conversation.get_or_404(conversation_id), ReplyForm()
    if not form.validate():
        return refused(conversation, form)
    try:
        messages = form.writing(conversation, g.membership).send(conversation, by=current_actor())
    except NOT_SENT as problem:
        return refused(conversation, form, told(problem))
    for message in messages:
        message.hold()
        hand_on(message)
    if form.body.data:
        Draft.clear(conversation, "reply", owner=current_user, age=age_from_request())
    if NumberDesk.of(conversation.phone_number_id).read_receipts == "on_reply":
        later("outbound.mark_read", conversation.id)
    if is_fragment():
        return "".join(render_template("inbox/conversations/_message.html", message=message) for message in messages)
    return redirect(url_for("inbox.show", conversation_id=conversation.id), 303)


def refused(conversation: Conversation, form: ReplyForm, words: str = "") -> tuple[str, int]:
    """The composer again, with what was typed and what is wrong with it."""
    if words:
        form.body.errors = [words]
    answering = form.answered_in(conversation)
    if is_fragment():
        context = {"conversation": conversation, "form": form, "answering": answering}
        return render_template("inbox/compose/_composer.html", **context), 422
    context = thread_context(conversation) | {"answering": answering, "beside": list_arguments()}
    return render_template("inbox/conversations/show.html", **context, form=form), 422


@bp.post("/<uuid:conversation_id>/reading")
@requires("inbox.reply")
def read(conversation_id: uuid.UUID) -> AnyResponse:
    """An agent is looking at it: no longer unread, and the customer sees blue ticks."""
    conversation = Conversation.get_or_404(conversation_id)
    is_news = ReadPointer.move(conversation, g.membership)
    is_news = Mention.see(conversation, current_user) or is_news
    if conversation.mark_read() and NumberDesk.of(conversation.phone_number_id).read_receipts == "always":
        later("outbound.mark_read", conversation.id)
    if is_fragment():
        # Only this page has something new to show: its list.
        return Response(status=204, headers={"HX-Trigger": "live:conversation"} if is_news else {})
    return redirect(url_for("inbox.show", conversation_id=conversation.id), 303)


@bp.post("/<uuid:conversation_id>/messages/<uuid:message_id>/attempts")
@requires("inbox.reply")
def retry(conversation_id: uuid.UUID, message_id: uuid.UUID) -> AnyResponse | str:
    message = Message.get_or_404(message_id)
    if message.conversation_id != conversation_id:
        abort(404)
    message.retry()
    hand_on(message)
    if is_fragment():
        return render_template("inbox/conversations/_message.html", message=message)
    return redirect(url_for("inbox.show", conversation_id=conversation_id), 303)


@bp.post("/<uuid:conversation_id>/messages/<uuid:message_id>/cancellation")
@requires("inbox.reply")
def take_back(conversation_id: uuid.UUID, message_id: uuid.UUID) -> AnyResponse | str:
    """A message that still waits is not sent. If it is on its way already, the page shows that instead."""
    message = Message.get_or_404(message_id)
    if message.conversation_id != conversation_id:
        abort(404)
    message.cancel()
    if is_fragment():
        return render_template("inbox/conversations/_message.html", message=message)
    return redirect(url_for("inbox.show", conversation_id=conversation_id), 303)


def thread_context(conversation: Conversation) -> dict[str, Any]:
    """What a page shows: the last messages; all since the one it already begins with; or those around one."""
    since, until = Cursor.read(request.args.get("from")), Cursor.read(request.args.get("until"))
    around = Message.find(request.args.get("at"))
    if around and around.conversation_id == conversation.id:
        shown = Thread.around_message(conversation, around)
    else:
        shown = Thread.from_on(conversation, since, until) if since else Thread.newest(conversation)
    head = head_context(conversation)
    return shown.context | head | {"window_was": request.args.get("window")}
