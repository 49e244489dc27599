"""One worker's run through the steps of an attempt. It may write only while it holds the attempt's lease."""

from __future__ import annotations

import datetime as dt
import uuid

import structlog

from app.billing.balances import Balance
from app.crypto import Undecryptable
from app.meta.errors import MetaError
from app.tenancy import announce, commit, db, now
from app.tenancy.limits import OverLimit
from app.words import N_

from .models import Onboarding, OnboardingStep
from .steps import STEPS, Skipped
from .trouble import CLOSED, START_AGAIN, TRY_AGAIN, Trouble

log = structlog.get_logger()

# Seconds the machine waits before each of its own retries; after the last one a person decides.
WAITS = (5, 15, 60, 300, 900)


class LeaseLost(Exception):
    """Another worker has taken over: this one may not write its outcome."""


class Run:
    """Takes step after step until one has to wait. Safe to start at any time, also twice at once."""

    def __init__(self, onboarding: Onboarding) -> None:
        self.onboarding, self.fence = onboarding, 0

    def go(self) -> None:
        """Runs every step that can run now, if no other worker does."""
        fence = self.onboarding.take_lease()
        if fence is None:
            return
        self.fence = fence
        if Balance.of_closed():
            self.onboarding.end()
            self.onboarding.lease_until = None
            return
        try:
            while self.onboarding.is_moving and (step := self.onboarding.current_step):
                self.take(step)
        except LeaseLost:
            db.session.rollback()
            log.warning("onboarding taken over by another worker", onboarding_id=str(self.onboarding.id))

    def take(self, step: OnboardingStep) -> None:
        """Runs one step and records its outcome."""
        step.begin()
        self.renew_lease()
        announce("onboarding", self.onboarding.id)
        commit()
        try:
            note = STEPS[step.name].run(self.onboarding)
        except Skipped as skipped:
            self.renew_lease()
            step.finish(str(skipped), state="skipped")
        except Exception as error:  # noqa: BLE001  a bug of ours must end in words too, not in an endless loop
            db.session.rollback()
            self.renew_lease()
            self.stop(step, explain(error, step))
        else:
            self.renew_lease()
            step.finish(note or "")
        self.onboarding.settle()
        commit()

    def renew_lease(self) -> None:
        """Prolongs the lease, or ends the run. Until the commit no other worker can take it."""
        if not self.onboarding.renew_lease(self.fence):
            raise LeaseLost

    def stop(self, step: OnboardingStep, trouble: Trouble) -> None:
        """Schedules a retry for temporary troubles; everything else waits for a person."""
        tries = step.trouble.get("tries", 0) + 1
        if trouble.asks:
            step.wait(trouble)
        elif trouble.until:
            self.onboarding.next_attempt_at = dt.datetime.fromisoformat(trouble.until)
            step.outcome = trouble.as_dict() | {"tries": tries}
        elif trouble.passing and tries <= len(WAITS):
            seconds = max(trouble.wait, WAITS[tries - 1])
            self.onboarding.next_attempt_at = now() + dt.timedelta(seconds=seconds)
            step.outcome = trouble.as_dict() | {"tries": tries}
        else:
            self.onboarding.fail(step, trouble.given_up())


def explain(error: Exception, step: OnboardingStep) -> Trouble:
    """Puts whatever ended a step into words."""
    match error:
        case Trouble():
            return error
        case MetaError():
            return Trouble.at_meta(error, hint=STEPS[step.name].hint)
        case Undecryptable():
            words = N_("The stored access to your WhatsApp account is damaged.")
            return Trouble(words, START_AGAIN, start_again=True)
        case OverLimit(most=0):
            return CLOSED
        case OverLimit():
            return Trouble(
                N_("Your plan has no room for another number."),
                N_("Choose another plan under Costs, or disconnect a number. Then try again."),
            )
    reference = uuid.uuid4().hex[:8]
    log.error("step broke", step=step.name, reference=reference, exc_info=error)
    return Trouble(
        N_("This step failed because of a fault in Switchboard."), TRY_AGAIN, owner="platform", fbtrace_id=reference
    )
