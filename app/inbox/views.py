"""The shared inbox. Page, fragment and live update of a region share one function and one partial."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from flask_babel import format_currency, format_decimal
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.meta.outgoing import EXTENSIONS, TAKEN
from app.meta.outgoing import LARGEST as LARGEST_OF
from app.tenancy import later, requires, takes_files
from app.tenancy.guard import is_fragment

from .attachments import LARGEST
from .drafts import Draft
from .forms import ReplyForm
from .markup import Run, runs
from .models import Conversation, Cursor, Message
from .notes import Mention, Note, name_runs
from .problems import NOT_SENT, told
from .read_pointers import ReadPointer
from .thread import Thread
from .uploads import hand_on
from .voice import can_make_voice_notes

bp = Blueprint("inbox", __name__, url_prefix="/t/<tenant_slug>/inbox")


@bp.get("/<uuid:conversation_id>")
@requires("inbox.read")
def show(conversation_id: uuid.UUID) -> str:
    conversation = Conversation.get_or_404(conversation_id)
    form = ReplyForm.blank(reply_to=request.args.get("reply_to", ""))
    context = thread_context(conversation) | {"form": form, "answering": form.answered_in(conversation)}
    if is_fragment() and "HX-History-Restore-Request" not in request.headers:
        return render_template("inbox/_conversation.html", **context)
    return render_template("inbox/show.html", **context, beside=list_views.arguments())


@bp.get("/<uuid:conversation_id>/details")
@requires("inbox.read")
def details(conversation_id: uuid.UUID) -> str:
    """Who the customer is: asked for when there is room to see it."""
    page = "inbox/_details.html" if is_fragment() else "inbox/details.html"
    return render_template(page, conversation=Conversation.get_or_404(conversation_id))


@bp.get("/<uuid:conversation_id>/messages")
@requires("inbox.read")
def thread(conversation_id: uuid.UUID) -> str:
    """The messages from `from` to the newest, or the page before `before`, or after `after`."""
    conversation = Conversation.get_or_404(conversation_id)
    if before := Cursor.read(request.args.get("before")):
        return render_template("inbox/_older.html", **Thread.before(conversation, before).context)
    if after := Cursor.read(request.args.get("after")):
        return render_template("inbox/_newer.html", **Thread.after(conversation, after).context)
    return render_template("inbox/thread.html", **thread_context(conversation), form=ReplyForm.blank())


@bp.post("/<uuid:conversation_id>/messages")
@requires("inbox.reply")
@takes_files(LARGEST + 1_000_000)
def reply(conversation_id: uuid.UUID) -> tuple[str, int] | AnyResponse | str:
    """Words and files, as one message or several."""
    conversation, form = Conversation.get_or_404(conversation_id), ReplyForm()
    if not form.validate():
        return refused(conversation, form)
    try:
        messages = form.writing(conversation, g.membership).send(conversation, by=current_user)
    except NOT_SENT as problem:
        return refused(conversation, form, told(problem))
    for message in messages:
        message.hold()
        hand_on(message)
    if form.body.data:
        Draft.clear(conversation, "reply", by=current_user, age=draft_views.told_age())
    if conversation.phone_number.read_receipts == "on_reply":
        later("outbound.mark_read", conversation.id)
    if is_fragment():
        return "".join(render_template("inbox/_message.html", message=message) for message in messages)
    return redirect(url_for("inbox.show", conversation_id=conversation.id), 303)


def refused(conversation: Conversation, form: ReplyForm, words: str = "") -> tuple[str, int]:
    """The composer again, with what was typed and what is wrong with it."""
    if words:
        form.body.errors = [words]
    answering = form.answered_in(conversation)
    if is_fragment():
        context = {"conversation": conversation, "form": form, "answering": answering}
        return render_template("inbox/_composer.html", **context), 422
    context = thread_context(conversation) | {"answering": answering, "beside": list_views.arguments()}
    return render_template("inbox/show.html", **context, form=form), 422


@bp.post("/<uuid:conversation_id>/reading")
@requires("inbox.reply")
def read(conversation_id: uuid.UUID) -> AnyResponse:
    """An agent is looking at it: no longer unread, and the customer sees blue ticks."""
    conversation = Conversation.get_or_404(conversation_id)
    is_news = ReadPointer.move(conversation, g.membership)
    is_news = Mention.see(conversation, current_user) or is_news
    if conversation.mark_read() and conversation.phone_number.read_receipts == "always":
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
        return render_template("inbox/_message.html", message=message)
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
        return render_template("inbox/_message.html", message=message)
    return redirect(url_for("inbox.show", conversation_id=conversation_id), 303)


def thread_context(conversation: Conversation) -> dict[str, Any]:
    """What a page shows: the last messages; all since the one it already begins with; or those around one."""
    since, until = Cursor.read(request.args.get("from")), Cursor.read(request.args.get("until"))
    around = Message.find(request.args.get("at"))
    if around and around.conversation_id == conversation.id:
        shown = Thread.around_message(conversation, around)
    else:
        shown = Thread.from_on(conversation, since, until) if since else Thread.newest(conversation)
    head = state_views.head_context(conversation)
    return shown.context | head | {"window_was": request.args.get("window")}


@bp.app_template_filter()
def marked_up(text: str) -> list[Run]:
    """A text as runs, each with its styles."""
    return runs(text)


@bp.app_template_filter()
def unmarked(text: str) -> str:
    return "".join(run.text for run in runs(text))


@bp.app_template_filter()
def price(amount: Decimal, currency: str) -> str:
    return str(format_currency(amount, currency)) if len(currency) == 3 else str(format_decimal(amount))


@bp.app_template_filter()
def named(body: str, note: Note) -> list[tuple[str, bool]]:
    """A note as runs, each with whether it names a colleague."""
    return name_runs(body, note)


@bp.app_template_global()
def new_id() -> str:
    return str(uuid.uuid4())


@bp.app_template_global()
def draft_message(conversation: Conversation) -> Message:
    """What a bubble looks like before it is sent: the page fills in its text and id."""
    return Message.outbound(conversation, "", by=current_user, client_id=uuid.UUID(int=0))


bp.add_app_template_global(can_make_voice_notes)


@bp.app_template_global()
def accepted_files(kind: str = "") -> str:
    """What the file picker offers: all that WhatsApp takes, or what is of one kind."""
    kinds = [kind] if kind else [*TAKEN]
    types = [mime for kind in kinds for mime in TAKEN[kind]]
    return ",".join([*types, *(f".{extension}" for extension, mime in EXTENSIONS.items() if mime in types)])


@bp.app_template_global()
def file_limits() -> dict[str, Any]:
    """For the page's own check: the largest file of each kind, and the types of each."""
    return {kind: {"most": LARGEST_OF[kind], "types": TAKEN[kind]} for kind in TAKEN}


# Their views belong to this blueprint.
from . import (  # noqa: E402
    bulk_views,  # noqa: F401
    canned_views,  # noqa: F401
    compose_views,  # noqa: F401
    draft_views,
    emoji_views,  # noqa: F401
    list_views,
    macro_views,  # noqa: F401
    media_views,  # noqa: F401
    note_views,  # noqa: F401
    number_views,  # noqa: F401
    presence_views,  # noqa: F401
    saved_view_views,  # noqa: F401
    schedule_views,  # noqa: F401
    search_views,  # noqa: F401
    shortcut_views,  # noqa: F401
    state_views,
    template_views,  # noqa: F401
    waits,  # noqa: F401
)
