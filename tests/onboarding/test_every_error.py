"""Every error of Meta's at every call: it ends connected, or red at a step with a name, our words and the way on."""

from __future__ import annotations

import pytest

from app.onboarding.steps import STEPS
from tests.onboarding.attempts import Attempt

PASSES = [(2, None), (4, None), (80007, None)]
LASTING = [(200, None), (10, None), (100, None), (190, 463)]
EDGES = {
    "token_inspected": ["debug_token"],
    "assets_confirmed": ["GET waba", "GET phone_numbers"],
    "webhooks_subscribed": ["GET subscribed_apps", "POST subscribed_apps"],
    "system_user_assigned": ["GET assigned_users", "POST assigned_users"],
    "credit_line_shared": ["owning_credit_allocation_configs", "whatsapp_credit_sharing_and_attach"],
    "credit_line_verified": ["GET allocation"],
    "number_verified": ["GET phone_number"],
    "number_registered": ["POST register"],
}
OF_A_STEP = [
    ("code_exchanged", "oauth/access_token", 100, 36007),
    ("code_exchanged", "oauth/access_token", 100, 36008),
    ("code_exchanged", "oauth/access_token", 100, 36009),
    ("code_exchanged", "oauth/access_token", 101, None),
    ("code_exchanged", "oauth/access_token", 1, None),
    ("assets_confirmed", "GET waba", 803, None),
    ("system_user_assigned", "POST assigned_users", 803, None),
    ("number_registered", "POST register", 133000, None),
    ("number_registered", "POST register", 133004, None),
    ("number_registered", "POST register", 133005, None),
    ("number_registered", "POST register", 133006, None),
    ("number_registered", "POST register", 133008, None),
    ("number_registered", "POST register", 133009, None),
    ("number_registered", "POST register", 133015, None),
    ("number_registered", "POST register", 133016, None),
    ("app_synchronised", "smb_app_data", 2593107, None),
    ("app_synchronised", "smb_app_data", 2593108, None),
    ("app_synchronised", "smb_app_data", 2, None),
]
TABLE = OF_A_STEP + [
    (name, edge, code, subcode) for name, edges in EDGES.items() for edge in edges for code, subcode in PASSES + LASTING
]


def come_to_an_end(attempt: Attempt) -> None:
    """As often as the machine itself would try."""
    for _ in range(8):
        attempt.run()
        if attempt.state != "running":
            return
        attempt.make_due()
    raise AssertionError("it neither ends nor waits")


@pytest.mark.parametrize(("name", "edge", "code", "subcode"), TABLE)
def test_it_ends_connected_or_red_with_a_way_on(
    attempt: Attempt, name: str, edge: str, code: int, subcode: int | None
) -> None:
    attempt.sign_up(coexistence=name == "app_synchronised")
    attempt.fail(edge, code, subcode=subcode or 0)
    attempt.hand_over()
    come_to_an_end(attempt)
    if attempt.state != "connected":
        stuck, page = attempt.load().current_step, attempt.page()
        assert stuck is not None
        assert stuck.name == name
        assert stuck.state in ("failed", "waiting")
        assert attempt.trouble()["title"] and attempt.trouble()["fix"]
        assert any(way in page for way in ("Retry this step", "Start again", "/pin", "/verification", "/number"))


@pytest.mark.parametrize("name", EDGES)
def test_what_passes_passes_by_itself(attempt: Attempt, name: str) -> None:
    for edge in EDGES[name]:
        attempt.fail(edge, 2)
    attempt.hand_over()
    come_to_an_end(attempt)
    assert attempt.state == "connected"


def test_every_step_that_calls_meta_is_in_the_table() -> None:
    assert set(STEPS) - {name for name, *_ in TABLE} == {"health_checked", "hello_seen"}
