"""Canned replies: kept on a page, chosen in the composer."""

from __future__ import annotations

import re
import uuid

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.meta.outgoing.plain import LONGEST_TEXT
from app.team.models import Team
from app.tenancy import db, requires

from .canned_replies import VARIABLES, CannedReply
from .forms import tidy
from .models import Conversation
from .views import bp

SHORTCUT = re.compile(r"[\w-]{1,40}")


@bp.get("/canned-replies")
@requires("inbox.read")
def canned_replies() -> str:
    return page(CannedReply(shortcut="", body="", language=""))


@bp.get("/canned-replies/<uuid:canned_reply_id>")
@requires("inbox.reply")
def edit_canned_reply(canned_reply_id: uuid.UUID) -> str:
    return page(changeable(canned_reply_id))


def page(reply: CannedReply, problem: str = "") -> str:
    return render_template(
        "inbox/canned_replies.html",
        reply=reply,
        problem=problem,
        known=db.session.scalars(CannedReply.for_member(g.membership)).all(),
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
def add_canned_reply() -> AnyResponse | tuple[str, int]:
    is_shared = bool(request.form.get("shared")) and g.membership.may("desk.manage")
    return keep(CannedReply(owner_id=None if is_shared else g.membership.user_id))


@bp.post("/canned-replies/<uuid:canned_reply_id>")
@requires("inbox.reply")
def change_canned_reply(canned_reply_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    return keep(changeable(canned_reply_id))


def keep(reply: CannedReply) -> AnyResponse | tuple[str, int]:
    form = request.form
    with db.session.no_autoflush:
        reply.shortcut = form.get("shortcut", "").strip().lstrip("/")
        reply.body, reply.language = tidy(form.get("body")), form.get("language", "").strip()[:12]
        team = Team.get_or_404(form["team"]) if form.get("team") else None
        reply.team_id = team.id if team and reply.owner_id is None else None
        if problem := wrong_with(reply):
            answer = page(reply, problem), 422
            db.session.rollback()
            return answer
    db.session.add(reply)
    flash(_("/%(shortcut)s is kept.", shortcut=reply.shortcut))
    return redirect(url_for("inbox.canned_replies"), 303)


def wrong_with(reply: CannedReply) -> str:
    if not SHORTCUT.fullmatch(reply.shortcut):
        return str(_("A shortcut is one word: letters, digits, hyphens."))
    if not reply.body:
        return str(_("Write what it says."))
    if len(reply.body) > LONGEST_TEXT:
        return str(_("WhatsApp takes at most 4,096 characters."))
    return ""


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
    found = CannedReply.suggest(request.args.get("q", ""), g.membership)
    told = [(reply, reply.filled(conversation, by=current_user, tenant=g.tenant)) for reply in found]
    return render_template("inbox/_canned.html", replies=told, conversation=conversation)


@bp.post("/canned-replies/<uuid:canned_reply_id>/uses")
@requires("inbox.reply")
def use_canned_reply(canned_reply_id: uuid.UUID) -> tuple[str, int]:
    CannedReply.get_or_404(canned_reply_id).use()
    return "", 204
