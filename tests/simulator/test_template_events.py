from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.simulator.stand_ins import Product


@pytest.fixture
def change(client: FlaskClient, shop: dict[str, str], settle: Callable[[], None]) -> Any:
    """Seeds a template, changes it, and lets the webhooks arrive."""
    body = {"phone_number_id": shop["phone_number_id"], "name": "shipped", "category": "UTILITY"}
    template = client.post("/control/api/templates", json=body | {"components": [{"type": "BODY", "text": "Sent."}]})

    def change(**changes: Any) -> Any:
        answer = client.post(f"/control/api/templates/{template.get_json()['id']}", json=changes)
        settle()
        return answer.get_json()

    return change


def test_a_rejection_says_why(product: Product, change: Any) -> None:
    assert change(status="REJECTED", reason="INVALID_FORMAT")["rejected_reason"] == "INVALID_FORMAT"
    (value,) = product.values("message_template_status_update")
    assert (value["event"], value["reason"], type(value["message_template_id"])) == ("REJECTED", "INVALID_FORMAT", int)
    assert set(value["rejection_info"]) == {"reason", "recommendation"}


def test_a_pause_says_which(product: Product, change: Any) -> None:
    change(status="PAUSED", title="SECOND_PAUSE")
    assert product.values("message_template_status_update")[0]["other_info"]["title"] == "SECOND_PAUSE"


def test_quality_goes_from_one_to_another(product: Product, change: Any) -> None:
    change(quality="GREEN")
    change(quality="YELLOW")
    scores = [
        (value["previous_quality_score"], value["new_quality_score"])
        for value in product.values("message_template_quality_update")
    ]
    assert scores == [("UNKNOWN", "GREEN"), ("GREEN", "YELLOW")]


def test_a_category_changes_after_a_notice(product: Product, change: Any) -> None:
    change(correct_category="MARKETING")
    assert change(category="MARKETING")["previous_category"] == "UTILITY"
    notice, done = product.values("template_category_update")
    assert (notice["correct_category"], notice["new_category"]) == ("MARKETING", "UTILITY")
    assert (done["previous_category"], done["new_category"]) == ("UTILITY", "MARKETING")


def test_new_components_are_announced(product: Product, change: Any) -> None:
    change(components=[{"type": "BODY", "text": "On its way."}, {"type": "FOOTER", "text": "Bakery"}])
    (value,) = product.values("message_template_components_update")
    assert (value["message_template_element"], value["message_template_footer"]) == ("On its way.", "Bakery")


def test_a_change_must_be_one_of_metas(client: FlaskClient, change: Any) -> None:
    assert "error" in change(status="LOVELY")
