"""Macros: kept on a page, run on a conversation."""

from __future__ import annotations

import uuid

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.meta.outgoing.plain import LONGEST_TEXT
from app.team.models import Team
from app.team.models.teams import colleagues
from app.tenancy import db, requires

from .desk import member_or_none
from .forms import tidy
from .jobs import deliver
from .lists import as_uuid
from .macros import ENDINGS, Macro
from .models import Conversation, NumberAway, SaidOtherwise, WindowClosed
from .state_views import Answer, told
from .views import bp


@bp.get("/macros")
@requires("inbox.read")
def macros() -> str:
    return page(Macro(name="", reply="", note="", assignment="", ending=""))


@bp.get("/macros/<uuid:macro_id>")
@requires("inbox.reply")
def edit_macro(macro_id: uuid.UUID) -> str:
    return page(changeable(macro_id))


def page(macro: Macro, problem: str = "") -> str:
    return render_template(
        "inbox/macros.html",
        macro=macro,
        problem=problem,
        known=db.session.scalars(Macro.for_member(g.membership)).all(),
        people=colleagues(),
        teams=db.session.scalars(Team.in_order()).all(),
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
    form = request.form
    with db.session.no_autoflush:
        macro.name = " ".join(form.get("name", "").split())[:60]
        macro.reply, macro.note = tidy(form.get("reply"))[:LONGEST_TEXT], tidy(form.get("note"))[:LONGEST_TEXT]
        macro.ending = form["ending"] if form.get("ending") in ENDINGS else ""
        team = Team.get_or_404(form["team"]) if form.get("team") else None
        macro.team_id = team.id if team else None
        choice = form.get("assignment", "")
        person = member_or_none(as_uuid(choice)) if as_uuid(choice) else None
        macro.assignee_id = person.id if person else None
        macro.assignment = "person" if person else choice if choice in ("me", "nobody") else ""
        if problem := wrong_with(macro):
            answer = page(macro, problem), 422
            db.session.rollback()
            return answer
    db.session.add(macro)
    flash(_("“%(name)s” is kept.", name=macro.name))
    return redirect(url_for("inbox.macros"), 303)


def wrong_with(macro: Macro) -> str:
    if not macro.name:
        return str(_("Give it a name."))
    if not (macro.reply or macro.note or macro.assignment or macro.team_id or macro.ending):
        return str(_("Choose at least one thing that it does."))
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
    return render_template("inbox/_macros.html", conversation=conversation, macros=known)


@bp.post("/<uuid:conversation_id>/macros/<uuid:macro_id>/runs")
@requires("inbox.reply")
def run_macro(conversation_id: uuid.UUID, macro_id: uuid.UUID) -> Answer:
    conversation, macro = Conversation.get_or_404(conversation_id), Macro.get_or_404(macro_id)
    if macro.owner_id not in (None, g.membership.user_id):
        abort(404)
    run_id = as_uuid(request.form.get("run_id")) or uuid.uuid4()
    try:
        message = macro.run(conversation, by=current_user, tenant=g.tenant, run_id=run_id)
    except WindowClosed:
        return told(conversation, _("The 24 hours to answer are over. Nothing of the macro was done."), wrong=True)
    except NumberAway:
        return told(conversation, _("This number is not connected. Nothing of the macro was done."), wrong=True)
    except SaidOtherwise:
        return told(conversation, _("The macro has run already."), wrong=True)
    if message:
        deliver.later()
    return told(conversation, _("“%(name)s” is done", name=macro.name))
