"""Draws invoices, so that no request has to."""

from __future__ import annotations

import io

import structlog
from flask_babel import force_locale

from app.billing.invoices import Invoice
from app.extensions import outside
from app.templating import languages
from app.tenancy import commit, job

from .invoice_pdf import InvoicePaper, key_of, stored
from .months import Words

log = structlog.get_logger()


@job("costs.draw_invoice", "files", seconds=90)
def draw_invoice(invoice_id: str, language: str) -> None:
    """Draws the PDF of an invoice in a language and stores it, once."""
    invoice = Invoice.get_or_404(invoice_id)
    commit()
    if language not in languages() or stored(invoice, language) is not None:
        return
    with force_locale(language):
        paper, key = InvoicePaper.of(invoice, Words()), key_of(invoice, language)
    commit()
    if (drawn := paper.draw()) is None:
        log.error("invoice not drawn", invoice_id=invoice_id)
        return
    outside().storage.put(key, io.BytesIO(drawn))
