"""Templates for the tests of their pages."""

from __future__ import annotations

import uuid
from typing import Any

from app.message_templates.models import MessageTemplate
from app.message_templates.versions import Content
from app.tenancy import Actor, Tenant, User, db, tenant_scope
from app.wabas.models import PhoneNumber

TEXT = "Hi {{first_name}}, your order has been shipped today and will reach you soon."
FORM = {
    "category": "UTILITY",
    "name": "order_update",
    "language": "en_US",
    "body": TEXT,
    "body.examples.first_name": "Pablo",
}
BODY = {
    "type": "BODY",
    "text": TEXT,
    "example": {"body_text_named_params": [{"param_name": "first_name", "example": "Pablo"}]},
}
CONTENT = Content("UTILITY", True, [BODY])


def approved(number: PhoneNumber, name: str = "order_update", language: str = "en_US", **more: Any) -> MessageTemplate:
    """A template that Meta has."""
    with tenant_scope(number.tenant_id):
        row = MessageTemplate(id=uuid.uuid4(), waba_id=number.waba_id, name=name, language=language)
        row.meta_id, row.category, row.status = str(row.id.int)[:15], "UTILITY", "APPROVED"
        row.parameter_format, row.components = "NAMED", [BODY]
        for field, value in more.items():
            setattr(row, field, value)
        db.session.add(row)
    return row


def drafted(number: PhoneNumber, by: User, name: str = "order_update", language: str = "en_US") -> MessageTemplate:
    with tenant_scope(number.tenant_id):
        return MessageTemplate.begin(number.waba_id, name, language, CONTENT, by=Actor.agent(by))


def templates_of(tenant: Tenant) -> list[MessageTemplate]:
    with tenant_scope(tenant.id):
        return list(db.session.query(MessageTemplate).order_by(MessageTemplate.name, MessageTemplate.language))
