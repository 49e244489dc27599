"""The page of a template in one language: how it is, what to do, what it was, and what is done with it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.message_templates.blueprint import bp
from app.message_templates.category_costs import CategoryCost
from app.message_templates.changes import TemplateChange
from app.message_templates.chart import Chart, share
from app.message_templates.comparison import compare
from app.message_templates.figures import TemplateFigures
from app.message_templates.models import GONE, MessageTemplate, TemplateList
from app.message_templates.settings import TemplateSettings
from app.message_templates.versions import TemplateVersion
from app.meta import template_calls as calls
from app.meta import template_statuses as words
from app.meta.outgoing.kinds import Refused
from app.meta.payload import mapping
from app.tenancy import Paged, current_actor, db, now, requires
from app.tenancy.guard import is_fragment
from app.wabas.asking import Problem, ask
from app.wabas.models import Waba

SPANS = (30, 90, 365)
PAGE = 50
MOST_VERSIONS = 100
MOST_SIBLINGS = 100
LONGEST_FOLDER = 60
Answer = str | tuple[str, int] | AnyResponse


@bp.get("/<uuid:template_id>")
@requires("templates.view")
def show(template_id: uuid.UUID) -> str:
    return page(MessageTemplate.get_or_404(template_id))


def page(template: MessageTemplate, problem: Problem | None = None) -> str:
    name = "message_templates/life_changed.html" if is_fragment() else "message_templates/life.html"
    return render_template(name, **life_context(template), problem=problem)


def life_context(template: MessageTemplate) -> dict[str, Any]:
    version = TemplateVersion.open_of(template.id)
    qualities = TemplateChange.of(template.id).where(TemplateChange.what == "quality").limit(10)
    return (
        head_context(template)
        | rejection_context(template)
        | {
            "version": version,
            "pause": words.pause_of(template.status_facts),
            "pause_ends": pause_ends(template),
            "cost": CategoryCost.of(template) if g.membership.may("templates.edit") else None,
            "uses": template.uses,
            "broken": template.broken_by(template.newest) if version else [],
            "chart": chart_of(template),
            "counts_since": TemplateList.of(template.waba_id).counts_since,
            "qualities": db.session.scalars(qualities).all(),
            "siblings": siblings(template),
            "may_submit": TemplateSettings.current().lets_submit(g.membership),
        }
    )


def head_context(template: MessageTemplate) -> dict[str, Any]:
    """What every page of a template shows at its top."""
    waba = Waba.get_or_404(template.waba_id)
    return {"template": template, "waba": waba, "words": words, "status": words.status_words(template.status)}


def rejection_context(template: MessageTemplate) -> dict[str, Any]:
    """What Meta says about its status, and the part it is about."""
    return {
        "reason": words.reason_words(template.status_facts, template.category),
        "quotes": words.quotes(template.status_facts),
        "part": part_of(template),
    }


def part_of(template: MessageTemplate) -> tuple[str, str] | None:
    """The part that Meta's words are about, with its text; None where they don't say, or it has no text."""
    part, definition = words.part_of(template.status_facts), template.definition
    labels = " · ".join(str(button.get("text") or button.get("url") or "") for button in definition.buttons)
    footer = str(mapping(definition.part("FOOTER")).get("text") or "")
    text = {"header": definition.header, "body": definition.body, "footer": footer, "buttons": labels}.get(part)
    return (part, text) if text else None


def pause_ends(template: MessageTemplate) -> dt.datetime | None:
    """When a pause ends by itself, where Meta has said which pause it is."""
    pause = words.pause_of(template.status_facts)
    if template.status != "PAUSED" or not (pause and pause.lasts and template.status_at):
        return None
    return template.status_at + pause.lasts


def chart_of(template: MessageTemplate) -> Chart:
    days = request.args.get("days", SPANS[0], int)
    days = days if days in SPANS else SPANS[0]
    today = now().date()
    return Chart.of(TemplateFigures.between(template.id, today - dt.timedelta(days=days), today), today, days)


def siblings(template: MessageTemplate) -> list[tuple[MessageTemplate, str]]:
    """The same name in other languages and accounts, with the account's name."""
    same = MessageTemplate.name == template.name, MessageTemplate.id != template.id
    query = select(MessageTemplate, Waba.name).join(
        Waba, (Waba.tenant_id == MessageTemplate.tenant_id) & (Waba.id == MessageTemplate.waba_id)
    )
    rows = db.session.execute(query.where(*same).order_by(MessageTemplate.language).limit(MOST_SIBLINGS))
    return [(row[0], row[1]) for row in rows]


