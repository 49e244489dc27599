from typing import Any

from simulator.credit_line import CreditLine
from simulator.foreign_lines import credit_of
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
ORDER = ["AVAILABLE", "LIMITED", "BLOCKED"]


def waba_health(waba: Waba) -> dict[str, Any]:
    return _worst_of(_around(waba))


def number_health(number: PhoneNumber) -> dict[str, Any]:
    trouble = None if number.registered else NOT_REGISTERED
    return _worst_of([_entity("PHONE_NUMBER", number.id, trouble), *_around(number.waba)])


def _around(waba: Waba) -> list[dict[str, Any]]:
    return [
        _entity("WABA", waba.id, None if _is_paid_for(waba) else NO_PAYMENT),
        _entity("BUSINESS", waba.business_id),
        _entity("APP", waba.world.settings.app_id),
    ]


def _is_paid_for(waba: Waba) -> bool:
    return credit_of(waba) is not None and not CreditLine.of(waba.world).is_used_up


def _entity(kind: str, node_id: str, trouble: dict[str, Any] | None = None) -> dict[str, Any]:
    entity: dict[str, Any] = {"entity_type": kind, "id": node_id}
    if trouble:
        return entity | {"can_send_message": "BLOCKED", "errors": [trouble]}
    return entity | {"can_send_message": "AVAILABLE"}


def _worst_of(entities: list[dict[str, Any]]) -> dict[str, Any]:
    worst = max((entity["can_send_message"] for entity in entities), key=ORDER.index)
    return {"can_send_message": worst, "entities": entities}
