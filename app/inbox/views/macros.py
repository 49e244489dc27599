"""Macros: kept on a page, run on a conversation."""

from __future__ import annotations

import uuid

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.tags import Tag
from app.inbox.blueprint import bp
from app.inbox.compose.canned_replies import CannedReply
from app.inbox.compose.forms import tidy
from app.inbox.compose.macros import ENDINGS, Macro
from app.inbox.compose.problems import NOT_SENT
from app.inbox.compose.problems import told as told_problem
from app.inbox.conversations import Conversation, NumberAway, Refusal, WindowClosed
from app.inbox.conversations.assignment import member_or_none
from app.inbox.desk.lists import as_uuid
from app.inbox.outbound.uploads import hand_on
from app.message_templates.models import MessageTemplate, TemplateList
from app.meta.outgoing import Refused
from app.meta.outgoing.plain import LONGEST_TEXT
from app.storage import StorageAway
from app.team.models import Team
from app.team.models.teams import colleagues
from app.tenancy import current_actor, db, in_menu, requires
from app.words import N_

from .states import Answer, told


@bp.get("/macros")
@in_menu("settings", N_("Macros"), "zap", order=120, group="inbox", hint=N_("Several steps in one."))
@requires("inbox.read")
def macros() -> str:
    return page(Macro(name="", reply="", note="", assignment="", ending="", template_name="", template_language=""))


@bp.get("/macros/<uuid:macro_id>")
@requires("inbox.reply")
def edit_macro(macro_id: uuid.UUID) -> str:
    return page(changeable(macro_id))


def page(macro: Macro, problem: str = "") -> str:
    TemplateList.refresh_all()
    return render_template(
        "inbox/compose/macros.html",
        macro=macro,
        problem=problem,
        known=db.session.scalars(Macro.for_member(g.membership)).all(),
        people=colleagues(),
        teams=db.session.scalars(Team.in_order()).all(),
        tags=db.session.scalars(Tag.in_order()).all(),
        canned=db.session.scalars(CannedReply.for_member(g.membership)).all(),
        templates=MessageTemplate.whole(),
    )


def changeable(macro_id: uuid.UUID) -> Macro:
    macro = Macro.get_or_404(macro_id)
    if macro.owner_id not in (None, g.membership.user_id):
        abort(404)
    if not macro.may_be_changed_by(g.membership):
        abort(403)
    return macro


@bp.post("/macros")
@requires("inbox.reply")
def add_macro() -> AnyResponse | tuple[str, int]:
    is_shared = bool(request.form.get("shared")) and g.membership.may("desk.manage")
    return keep(Macro(owner_id=None if is_shared else g.membership.user_id))


@bp.post("/macros/<uuid:macro_id>")
@requires("inbox.reply")
def change_macro(macro_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    return keep(changeable(macro_id))


def keep(macro: Macro) -> AnyResponse | tuple[str, int]:
    with db.session.no_autoflush:
        fill(macro)
        choose_what_is_said(macro)
        choose_whose_it_becomes(macro)
        macro.choose_tags(request.form.getlist("add_tag"), request.form.getlist("remove_tag"))
        if problem := wrong_with(macro):
            answer = page(macro, problem), 422
            db.session.rollback()
            return answer
    db.session.add(macro)
    flash(_("“%(name)s” is kept.", name=macro.name))
    return redirect(url_for("inbox.macros"), 303)


def fill(macro: Macro) -> None:
    form = request.form
    macro.name, macro.note = " ".join(form.get("name", "").split())[:60], tidy(form.get("note"))[:LONGEST_TEXT]
    macro.ending = form["ending"] if form.get("ending") in ENDINGS else ""
    team = Team.get_or_404(form["team"]) if form.get("team") else None
    macro.team_id = team.id if team else None


def choose_what_is_said(macro: Macro) -> None:
    """Words of its own or a canned reply, and a template."""
    form = request.form
    macro.reply = tidy(form.get("reply"))[:LONGEST_TEXT]
    mine = CannedReply.for_member(g.membership).where(CannedReply.id == as_uuid(form.get("canned")))
    canned = db.session.scalar(mine)
    macro.canned_reply_id, macro.canned_shortcut = (canned.id, canned.shortcut) if canned else (None, "")
    macro.template_name, _bar, macro.template_language = form.get("template", "").partition("|")


def choose_whose_it_becomes(macro: Macro) -> None:
    choice = request.form.get("assignment", "")
    person = member_or_none(as_uuid(choice)) if as_uuid(choice) else None
    macro.assignee_id = person.id if person else None
    macro.assignment = "person" if person else choice if choice in ("me", "nobody") else ""


def wrong_with(macro: Macro) -> str:
    canned = CannedReply.find(macro.canned_reply_id)
    if not macro.name:
        return str(_("Give it a name."))
    if not macro.does_something:
        return str(_("Choose at least one thing that it does."))
    if macro.reply and canned:
        return str(_("Choose words of its own or a canned reply, not both."))
    if canned and canned.owner_id and macro.owner_id is None:
        return str(_("/%(shortcut)s is yours alone: a macro for everybody cannot send it.", shortcut=canned.shortcut))
    return ""


@bp.post("/macros/<uuid:macro_id>/removal")
@requires("inbox.reply")
def remove_macro(macro_id: uuid.UUID) -> AnyResponse:
    macro = changeable(macro_id)
    db.session.delete(macro)
    flash(_("“%(name)s” is removed.", name=macro.name))
    return redirect(url_for("inbox.macros"), 303)


@bp.get("/<uuid:conversation_id>/macros")
@requires("inbox.reply")
def choose_macro(conversation_id: uuid.UUID) -> str:
    known = db.session.scalars(Macro.for_member(g.membership)).all()
    conversation = Conversation.get_or_404(conversation_id)
    return render_template("inbox/compose/_macros.html", conversation=conversation, macros=known)


@bp.post("/<uuid:conversation_id>/macros/<uuid:macro_id>/runs")
@requires("inbox.reply")
def run_macro(conversation_id: uuid.UUID, macro_id: uuid.UUID) -> Answer:
    conversation, macro = Conversation.get_or_404(conversation_id), Macro.get_or_404(macro_id)
    if macro.owner_id not in (None, g.membership.user_id):
        abort(404)
    run_id = as_uuid(request.form.get("run_id")) or uuid.uuid4()
    try:
        messages = macro.run(conversation, by=current_actor(), tenant=g.tenant, run_id=run_id)
    except NOT_SENT as problem:
        return told(conversation, why_not(problem), wrong=True)
    for message in messages:
        hand_on(message)
    return told(conversation, _("“%(name)s” is done", name=macro.name))


def why_not(problem: Exception) -> str:
    match problem:
        case WindowClosed():
            return str(
                _("The 24 hours to answer are over. Nothing of the macro was done: give it a template for that case.")
            )
        case NumberAway():
            return str(_("This number is not connected. Nothing of the macro was done."))
        case Refusal():
            return f"{told_problem(problem)} {_('Nothing of the macro was done.')}"
        case Refused():
            return str(_("%(why)s Nothing of the macro was done.", why=problem.told(_)))
        case StorageAway():
            return str(_("The file could not be read. Nothing of the macro was done: try again in a moment."))
    return str(_("The macro has run already."))
