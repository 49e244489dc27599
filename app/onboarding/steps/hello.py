"""The first message has come in."""

from __future__ import annotations

from app.onboarding.models import Onboarding
from app.onboarding.trouble import Trouble
from app.words import N_

from .registry import step


@step()
def hello_seen(onboarding: Onboarding) -> None:
    if onboarding.phone_number.hello_seen_at is None:
        raise Trouble(N_("Now see it work."), N_("Send a message to this number from your own phone."), asks="hello")
