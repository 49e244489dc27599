"""Approval within the business: what waits for an owner, and what the owner makes of it."""

from __future__ import annotations

import uuid

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.message_templates.blueprint import bp
from app.message_templates.models import BreaksUses, MessageTemplate, TooManyEdits
from app.message_templates.versions import TemplateVersion
from app.meta.outgoing.kinds import Refused
from app.templating import exact
from app.tenancy import Paged, current_actor, requires

from .life import back

PAGE = 50
LONGEST_NOTE = 1_000


@bp.get("/reviews")
@requires("templates.approve")
def reviews() -> str:
    """What waits for an owner, the oldest first."""
    same = (TemplateVersion.tenant_id == MessageTemplate.tenant_id) & (
        TemplateVersion.template_id == MessageTemplate.id
    )
    waiting = TemplateVersion.awaiting().join(MessageTemplate, same).with_only_columns(MessageTemplate, TemplateVersion)
    return render_template("message_templates/life_reviews.html", page=Paged.of(waiting, PAGE))


@bp.post("/<uuid:template_id>/submission")
@requires("templates.edit")
def submit(template_id: uuid.UUID) -> AnyResponse:
    """Submits the draft as the page showed it."""
    return submit_in(MessageTemplate.get_or_404(template_id), "draft")


@bp.post("/<uuid:template_id>/approval")
@requires("templates.approve")
def approve(template_id: uuid.UUID) -> AnyResponse:
    """Submits the version that waits, as it was when the owner read it."""
    return submit_in(MessageTemplate.get_or_404(template_id), "awaiting")


def submit_in(template: MessageTemplate, state: str) -> AnyResponse:
    if not is_as_read(template, state):
        return back(template, _("This version has changed or been withdrawn meanwhile. Read it again."), "error")
    try:
        agreed = bool(request.form.get("breaks_uses"))
        version = template.submit(by=current_actor(), membership=g.membership, breaks_uses=agreed)
    except TooManyEdits as problem:
        words = _(
            "Not submitted: Meta takes the next change of this template on %(time)s.", time=exact(problem.next_at)
        )
        return back(template, words, "error")
    except BreaksUses as problem:
        return back(template, f"{problem.explain(_)} {_('Tick the box to submit it all the same.')}", "error")
    except Refused as problem:
        return back(template, problem.explain(_), "error")
    if version.state == "awaiting":
        return back(template, _("Sent to the owners for approval."))
    return back(template, _("Submitted. Meta usually decides within minutes."))


@bp.post("/<uuid:template_id>/return")
@requires("templates.approve")
def send_back(template_id: uuid.UUID) -> AnyResponse:
    """Back to whoever wrote it, with a note."""
    template = MessageTemplate.get_or_404(template_id)
    template.send_back(request.form.get("note", "").strip()[:LONGEST_NOTE], by=current_actor())
    flash(_("Sent back. The note is shown beside the draft."))
    return redirect(url_for(".reviews"), 303)


def is_as_read(template: MessageTemplate, state: str) -> bool:
    """Keeps others from changing it until it is submitted."""
    version = template.locked_version()
    read = request.form.get("revision", type=int)
    return version is not None and version.state == state and version.revision == read
