"""One worker's run through the steps of an attempt. It may write only while it holds the attempt's lease."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING

import structlog

from app.crypto import Undecryptable
from app.meta.errors import MetaError
from app.tenancy import announce, commit, db, now
from app.words import N_

from .steps import STEPS, Skipped
from .trouble import LOOK_AGAIN, START_AGAIN, Trouble

if TYPE_CHECKING:
    from .models import Onboarding, OnboardingStep

log = structlog.get_logger()

# How long the machine waits before each of its own tries, in seconds; after the last one a person decides.
WAITS = (5, 15, 60, 300, 900)


class LeaseLost(Exception):
    """Another worker has taken over: what this one found out is no longer to be written."""


class Run:
    def __init__(self, onboarding: Onboarding, fence: int) -> None:
        self.onboarding, self.fence = onboarding, fence

    def go(self) -> None:
        try:
            while self.onboarding.is_moving and (step := self.onboarding.current_step):
                self.take(step)
        except LeaseLost:
            db.session.rollback()
            log.warning("onboarding taken over by another worker", onboarding_id=str(self.onboarding.id))

    def take(self, step: OnboardingStep) -> None:
        step.begin()
        self.hold_on()
        announce("onboarding", self.onboarding.id)
        commit()
        try:
            note = STEPS[step.name].run(self.onboarding)
        except Skipped as skipped:
            self.hold_on()
            step.finish(str(skipped), state="skipped")
        except Exception as error:  # noqa: BLE001  a fault of ours must end in words too, not in an endless turning
            db.session.rollback()
            self.hold_on()
            self.hold_up(step, understood(error, step))
        else:
            self.hold_on()
            step.finish(note or "")
        self.onboarding.settle()
        commit()

    def hold_on(self) -> None:
        """Prolongs the lease, or ends the run. Until the commit nobody else can take it."""
        if not self.onboarding.keep_lease(self.fence):
            raise LeaseLost

    def hold_up(self, step: OnboardingStep, trouble: Trouble) -> None:
        """The machine tries again what passes by itself; everything else waits for a person."""
        tries = step.trouble.get("tries", 0) + 1
        if trouble.asks:
            self.onboarding.wait(step, trouble)
        elif trouble.until:
            self.onboarding.next_attempt_at = dt.datetime.fromisoformat(trouble.until)
            step.outcome = trouble.as_dict() | {"tries": tries}
        elif trouble.passing and tries <= len(WAITS):
            seconds = max(trouble.wait, WAITS[tries - 1])
            self.onboarding.next_attempt_at = now() + dt.timedelta(seconds=seconds)
            step.outcome = trouble.as_dict() | {"tries": tries}
        else:
            self.onboarding.fail(step, trouble.given_up())


def understood(error: Exception, step: OnboardingStep) -> Trouble:
    match error:
        case Trouble():
            return error
        case MetaError():
            return Trouble.at_meta(error, hint=STEPS[step.name].hint)
        case Undecryptable():
            words = N_("The stored access to your WhatsApp account is damaged.")
            return Trouble(words, START_AGAIN, start_again=True)
    reference = uuid.uuid4().hex[:8]
    log.error("step broke", step=step.name, reference=reference, exc_info=error)
    return Trouble(N_("That is our fault: this step broke."), LOOK_AGAIN, mender="us", fbtrace_id=reference)
