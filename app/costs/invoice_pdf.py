"""An invoice as a PDF: drawn once in a language, by a program of its own (pdf_maker.py), and stored."""

from __future__ import annotations

import json
import pathlib
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import format_decimal, get_locale
from flask_babel import gettext as _

from app import dates
from app.billing.invoices import Invoice, InvoiceLine
from app.billing.money import percent
from app.costs.months import Words
from app.extensions import outside
from app.inbox.files import sandbox
from app.storage import NotStored
from app.templating import percent as in_percent
from app.tenancy import Tenant, db

PROGRAM = pathlib.Path(__file__).with_name("pdf_maker.py")
MEMORY, SECONDS = 1024 * 1024 * 1024, 40


@dataclass(frozen=True)
class InvoicePaper:
    """`facts` are all that is on it, as text."""

    facts: dict[str, Any]

    @classmethod
    def of(cls, invoice: Invoice, words: Words) -> InvoicePaper:
        is_credit = invoice.kind == "credit_note"
        number = invoice.number
        title = _("Credit note %(number)s", number=number) if is_credit else _("Invoice %(number)s", number=number)
        under = [
            _("Issued on %(day)s", day=dates.long(invoice.issued_at.date())),
            _("For %(month)s", month=dates.month(invoice.month)),
        ]
        return cls(
            {
                "title": title,
                "language": str(get_locale() or "en").replace("_", "-"),
                "under": under,
                "parties": [
                    party(_("Billed by"), invoice.seller, words),
                    party(_("Billed to"), buyer_of(invoice), words),
                ],
                "reason": invoice.reason,
                "columns": [_("Line"), _("Messages"), _("Amount")],
                "rows": [row(line, invoice, words) for line in invoice.lines],
                "totals": [
                    [_("Net"), str(invoice.net)],
                    [tax_words(invoice), str(invoice.tax)],
                    [_("Total"), str(invoice.total)],
                ],
                "notes": [_("It is charged to the balance of the business.")],
                "page": _("Page %(page)s of %(pages)s", page="{page}", pages="{pages}"),
            }
        )

    def draw(self) -> bytes | None:
        """None where the program failed. Takes a second: no transaction is open, and no request waits for it."""
        with tempfile.TemporaryFile() as file:
            file.write(json.dumps(self.facts).encode())
            return sandbox.run(PROGRAM, file, memory=MEMORY, seconds=SECONDS)


def key_of(invoice: Invoice, language: str) -> str:
    """Where its PDF is stored: an invoice never changes, so there is one in each language."""
    return f"{invoice.tenant_id}/{uuid.uuid5(invoice.id, language).hex}"


def stored(invoice: Invoice, language: str) -> Iterator[bytes] | None:
    """Its PDF; None where it is not drawn yet."""
    try:
        return outside().storage.stream(key_of(invoice, language))
    except NotStored:
        return None


def buyer_of(invoice: Invoice) -> dict[str, str]:
    """Older invoices were issued without a name where none was entered."""
    return invoice.buyer | {"name": invoice.buyer.get("name") or db.session.get_one(Tenant, invoice.tenant_id).name}


def party(title: str, facts: dict[str, str], words: Words) -> dict[str, Any]:
    country = words.of("country", facts["country"]) if facts.get("country") else ""
    vat = _("VAT id %(id)s", id=facts["vat_id"]) if facts.get("vat_id") else ""
    lines = [facts.get("name") or _("Not entered"), facts.get("address", ""), country, vat, facts.get("contact", "")]
    return {"title": title, "lines": [line for line in lines if line]}


def row(line: InvoiceLine, invoice: Invoice, words: Words) -> dict[str, str]:
    amount = str(invoice.amount(line.micros))
    if line.kind != "messages":
        kind = _("Monthly fee") if line.kind == "fee" else _("Correction")
        return {"text": kind, "detail": line.note, "count": "", "amount": amount}
    text = f"{line.category_words}, {words.of('country', line.country)}"
    detail = words.of("phone_number_id", str(line.phone_number_id))
    return {"text": text, "detail": detail, "count": str(format_decimal(line.messages)), "amount": amount}


def tax_words(invoice: Invoice) -> str:
    """The rate, or why there is none."""
    match invoice.tax_note:
        case "reverse_charge":
            return str(_("Tax: reverse charge, the recipient owes the tax"))
        case "outside":
            return str(_("Tax: not taxable in the European Union"))
    return str(_("Tax %(percent)s", percent=in_percent(percent(invoice.tax_rate))) if invoice.tax_rate else _("Tax"))
