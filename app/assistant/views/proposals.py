"""What the assistant could learn from resolved conversations: accept, edit, reject."""

from __future__ import annotations

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.assistant.access import ModelAccess
from app.assistant.assistant import Assistant
from app.assistant.blueprint import bp
from app.assistant.forms import PairForm
from app.assistant.knowledge import MOST_SOURCES, KnowledgeSource
from app.assistant.proposals import KnowledgeProposal
from app.tenancy import Paged, current_actor, requires

from .overview import Answer

PAGE = 20


@bp.get("/proposals")
@requires("assistant.manage")
def proposals() -> str:
    return proposals_page()


@bp.post("/proposals/learning")
@requires("assistant.manage")
def switch_learning() -> AnyResponse:
    Assistant.get_or_make().refresh_locked().learns = request.form.get("learns") == "1"
    flash(_("Saved."))
    return redirect(url_for(".proposals"), 303)


@bp.post("/proposals/<uuid:proposal_id>/acceptance")
@requires("assistant.manage")
def accept_proposal(proposal_id: uuid.UUID) -> Answer:
    """Makes it knowledge, as it is worded in the form."""
    proposal = open_proposal(proposal_id)
    form = PairForm(prefix=prefix_of(proposal))
    if not form.validate():
        return proposals_page(proposal, form), 422
    if KnowledgeSource.is_full():
        flash(_("There are %(most)d sources already. Delete some first.", most=MOST_SOURCES), "error")
        return redirect(url_for(".proposals"), 303)
    proposal.accept(form.title.data or "", form.body.data or "", by=current_actor())
    flash(_("Added to the knowledge."))
    return redirect(url_for(".proposals"), 303)


@bp.post("/proposals/<uuid:proposal_id>/rejection")
@requires("assistant.manage")
def reject_proposal(proposal_id: uuid.UUID) -> AnyResponse:
    open_proposal(proposal_id).reject(by=current_actor())
    flash(_("Rejected. This question isn't proposed again."))
    return redirect(url_for(".proposals"), 303)


def open_proposal(proposal_id: uuid.UUID) -> KnowledgeProposal:
    """One that no one has decided about yet. Who comes second finds the list as it is."""
    proposal = KnowledgeProposal.get_or_404(proposal_id).refresh_locked()
    if not proposal.is_open:
        flash(_("Somebody was faster."), "error")
        abort(redirect(url_for(".proposals"), 303))
    return proposal


def proposals_page(wrong: KnowledgeProposal | None = None, form: PairForm | None = None) -> str:
    """`wrong` is shown with what was typed and what is wrong with it."""
    page = Paged.of(KnowledgeProposal.open_ones(), PAGE)
    forms = {one.id: form_of(one) for one in page.rows}
    if wrong and form:
        forms[wrong.id] = form
    assistant = Assistant.current()
    return render_template(
        "assistant/proposals.html",
        page=page,
        forms=forms,
        learns=bool(assistant and assistant.learns),
        has_key=ModelAccess.current() is not None,
    )


def form_of(proposal: KnowledgeProposal) -> PairForm:
    values = {"title": proposal.question, "body": proposal.answer}
    return PairForm(formdata=None, data=values, prefix=prefix_of(proposal))


def prefix_of(proposal: KnowledgeProposal) -> str:
    """Several forms are on one page."""
    return f"{proposal.id}-"