bp.add_app_template_global(share, "percent")
bp.add_app_template_global(words.status_words, "status_words")


@bp.get("/<uuid:template_id>/history")
@requires("templates.view")
def history(template_id: uuid.UUID) -> str:
    """Every change, with its time, who says so, and Meta's words."""
    template = MessageTemplate.get_or_404(template_id)
    changes = Paged.of(TemplateChange.of(template.id), PAGE)
    return render_template("message_templates/life_history.html", **head_context(template), page=changes)


@bp.get("/<uuid:template_id>/versions")
@requires("templates.view")
def versions(template_id: uuid.UUID) -> str:
    """Every text that was submitted, and two of them side by side."""
    template = MessageTemplate.get_or_404(template_id)
    listed = db.session.scalars(TemplateVersion.of(template.id).limit(MOST_VERSIONS)).all()
    by_id = {str(version.id): version for version in listed}
    new = by_id.get(request.args.get("new", "")) or (listed[0] if listed else None)
    earlier = listed[listed.index(new) + 1 :] if new else []
    old = by_id.get(request.args.get("old", "")) or (earlier[0] if earlier else None)
    rows = compare(old.content, new.content) if old and new else []
    context = {"versions": listed, "old": old, "new": new, "rows": rows}
    return render_template("message_templates/life_versions.html", **head_context(template), **context)


@bp.post("/<uuid:template_id>/versions/<uuid:version_id>/restoration")
@requires("templates.edit")
def restore(template_id: uuid.UUID, version_id: uuid.UUID) -> AnyResponse:
    template, version = MessageTemplate.get_or_404(template_id), TemplateVersion.get_or_404(version_id)
    if version.template_id != template.id:
        return back(template, _("This version belongs to another template."), "error")
    try:
        template.restore(version, by=current_actor())
    except Refused as refused:
        return back(template, refused.explain(_), "error")
    flash(_("Restored as a draft. Check it, then submit it."))
    return redirect(url_for(".draft", template_id=template.id), 303)


@bp.post("/<uuid:template_id>/visibility")
@requires("templates.edit")
def change_visibility(template_id: uuid.UUID) -> AnyResponse:
    template = MessageTemplate.get_or_404(template_id)
    template.is_hidden = request.form.get("hidden") == "1"
    hidden, shown = _("Hidden. Agents aren't offered this template."), _("Agents are offered this template again.")
    return back(template, hidden if template.is_hidden else shown)


@bp.post("/<uuid:template_id>/folder")
@requires("templates.edit")
def move(template_id: uuid.UUID) -> AnyResponse:
    """Puts it into a folder, in all its languages."""
    template = MessageTemplate.get_or_404(template_id)
    template.move_to(" ".join(request.form.get("folder", "").split())[:LONGEST_FOLDER])
    return back(template, _("Saved."))


@bp.post("/<uuid:template_id>/pause/removal")
@requires("templates.edit")
def unpause(template_id: uuid.UUID) -> Answer:
    template = MessageTemplate.get_or_404(template_id)
    waba, meta_id = Waba.get_or_404(template.waba_id), template.meta_id or abort(404)
    _done, problem = ask(waba, lambda graph, token: calls.unpause(graph, token, meta_id))
    if problem:
        return page(template, problem), 422
    TemplateList.of(waba.id).refresh()
    return back(template, _("Meta was asked to end the pause. This page shows it as soon as Meta confirms."))


