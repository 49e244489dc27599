"""A conversation: its page, its thread, replies. Page, fragment and live update share one function and one partial."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, g, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.compose.drafts import Draft
from app.inbox.compose.forms import ReplyForm
from app.inbox.compose.previewing import previews_of
from app.inbox.compose.problems import NOT_SENT, explain
from app.inbox.conversations import Conversation, Cursor
from app.inbox.desk.addresses import back_to
from app.inbox.desk.cards import cards_beside
from app.inbox.desk.notes import Mention
from app.inbox.desk.read_pointers import ReadPointer, first_unread
from app.inbox.desk.thread import Thread
from app.inbox.files.attachments import LARGEST
from app.inbox.outbound.replies import send_read_receipt
from app.tenancy import as_uuid, requires, takes_files
from app.tenancy.guard import is_fragment

from .lists import list_arguments
from .messages import message_or_404, render_message
from .states import head_context


@bp.get("/<uuid:conversation_id>")
@requires("inbox.read")
def show(conversation_id: uuid.UUID) -> str:
    conversation = Conversation.get_or_404(conversation_id)
    form = ReplyForm.blank(reply_to=request.args.get("reply_to", ""))
    context = thread_context(conversation) | {"form": form, "answering": form.quoted_in(conversation)}
    if is_fragment() and "HX-History-Restore-Request" not in request.headers:
        return render_template("inbox/conversations/_conversation.html", **context)
    return render_template("inbox/conversations/show.html", **context, beside=list_arguments())


@bp.get("/<uuid:conversation_id>/details")
@requires("inbox.read")
def details(conversation_id: uuid.UUID) -> str:
    """The customer's details, loaded when there is room to show them."""
    page = "inbox/conversations/_details.html" if is_fragment() else "inbox/conversations/details.html"
    return render_template(page, conversation=Conversation.get_or_404(conversation_id))


bp.add_app_template_global(cards_beside)


@bp.get("/<uuid:conversation_id>/messages")
@requires("inbox.read")
def thread(conversation_id: uuid.UUID) -> str:
    """The messages from `from` to the newest, or a page older than `before`, or newer than `after`."""
    conversation = Conversation.get_or_404(conversation_id)
    if before := Cursor.read(request.args.get("before")):
        return render_template("inbox/conversations/_older.html", **shown_context(Thread.before(conversation, before)))
    if after := Cursor.read(request.args.get("after")):
        return render_template("inbox/conversations/_newer.html", **shown_context(Thread.after(conversation, after)))
    return render_template("inbox/conversations/thread.html", **thread_context(conversation), form=ReplyForm.blank())


@bp.post("/<uuid:conversation_id>/messages")
@requires("inbox.reply")
@takes_files(LARGEST + 1_000_000)
def reply(conversation_id: uuid.UUID) -> tuple[str, int] | AnyResponse | str:
    """Text and files, as one message or several."""
    conversation, form = Conversation.get_or_404(conversation_id), ReplyForm()
    if not form.validate():
        return render_composer(conversation, form), 422
    try:
        messages = form.build_writing(conversation, g.membership).reply(by=current_user)
    except NOT_SENT as problem:
        form.body.errors = [explain(problem)]
        return render_composer(conversation, form), 422
    if is_fragment():
        return "".join(render_template("inbox/conversations/_message.html", message=message) for message in messages)
    return redirect(back_to(conversation.id), 303)


def render_composer(conversation: Conversation, form: ReplyForm) -> str:
    """The composer with what was typed and what is wrong with it; without JavaScript, on its page."""
    context = {"form": form, "answering": form.quoted_in(conversation)}
    if is_fragment():
        return render_template("inbox/compose/_composer.html", conversation=conversation, **context)
    context |= thread_context(conversation) | {"beside": list_arguments()}
    return render_template("inbox/conversations/show.html", **context)


@bp.post("/<uuid:conversation_id>/reading")
@requires("inbox.reply")
def read(conversation_id: uuid.UUID) -> AnyResponse:
    """Marks the conversation as read and, if the number's policy says so, sends read receipts."""
    conversation = Conversation.get_or_404(conversation_id)
    had_unread = ReadPointer.move(conversation, g.membership)
    had_unread = Mention.see(conversation, current_user) or had_unread
    if conversation.mark_read():
        send_read_receipt(conversation, when="always")
    if is_fragment():
        # Only this agent's list changes: nothing is announced to others.
        return Response(status=204, headers={"HX-Trigger": "live:conversation"} if had_unread else {})
    return redirect(back_to(conversation.id), 303)


@bp.post("/<uuid:conversation_id>/messages/<uuid:message_id>/attempts")
@requires("inbox.reply")
def retry(conversation_id: uuid.UUID, message_id: uuid.UUID) -> AnyResponse | str:
    message = message_or_404(conversation_id, message_id)
    message.retry()
    return render_message(message)


@bp.post("/<uuid:conversation_id>/messages/<uuid:message_id>/cancellation")
@requires("inbox.reply")
def take_back(conversation_id: uuid.UUID, message_id: uuid.UUID) -> AnyResponse | str:
    """Cancels a queued message. One that is already being sent stays, and the page shows that.

    Its words are in the composer again: the page's script puts them there (give-back.js), or they become the draft.
    """
    message = message_or_404(conversation_id, message_id)
    if message.cancel() and not is_fragment():
        Draft.give_back(message, owner=current_user)
    return render_message(message)


@bp.post("/<uuid:conversation_id>/messages/<uuid:message_id>/merge")
@requires("inbox.reply")
def merge_messages(conversation_id: uuid.UUID, message_id: uuid.UUID) -> AnyResponse | str:
    """Makes one message of a held text and the one before it. Where one is already being sent, both stay."""
    message = message_or_404(conversation_id, message_id)
    message.merge()
    return render_message(message)


def thread_context(conversation: Conversation) -> dict[str, Any]:
    """The messages that a page shows: since `from`, around the message `at`, or from the first unread.

    `latest` begins with the last messages even so. `unread`: where “New messages” is shown since the page was opened.
    """
    since, until = Cursor.read(request.args.get("from")), Cursor.read(request.args.get("until"))
    around = conversation.find_message(request.args.get("at"))
    if around:
        shown = Thread.around_message(conversation, around)
    elif since:
        shown = Thread.starting_at(conversation, since, until)
        shown.unread_from = as_uuid(request.args.get("unread"))
    elif "latest" in request.args:
        shown = Thread.newest(conversation)
    else:
        shown = Thread.opened(conversation, first_unread(conversation, g.membership))
    head = head_context(conversation)
    return shown_context(shown) | head | {"composer_was": request.args.get("composer")}


def shown_context(shown: Thread) -> dict[str, Any]:
    return shown.context | {"previews": previews_of(shown.conversation, shown.messages)}
