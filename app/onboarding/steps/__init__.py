"""The steps of connecting a number, in their order."""

from __future__ import annotations

from .assets import assets_confirmed
from .credit_line import credit_line_shared
from .health import health_checked
from .hello import hello_seen
from .payer import credit_line_verified
from .registration import number_registered
from .registry import Skipped, Step
from .signing_in import code_exchanged, token_inspected
from .synchronisation import app_synchronised
from .system_user import system_user_assigned
from .verification import number_verified
from .webhooks import webhooks_subscribed

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
