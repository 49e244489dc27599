"""Canned replies: their page, and choosing one in the composer."""

from __future__ import annotations

import uuid

from flask import Response, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.compose.canned_files import CannedFile
from app.inbox.compose.canned_forms import CannedReplyForm
from app.inbox.compose.canned_replies import CannedReply
from app.inbox.conversations import Conversation
from app.inbox.files.attachments import LARGEST
from app.inbox.files.serving import serve
from app.tenancy import Paged, current_actor, db, in_menu, requires, takes_files
from app.variables import VARIABLES
from app.words import N_

PAGE = 50
SHEET_NAMES = {"buttons": N_("Buttons"), "list": N_("List"), "link": N_("Link button"), "flow": N_("Form")}
SHEET_ICONS = {"buttons": "square-mouse-pointer", "list": "list", "link": "link", "flow": "clipboard-list"}


@bp.get("/canned-replies")
@in_menu(
    "settings",
    N_("Canned replies"),
    "message-square-text",
    order=110,
    group="inbox",
    hint=N_("Replies you write once. Type / in the message box to find one."),
)
@requires("inbox.read")
def canned_replies() -> str:
    return render_canned_replies(CannedReplyForm(new_canned_reply(), g.membership))


@bp.get("/canned-replies/<uuid:canned_reply_id>")
@requires("inbox.reply")
def edit_canned_reply(canned_reply_id: uuid.UUID) -> str:
    return render_canned_replies(CannedReplyForm(canned_reply_or_404(canned_reply_id), g.membership))


@bp.post("/canned-replies")
@requires("inbox.reply")
@takes_files(LARGEST + 1_000_000)
def add_canned_reply() -> AnyResponse | tuple[str, int]:
    return save_canned_reply(new_canned_reply())


@bp.post("/canned-replies/<uuid:canned_reply_id>")
@requires("inbox.reply")
@takes_files(LARGEST + 1_000_000)
def change_canned_reply(canned_reply_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    return save_canned_reply(canned_reply_or_404(canned_reply_id))


def save_canned_reply(reply: CannedReply) -> AnyResponse | tuple[str, int]:
    form = CannedReplyForm(reply, g.membership)
    if not (form.validate() and form.save()):
        return render_canned_replies(form), 422
    flash(_("/%(shortcut)s saved.", shortcut=reply.shortcut))
    return redirect(url_for("inbox.canned_replies"), 303)


def render_canned_replies(form: CannedReplyForm) -> str:
    page = Paged.of(CannedReply.for_member(g.membership), PAGE)
    files = CannedFile.by_reply([reply.id for reply in page.rows])
    return render_template(
        "inbox/compose/canned_replies.html",
        form=form,
        page=page,
        files=files,
        variables=VARIABLES,
        sheet_names=SHEET_NAMES,
    )


def new_canned_reply() -> CannedReply:
    return CannedReply(shortcut="", body="", language="")


def canned_reply_or_404(reply_id: uuid.UUID) -> CannedReply:
    """A reply that the reader may change. A colleague's own does not exist for them; everyone's may be read only."""
    reply = CannedReply.get_or_404(reply_id)
    if reply.owner_id not in (None, g.membership.user_id):
        abort(404)
    if not reply.may_be_changed_by(g.membership):
        abort(403)
    return reply


@bp.post("/canned-replies/<uuid:canned_reply_id>/removal")
@requires("inbox.reply")
def remove_canned_reply(canned_reply_id: uuid.UUID) -> AnyResponse:
    reply = canned_reply_or_404(canned_reply_id)
    db.session.delete(reply)
    flash(_("/%(shortcut)s removed.", shortcut=reply.shortcut))
    return redirect(url_for("inbox.canned_replies"), 303)


@bp.get("/<uuid:conversation_id>/canned-replies")
@requires("inbox.reply")
def suggest_canned_replies(conversation_id: uuid.UUID) -> str:
    """The replies that match what was typed after `/`, with the variables of this conversation."""
    conversation = Conversation.get_or_404(conversation_id)
    typed = request.args.get("q", "")
    matches = CannedReply.suggest(typed, g.membership, conversation.customer_language)
    replies = [(reply, reply.fill_in(conversation, by=current_actor(), tenant=g.tenant)) for reply in matches]
    files = CannedFile.by_reply([reply.id for reply in matches])
    return render_template(
        "inbox/compose/_canned.html",
        replies=replies,
        files=files,
        typed=typed,
        conversation=conversation,
        sheet_icons=SHEET_ICONS,
    )


@bp.post("/canned-replies/<uuid:canned_reply_id>/uses")
@requires("inbox.reply")
def use_canned_reply(canned_reply_id: uuid.UUID) -> tuple[str, int]:
    mine = CannedReply.for_member(g.membership).where(CannedReply.id == canned_reply_id)
    if reply := db.session.scalar(mine):
        reply.count_use()
    return ("", 204) if reply else ("", 404)


@bp.get("/canned-files/<uuid:canned_file_id>")
@requires("inbox.read")
def canned_file(canned_file_id: uuid.UUID) -> Response:
    file = canned_file_or_404(canned_file_id)
    return serve(file, file.storage_key, file.content_type, file.size)


@bp.get("/canned-files/<uuid:canned_file_id>/thumbnail")
@requires("inbox.read")
def canned_thumbnail(canned_file_id: uuid.UUID) -> Response:
    file = canned_file_or_404(canned_file_id)
    return serve(file, file.thumbnail_key, "image/webp", None)


def canned_file_or_404(file_id: uuid.UUID) -> CannedFile:
    if (file := CannedFile.for_member(file_id, g.membership)) is None:
        abort(404)
    return file