@bp.post("/<uuid:template_id>/archive")
@requires("templates.edit")
def archive(template_id: uuid.UUID) -> Answer:
    return change_archive(template_id, is_archived=True)


@bp.post("/<uuid:template_id>/archive/removal")
@requires("templates.edit")
def unarchive(template_id: uuid.UUID) -> Answer:
    return change_archive(template_id, is_archived=False)


def change_archive(template_id: uuid.UUID, *, is_archived: bool) -> Answer:
    template = MessageTemplate.get_or_404(template_id)
    waba, meta_id, call = Waba.get_or_404(template.waba_id), template.meta_id or abort(404), calls.unarchive
    waba_meta_id = waba.meta_id
    if is_archived:
        call = calls.archive
    failed, problem = ask(waba, lambda graph, token: call(graph, token, waba_meta_id, [meta_id]))
    if failed:
        problem = Problem(words.NOT_CHANGED, words.TRY_LATER, " ".join(failed.values()))
    if problem:
        return page(template, problem), 422
    if is_archived:
        template.turn("ARCHIVED", source="member", by=current_actor())
    TemplateList.of(waba.id).refresh()
    return back(template, _("Archived.") if is_archived else _("Restored from the archive."))


@bp.post("/<uuid:template_id>/figures")
@requires("templates.edit")
def turn_on_figures(template_id: uuid.UUID) -> Answer:
    """Has Meta count for this account. It cannot be turned off."""
    template = MessageTemplate.get_or_404(template_id)
    waba = Waba.get_or_404(template.waba_id)
    waba_meta_id = waba.meta_id
    _done, problem = ask(waba, lambda graph, token: calls.enable_insights(graph, token, waba_meta_id))
    if problem:
        return page(template, problem), 422
    TemplateList.of(waba.id).note_counting(True)
    return back(template, _("Meta counts from now on. The first figures appear within a day."))


@bp.get("/<uuid:template_id>/removal")
@requires("templates.edit")
def removal(template_id: uuid.UUID) -> str:
    return removal_page(MessageTemplate.get_or_404(template_id))


def removal_page(template: MessageTemplate, problem: Problem | None = None, complaint: str = "") -> str:
    languages = template.languages()
    uses = {one.language: one.uses for one in languages}
    context = {"languages": languages, "uses": uses, "complaint": complaint, "problem": problem}
    return render_template("message_templates/life_removal.html", **head_context(template), **context)


@bp.post("/<uuid:template_id>/removal")
@requires("templates.edit")
def remove(template_id: uuid.UUID) -> Answer:
    template = MessageTemplate.get_or_404(template_id)
    all_languages = request.form.get("scope") == "all"
    removed = template.languages() if all_languages else [template]
    if any(one.uses for one in removed) and not request.form.get("breaks_uses"):
        return removal_page(template, complaint=_("Tick the box to delete a template that is in use.")), 422
    at_meta = [one for one in removed if one.meta_id and one.status != GONE]
    if at_meta:
        waba, name = Waba.get_or_404(template.waba_id), template.name
        only = None if all_languages else template.meta_id
        waba_meta_id = waba.meta_id
        _done, problem = ask(waba, lambda graph, token: calls.delete(graph, token, waba_meta_id, name, only))
        if problem:
            return removal_page(template, problem), 422
    try:
        for one in removed:
            one.remove(by=current_actor())
    except Refused as refused:
        return removal_page(template, complaint=refused.explain(_)), 422
    flash(_("“%(name)s” deleted.", name=template.title))
    return redirect(url_for(".index"), 303)


def back(template: MessageTemplate, words: str, kind: str = "message") -> AnyResponse:
    flash(words, kind)
    return redirect(url_for(".show", template_id=template.id), 303)
