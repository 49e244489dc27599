"""A tenant's ledger, journal by journal. The id of a message shows a phone number, so it is hidden until an admin gives
a reason."""

from __future__ import annotations

import uuid

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.billing.ledger import KINDS, Journal, Posting
from app.platform.blueprint import bp
from app.platform.forms import ReasonForm
from app.platform.ledger import JournalFacts, LedgerQuery
from app.platform.looks import is_open, look
from app.platform.views.balances import tenant_or_404
from app.tenancy import db, platform_only, within_tenant
from app.words import N_

KIND_WORDS = {
    "message": N_("Message"),
    "reversal": N_("Taken back"),
    "repricing": N_("New price"),
    "top_up": N_("Payment"),
    "fee": N_("Monthly fee"),
    "tax": N_("Tax"),
    "adjustment": N_("Correction"),
    "credit": N_("Credit"),
}
ACCOUNT_WORDS = {
    "receivable": N_("Owed by the business"),
    "revenue": N_("Our revenue"),
    "cost": N_("Cost of messages"),
    "payable": N_("Owed to Meta"),
    "bank": N_("Bank"),
    "tax": N_("Tax"),
}
FREE_WORDS = {"no_plan": N_("No plan: nothing is charged"), "included": N_("Included in the plan")}


@bp.get("/tenants/<uuid:tenant_id>/ledger")
@platform_only
def ledger(tenant_id: uuid.UUID) -> str:
    tenant = tenant_or_404(tenant_id)
    query = LedgerQuery.read(*(request.args.get(name, "") for name in ("q", "month", "kind", "before")))
    with within_tenant(tenant_id):
        journals, more = query.page()
        last = db.session.scalar(Posting.newest_first().limit(1))
    return render_template(
        "platform/ledger.html",
        tenant=tenant,
        query=query,
        journals=journals,
        more=more,
        last=last,
        kinds={kind: KIND_WORDS[kind] for kind in KINDS},
        free_words=FREE_WORDS,
    )


@bp.get("/tenants/<uuid:tenant_id>/ledger/<uuid:journal_id>")
@platform_only
def journal(tenant_id: uuid.UUID, journal_id: uuid.UUID) -> str:
    return journal_page(tenant_id, journal_id, ReasonForm(formdata=None))


@bp.post("/tenants/<uuid:tenant_id>/ledger/<uuid:journal_id>/looks")
@platform_only
def look_at_journal(tenant_id: uuid.UUID, journal_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    form = ReasonForm()
    if not form.validate():
        return journal_page(tenant_id, journal_id, form), 422
    with within_tenant(tenant_id):
        Journal.get_or_404(journal_id)
    look("journal", journal_id, form.reason.data, [tenant_id])
    return redirect(url_for(".journal", tenant_id=tenant_id, journal_id=journal_id), 303)


def journal_page(tenant_id: uuid.UUID, journal_id: uuid.UUID, form: ReasonForm) -> str:
    tenant = tenant_or_404(tenant_id)
    with within_tenant(tenant_id):
        facts = JournalFacts.of(Journal.get_or_404(journal_id))
    return render_template(
        "platform/journal.html",
        tenant=tenant,
        facts=facts,
        is_open=is_open("journal", journal_id),
        form=form,
        kinds=KIND_WORDS,
        accounts=ACCOUNT_WORDS,
        free_words=FREE_WORDS,
    )
