"""Macros: their page, and running one on a conversation."""

from __future__ import annotations

import uuid

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.compose.macro_forms import MacroForm
from app.inbox.compose.macros import Macro
from app.inbox.compose.problems import NOT_SENT, explain
from app.inbox.conversations import Conversation, NumberUnavailable, Refusal, WindowClosed
from app.message_templates.models import TemplateList
from app.meta.outgoing import Refused
from app.storage import StorageUnavailable
from app.tenancy import Paged, as_uuid, current_actor, db, in_menu, requires
from app.words import N_

from .states import Page, respond_changed

PAGE = 50


@bp.get("/macros")
@in_menu("settings", N_("Macros"), "zap", order=120, group="inbox", hint=N_("Several steps in one."))
@requires("inbox.read")
def macros() -> str:
    return render_macros(MacroForm(new_macro(), g.membership))


@bp.get("/macros/<uuid:macro_id>")
@requires("inbox.reply")
def edit_macro(macro_id: uuid.UUID) -> str:
    return render_macros(MacroForm(macro_or_404(macro_id), g.membership))


@bp.post("/macros")
@requires("inbox.reply")
def add_macro() -> AnyResponse | tuple[str, int]:
    return save_macro(new_macro())


@bp.post("/macros/<uuid:macro_id>")
@requires("inbox.reply")
def change_macro(macro_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    return save_macro(macro_or_404(macro_id))


def save_macro(macro: Macro) -> AnyResponse | tuple[str, int]:
    form = MacroForm(macro, g.membership)
    if not form.validate():
        return render_macros(form), 422
    form.save()
    flash(_("“%(name)s” saved.", name=macro.name))
    return redirect(url_for("inbox.macros"), 303)


def render_macros(form: MacroForm) -> str:
    TemplateList.refresh_all()
    page = Paged.of(Macro.for_member(g.membership), PAGE)
    return render_template("inbox/compose/macros.html", form=form, page=page)


def new_macro() -> Macro:
    empty = dict.fromkeys(("name", "reply", "note", "assignment", "ending", "template_name", "template_language"), "")
    return Macro(**empty, canned_shortcut="")


def macro_or_404(macro_id: uuid.UUID) -> Macro:
    """A macro that the reader may change. A colleague's own does not exist for them."""
    macro = usable_macro_or_404(macro_id)
    if not macro.may_be_changed_by(g.membership):
        abort(403)
    return macro


def usable_macro_or_404(macro_id: uuid.UUID) -> Macro:
    macro = Macro.get_or_404(macro_id)
    if macro.owner_id not in (None, g.membership.user_id):
        abort(404)
    return macro


@bp.post("/macros/<uuid:macro_id>/removal")
@requires("inbox.reply")
def remove_macro(macro_id: uuid.UUID) -> AnyResponse:
    macro = macro_or_404(macro_id)
    db.session.delete(macro)
    flash(_("“%(name)s” removed.", name=macro.name))
    return redirect(url_for("inbox.macros"), 303)


@bp.get("/<uuid:conversation_id>/macros")
@requires("inbox.reply")
def choose_macro(conversation_id: uuid.UUID) -> str:
    saved = db.session.scalars(Macro.for_member(g.membership)).all()
    conversation = Conversation.get_or_404(conversation_id)
    return render_template("inbox/compose/_macros.html", conversation=conversation, macros=saved)


@bp.post("/<uuid:conversation_id>/macros/<uuid:macro_id>/runs")
@requires("inbox.reply")
def run_macro(conversation_id: uuid.UUID, macro_id: uuid.UUID) -> Page:
    conversation, macro = Conversation.get_or_404(conversation_id), usable_macro_or_404(macro_id)
    run_id = as_uuid(request.form.get("run_id")) or uuid.uuid4()
    try:
        macro.run(conversation, by=current_actor(), tenant=g.tenant, run_id=run_id)
    except NOT_SENT as problem:
        return respond_changed(conversation, explain_no_run(problem), status=409)
    return respond_changed(conversation, _("“%(name)s” was run", name=macro.name))


def explain_no_run(problem: Exception) -> str:
    """Why no step of a macro was run, in words."""
    match problem:
        case WindowClosed():
            return str(
                _(
                    "The macro wasn't run. The 24-hour reply window has closed. "
                    "Add a template to the macro for this case."
                )
            )
        case NumberUnavailable():
            return str(_("The macro wasn't run. This number is not connected to WhatsApp."))
        case Refusal():
            return str(_("The macro wasn't run. %(why)s", why=explain(problem)))
        case Refused():
            return str(_("The macro wasn't run. %(why)s", why=problem.explain(_)))
        case StorageUnavailable():
            return str(_("The macro wasn't run. The file couldn't be read. Try again in a moment."))
    return str(_("This macro was already run."))
