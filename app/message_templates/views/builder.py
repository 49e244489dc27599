"""Writing a template: a new one, a copy in another language or account, and the next version of one."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app import zones
from app.message_templates.blueprint import bp
from app.message_templates.fields import BUTTONS
from app.message_templates.forms import CATEGORIES, TemplateForm, free_name
from app.message_templates.models import GONE, BreaksUses, MessageTemplate, NameTaken, TooManyEdits
from app.message_templates.samples import LARGEST, MB, TYPES
from app.message_templates.settings import TemplateSettings
from app.message_templates.starters import starter_named
from app.message_templates.versions import Content, EditedMeanwhile, TemplateVersion
from app.message_templates.wording import BUTTONS as BUTTON_NAMES
from app.message_templates.wording import VALIDITIES
from app.meta.outgoing.kinds import Refused
from app.meta.template_languages import LANGUAGES
from app.templating import in_zone
from app.tenancy import as_uuid, current_actor, db, requires, takes_files
from app.tenancy.guard import is_fragment

from .life import rejection_context
from .list import accounts, words_context

MOST_BYTES = max(LARGEST.values()) + MB
ONLY_MARKETING = ("CATALOG", "MPM", "SPM")
Answer = str | tuple[str, int] | AnyResponse


@bp.get("/new")
@requires("templates.edit")
def new() -> str:
    """An empty form, or one with a starter of the gallery or a template to copy; nothing is stored yet."""
    waba_id = as_uuid(request.args.get("account")) or next((waba.id for waba in accounts()), None)
    language = request.args.get("language", "")
    if original := MessageTemplate.find(request.args.get("copy")):
        version = db.session.scalar(TemplateVersion.of(original.id).limit(1))
        content = version.content if version else original.content
        waba_id = as_uuid(request.args.get("account")) or original.waba_id
        return builder_page(TemplateForm.new(content, name=original.name, language=language, waba_id=waba_id))
    language = language if language in LANGUAGES else readers_language()
    if starter := starter_named(request.args.get("starter", "")):
        definition = starter.definition(language if language in starter.languages else starter.languages[0])
        content = Content(definition.category, definition.is_named, definition.components)
        name = free_name(waba_id, definition.name, definition.language)
        return builder_page(TemplateForm.new(content, name=name, language=definition.language, waba_id=waba_id))
    blank = Content("UTILITY", True, [])
    return builder_page(TemplateForm.new(blank, name="", language=language, waba_id=waba_id))


def readers_language() -> str:
    """The nearest to the reader's language that templates may be in."""
    code = str(get_locale() or "en")
    alike = (each for each in LANGUAGES if each.partition("_")[0] == code.partition("_")[0])
    return "en_US" if code == "en" else code if code in LANGUAGES else next(alike, "en_US")


@bp.post("/new")
@requires("templates.edit")
@takes_files(MOST_BYTES)
def change_new() -> str:
    return changed(read_form(None))


@bp.post("/")
@requires("templates.edit")
@takes_files(MOST_BYTES)
def create() -> Answer:
    return save(read_form(None))


@bp.get("/<uuid:template_id>/draft")
@requires("templates.edit")
def draft(template_id: uuid.UUID) -> str | AnyResponse:
    """What is being written, or the text that Meta has: the next version begins when something is saved."""
    template = MessageTemplate.get_or_404(template_id)
    if template.status == GONE:
        flash(_("Meta doesn't have this template any more. Copy it to use its text again."), "error")
        return redirect(url_for(".show", template_id=template.id), 303)
    form = TemplateForm.of(template, TemplateVersion.open_of(template.id))
    form.check()
    return builder_page(form)


@bp.post("/<uuid:template_id>/draft/form")
@requires("templates.edit")
@takes_files(MOST_BYTES)
def change_draft(template_id: uuid.UUID) -> str:
    return changed(read_form(MessageTemplate.get_or_404(template_id)))


@bp.post("/<uuid:template_id>/draft")
@requires("templates.edit")
@takes_files(MOST_BYTES)
def save_draft(template_id: uuid.UUID) -> Answer:
    return save(read_form(MessageTemplate.get_or_404(template_id)))


@bp.post("/<uuid:template_id>/draft/removal")
@requires("templates.edit")
def discard(template_id: uuid.UUID) -> AnyResponse:
    template = MessageTemplate.get_or_404(template_id)
    try:
        template.discard()
    except Refused as refused:
        flash(refused.explain(_), "error")
        return redirect(url_for(".draft", template_id=template.id), 303)
    flash(_("Draft discarded."))
    return redirect(url_for(".index"), 303)


