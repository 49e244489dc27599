"""The steps of connecting a number, in their order."""

from __future__ import annotations

from .access import system_user_assigned, webhooks_subscribed
from .assets import assets_confirmed
from .number import app_synchronised, health_checked, hello_seen, number_registered, number_verified
from .payment import credit_line_shared, credit_line_verified
from .registry import Skipped, Step
from .signing_in import code_exchanged, token_inspected

__all__ = ["STEPS", "Skipped", "Step"]

STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        code_exchanged,
        token_inspected,
        assets_confirmed,
        webhooks_subscribed,
        system_user_assigned,
        credit_line_shared,
        credit_line_verified,
        number_verified,
        number_registered,
        health_checked,
        app_synchronised,
        hello_seen,
    )
}
