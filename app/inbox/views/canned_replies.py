"""Canned replies: kept on a page, chosen in the composer."""

from __future__ import annotations

import re
import uuid

from flask import Response, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.compose.canned_files import CannedFile
from app.inbox.compose.canned_replies import VARIABLES, CannedReply, language_of
from app.inbox.compose.forms import tidy
from app.inbox.compose.problems import told
from app.inbox.conversations import Conversation
from app.inbox.files.attachments import LARGEST, Attachment
from app.meta import outgoing
from app.meta.outgoing import Refused
from app.storage import StorageAway
from app.team.models import Team
from app.tenancy import current_actor, db, in_menu, requires, takes_files
from app.words import N_

from .media import serve

SHORTCUT = re.compile(r"[\w-]{1,40}")


@bp.get("/canned-replies")
@in_menu(
    "settings",
    N_("Canned replies"),
    "message-square-text",
    order=110,
    group="inbox",
    hint=N_("Replies written once. Type / in the message box to find one."),
)
@requires("inbox.read")
def canned_replies() -> str:
    return page(CannedReply(shortcut="", body="", language=""))


@bp.get("/canned-replies/<uuid:canned_reply_id>")
@requires("inbox.reply")
def edit_canned_reply(canned_reply_id: uuid.UUID) -> str:
    return page(changeable(canned_reply_id))


def page(reply: CannedReply, problem: str = "") -> str:
    known = db.session.scalars(CannedReply.for_member(g.membership)).all()
    return render_template(
        "inbox/compose/canned_replies.html",
        reply=reply,
        problem=problem,
        known=known,
        files=CannedFile.by_reply([one.id for one in [*known, reply] if one.id]),
        teams=db.session.scalars(Team.in_order()).all(),
        variables=VARIABLES,
    )


def changeable(reply_id: uuid.UUID) -> CannedReply:
    """Somebody else's own does not exist for us; a shared one may be read by all and changed by some."""
    reply = CannedReply.get_or_404(reply_id)
    if reply.owner_id not in (None, g.membership.user_id):
        abort(404)
    if not reply.may_be_changed_by(g.membership):
        abort(403)
    return reply


@bp.post("/canned-replies")
@requires("inbox.reply")
@takes_files(LARGEST + 1_000_000)
def add_canned_reply() -> AnyResponse | tuple[str, int]:
    is_shared = bool(request.form.get("shared")) and g.membership.may("desk.manage")
    return keep(CannedReply(owner_id=None if is_shared else g.membership.user_id))


@bp.post("/canned-replies/<uuid:canned_reply_id>")
@requires("inbox.reply")
@takes_files(LARGEST + 1_000_000)
def change_canned_reply(canned_reply_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    return keep(changeable(canned_reply_id))


def keep(reply: CannedReply) -> AnyResponse | tuple[str, int]:
    """The words, and the file: a new one, the one there was, or none any more."""
    before = CannedFile.of(reply) if reply.id else None
    kept = None if "remove_file" in request.form else before
    with db.session.no_autoflush:
        fill(reply)
        try:
            attachment = attached()
            check(reply, carried.kind if (carried := attachment or kept) else None)
            file = CannedFile.store(attachment) if attachment else kept
        except (Refused, StorageAway) as problem:
            return refused(reply, told(problem))
    db.session.add(reply)
    db.session.flush()
    if before and before is not file:
        before.leave()
    if file:
        file.belong_to(reply)
    flash(_("/%(shortcut)s is kept.", shortcut=reply.shortcut))
    return redirect(url_for("inbox.canned_replies"), 303)


def fill(reply: CannedReply) -> None:
    form = request.form
    reply.shortcut = form.get("shortcut", "").strip().lstrip("/")
    reply.body, reply.language = tidy(form.get("body")), form.get("language", "").strip()[:12]
    team = Team.get_or_404(form["team"]) if form.get("team") else None
    reply.team_id = team.id if team and reply.owner_id is None else None


def attached() -> Attachment | None:
    """Raises `Refused` where WhatsApp takes no such file."""
    upload = request.files.get("file")
    return Attachment.of(upload.stream, upload.filename) if upload and upload.filename else None


def check(reply: CannedReply, kind: str | None) -> None:
    """Raises `Refused` where it could not be found, or WhatsApp would not take it."""
    if not SHORTCUT.fullmatch(reply.shortcut):
        raise Refused(N_("A shortcut is one word: letters, digits, hyphens."))
    if reply.has_twin:
        raise Refused(
            N_("There is a /{shortcut} already. Change that one, or take another word."), shortcut=reply.shortcut
        )
    if not (reply.body or kind):
        raise Refused(N_("Write what it says, or choose a file."))
    if kind in outgoing.CAPTIONED:
        outgoing.file(kind, reply.body)
    elif reply.body:
        outgoing.text(reply.body)


def refused(reply: CannedReply, problem: str) -> tuple[str, int]:
    answer = page(reply, problem), 422
    db.session.rollback()
    return answer


@bp.post("/canned-replies/<uuid:canned_reply_id>/removal")
@requires("inbox.reply")
def remove_canned_reply(canned_reply_id: uuid.UUID) -> AnyResponse:
    reply = changeable(canned_reply_id)
    db.session.delete(reply)
    flash(_("/%(shortcut)s is removed.", shortcut=reply.shortcut))
    return redirect(url_for("inbox.canned_replies"), 303)


@bp.get("/<uuid:conversation_id>/canned-replies")
@requires("inbox.reply")
def suggest_canned_replies(conversation_id: uuid.UUID) -> str:
    """What `/` and the letters after it may mean, filled in for this conversation."""
    conversation = Conversation.get_or_404(conversation_id)
    found = CannedReply.suggest(request.args.get("q", ""), g.membership, language_of(conversation))
    filled = [(reply, reply.filled(conversation, by=current_actor(), tenant=g.tenant)) for reply in found]
    files = CannedFile.by_reply([reply.id for reply in found])
    return render_template("inbox/compose/_canned.html", replies=filled, files=files, conversation=conversation)


@bp.post("/canned-replies/<uuid:canned_reply_id>/uses")
@requires("inbox.reply")
def use_canned_reply(canned_reply_id: uuid.UUID) -> tuple[str, int]:
    mine = CannedReply.for_member(g.membership).where(CannedReply.id == canned_reply_id)
    if reply := db.session.scalar(mine):
        reply.use()
    return ("", 204) if reply else ("", 404)


@bp.get("/canned-files/<uuid:canned_file_id>")
@requires("inbox.read")
def canned_file(canned_file_id: uuid.UUID) -> Response:
    file = file_or_404(canned_file_id)
    return serve(file, file.storage_key, file.content_type, file.size)


@bp.get("/canned-files/<uuid:canned_file_id>/thumbnail")
@requires("inbox.read")
def canned_thumbnail(canned_file_id: uuid.UUID) -> Response:
    return serve(file := file_or_404(canned_file_id), file.thumbnail_key, "image/webp", None)


def file_or_404(file_id: uuid.UUID) -> CannedFile:
    if (file := CannedFile.for_member(file_id, g.membership)) is None:
        abort(404)
    return file
