"""What other features learn of records."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from app.assistant.lookups import MOST_LINES, assistant_lookup
from app.tenancy import db
from app.words import N_

from .models import Record, of_contact
from .stages import TYPE_NAMES

WORDS = """order deal offer status stage delivery contract application property pedido oferta estado entrega
 contrato solicitud encomenda proposta situacao commande offre statut etape livraison contrat dossier bestellung
 angebot status lieferung vertrag antrag طلب طلبي صفقه عرض حاله عقد توصيل"""


@assistant_lookup(
    "records", N_("Their deals, orders and other records"), "The customer's deals, orders and so on.", WORDS
)
def records_of(contact_id: uuid.UUID) -> list[str]:
    """As the card beside a conversation shows them; one that its source no longer has is left out."""
    present = of_contact(contact_id).where(Record.gone_at.is_(None)).limit(MOST_LINES)
    return ["; ".join(facts_of(record)) for record in db.session.scalars(present)]


def facts_of(record: Record) -> Iterator[str]:
    yield f"{TYPE_NAMES[record.type]}: {record.title or record.external_id}"
    if record.stage:
        yield f"stage: {record.stage}"
    if record.money:
        yield f"amount: {record.money}"
    for one in record.details:
        yield f"{one.name}: {one.words}"