@bp.app_template_filter()
def in_braces(name: object) -> str:
    """A variable as it is written in a text."""
    return f"{{{{{name}}}}}"


def read_form(template: MessageTemplate | None) -> TemplateForm:
    form = TemplateForm.read(request.form, template)
    form.take_files(request.files)
    return form.completed()


def changed(form: TemplateForm) -> str:
    """The form with one change of its shape and with what is wrong with it; nothing is saved."""
    if action := request.form.get("action"):
        form.change(action)
        form.completed()
    form.check()
    return builder_page(form)


def save(form: TemplateForm) -> Answer:
    """Saves it as a draft, or also submits it: then only when Meta would take it."""
    is_submitted = request.form.get("then") == "submit"
    form.check(strictly=True)
    if form.lacks_identity or (is_submitted and form.is_wrong):
        return builder_page(form), 422
    try:
        template = form.save(by=current_actor())
    except EditedMeanwhile as problem:
        form.complain(problem)
        return builder_page(form), 409
    except (NameTaken, Refused) as problem:
        form.complain(problem)
        return builder_page(form), 422
    return submit(template) if is_submitted else saved(template)


def saved(template: MessageTemplate) -> AnyResponse:
    flash(_("Draft saved."))
    return redirect(url_for(".draft", template_id=template.id), 303)


def submit(template: MessageTemplate) -> AnyResponse:
    agreed = bool(request.form.get("breaks_uses"))
    try:
        version = template.submit(by=current_actor(), membership=g.membership, breaks_uses=agreed)
    except TooManyEdits as problem:
        flash(_("Saved, but not submitted: Meta takes the next edit %(time)s.", time=exact(problem.next_at)), "error")
    except BreaksUses as refused:
        flash(refused.explain(_), "error")
        return redirect(url_for(".show", template_id=template.id), 303)
    except Refused as refused:
        flash(refused.explain(_), "error")
    else:
        is_awaiting = version.state == "awaiting"
        flash(_("Sent for approval.") if is_awaiting else _("Submitted. Meta usually decides within minutes."))
        return redirect(url_for(".show", template_id=template.id), 303)
    return redirect(url_for(".draft", template_id=template.id), 303)


def exact(moment: Any) -> str:
    return in_zone(zones.local(moment), "MMMMd")


def builder_page(form: TemplateForm) -> str:
    template = form.template
    name = "message_templates/_builder.html" if is_fragment() else "message_templates/builder.html"
    return render_template(name, form=form, template=template, **addresses(template), **context(form))


def addresses(template: MessageTemplate | None) -> dict[str, str]:
    if template is None:
        return {"save_address": url_for(".create"), "change_address": url_for(".change_new")}
    return {
        "save_address": url_for(".save_draft", template_id=template.id),
        "change_address": url_for(".change_draft", template_id=template.id),
    }


def context(form: TemplateForm) -> dict[str, Any]:
    template = form.template
    version = TemplateVersion.open_of(template.id) if template else None
    limit = template.edit_limit if template and template.status == "APPROVED" else None
    takes_edits = template is None or template.is_draft or (template.is_editable and not (limit and limit.next_at))
    listed = accounts()
    return words_context() | {
        "version": version,
        "rejection": rejection_context(template) if template and template.status == "REJECTED" else None,
        "edit_limit": limit,
        "next_edit_at": limit.next_at if limit else None,
        "can_submit": takes_edits,
        "submits": TemplateSettings.current().lets_submit(g.membership),
        "accounts": listed,
        "account_options": [(str(waba.id), waba.name or waba.meta_id) for waba in listed],
        "language_options": [(code, f"{_(words)} ({code})") for code, words in LANGUAGES.items()],
        "category_names": CATEGORIES,
        "button_kinds": BUTTONS,
        "button_names": BUTTON_NAMES,
        "offered_buttons": offered_buttons(form),
        "sample_types": TYPES,
        "ttl_hints": VALIDITIES,
        "siblings": siblings(template) if template else [],
        "broken": template.broken_by(form.definition) if template else [],
        "out_of_step": template.out_of_step_with(form.definition) if template else [],
    }


def offered_buttons(form: TemplateForm) -> list[str]:
    """Those that its category and layout may have."""
    if form.layout == "offer":
        return ["COPY_CODE", "URL"]
    return [kind for kind in BUTTONS if form.category == "MARKETING" or kind not in ONLY_MARKETING]


def siblings(template: MessageTemplate) -> list[MessageTemplate]:
    """The same template in other languages."""
    same = MessageTemplate.of(template.waba_id).where(
        MessageTemplate.name == template.name, MessageTemplate.id != template.id
    )
    return list(db.session.scalars(same.limit(100)))
