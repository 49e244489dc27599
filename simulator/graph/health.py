from typing import Any

from simulator.credit_line import CreditLine
from simulator.foreign_lines import credit_of
from simulator.message_templates import SENDABLE, MessageTemplate
from simulator.phone_numbers import PhoneNumber
from simulator.wabas import Waba

NO_PAYMENT = {
    "error_code": 141006,
    "error_description": "There is an error with the payment method. This will block business initiated conversations.",
    "possible_solution": "There was an error with your payment method. Please add a new payment method to the account.",
}
NOT_REGISTERED = {
    "error_code": 141000,
    "error_description": "The phone number is not registered.",
    "possible_solution": "Register the phone number with the Cloud API.",
}
DISABLED = {
    "error_code": 131031,
    "error_description": "The WhatsApp Business Account has been disabled for violating WhatsApp's policy.",
    "possible_solution": "Request a review in Business Support Home.",
}
NOT_APPROVED = {
    "error_code": 141002,
    "error_description": "The message template is not approved.",
    "possible_solution": "Wait for the review, or edit the template and submit it again.",
}
NAME_PENDING = "Your display name has not been approved yet. Your message limit will increase after it is approved."
ORDER = ["AVAILABLE", "LIMITED", "BLOCKED"]


def waba_health(waba: Waba) -> dict[str, Any]:
    """The `health_status` of an account."""
    return _worst_of(_around(waba))


def number_health(number: PhoneNumber) -> dict[str, Any]:
    """The `health_status` of a number."""
    problem = None if number.registered else NOT_REGISTERED
    entity = _entity("PHONE_NUMBER", number.id, problem)
    if not problem and number.name_status == "PENDING_REVIEW":
        entity |= {"can_send_message": "LIMITED", "additional_info": [NAME_PENDING]}
    return _worst_of([entity, *_around(number.waba)])


def template_health(template: MessageTemplate, waba: Waba) -> dict[str, Any]:
    """The `health_status` of a template."""
    problem = None if template.status in SENDABLE else NOT_APPROVED
    return _worst_of([_entity("MESSAGE_TEMPLATE", template.id, problem), *_around(waba)])


def _around(waba: Waba) -> list[dict[str, Any]]:
    problem = DISABLED if waba.status == "DISABLED" else None if _is_paid_for(waba) else NO_PAYMENT
    return [
        _entity("WABA", waba.id, problem),
        _entity("BUSINESS", waba.business_id),
        _entity("APP", waba.world.settings.app_id),
    ]


def _is_paid_for(waba: Waba) -> bool:
    return credit_of(waba) is not None and not CreditLine.of(waba.world).is_used_up


def _entity(kind: str, node_id: str, problem: dict[str, Any] | None = None) -> dict[str, Any]:
    entity: dict[str, Any] = {"entity_type": kind, "id": node_id}
    if problem:
        return entity | {"can_send_message": "BLOCKED", "errors": [problem]}
    return entity | {"can_send_message": "AVAILABLE"}


def _worst_of(entities: list[dict[str, Any]]) -> dict[str, Any]:
    worst = max((entity["can_send_message"] for entity in entities), key=ORDER.index)
    return {"can_send_message": worst, "entities": entities}
