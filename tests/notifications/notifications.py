"""Notifications and the templates behind them, for tests."""

from __future__ import annotations

from typing import Any

from app.notifications.models import Notification
from app.notifications.values import Variable
from app.tenancy import Actor, tenant_scope
from app.wabas.models import PhoneNumber
from tests.message_templates.templates import approved

BODY = {
    "type": "BODY",
    "text": "Hello {{name}}, we got {{amount}} from you. Thank you.",
    "example": {
        "body_text_named_params": [
            {"param_name": "name", "example": "Awa"},
            {"param_name": "amount", "example": "500,000 XOF"},
        ]
    },
}
FRENCH = BODY | {"text": "Bonjour {{name}}, nous avons reçu {{amount}}. Merci."}
NAME = Variable("name", "text", True, "Awa", "", "name")
AMOUNT = Variable("amount", "money", True, "500000 XOF", "", "amount")
GIVEN = {"name": "Carla", "amount": "500000 XOF"}


def notification(number: PhoneNumber, name: str = "payment_received", **more: Any) -> Notification:
    """One of this number's business, with its template in English and French."""
    for language, body in (("en_US", BODY), ("fr", FRENCH)):
        approved(number, f"t_{name}", language, components=[body])
    return plain_notification(number, name, template=f"t_{name}", **more)


def plain_notification(number: PhoneNumber, name: str, template: str, **more: Any) -> Notification:
    with tenant_scope(number.tenant_id):
        made = Notification(name=name, title=name.replace("_", " ").capitalize(), template=template, language="en_US")
        made.mapping, made.api_key_ids = [NAME.row, AMOUNT.row], []
        for field, value in more.items():
            setattr(made, field, value)
        made.save(by=Actor.system("tests"))
    return made
