"""Background jobs of onboarding: run attempts, find owners of shared accounts, recover what was left behind."""

from __future__ import annotations

import uuid

from sqlalchemy import Select

from app.tenancy import db, enqueue, job, platform_scope, sweep
from app.wabas.partners import PartnerWaba

from .hosted import find_owner, is_anyone_waiting
from .models import Onboarding
from .nudges import nudge
from .run import Run


@job("onboarding.advance", seconds=300)
def advance(onboarding_id: str) -> None:
    """Runs the attempt's next steps."""
    Run(Onboarding.get_or_404(onboarding_id)).go()


@job("onboarding.hear_hello")
def finish_hello(onboarding_id: str) -> None:
    """Completes the last step once the number's first message has arrived."""
    Onboarding.get_or_404(onboarding_id).finish_hello()


@job("onboarding.remind")
def remind(onboarding_id: str) -> None:
    """Mails a reminder to the person who closed the Facebook window."""
    nudge(Onboarding.get_or_404(onboarding_id))


@job("onboarding.find_owner", per_tenant=False, seconds=180)
def find_owner_of(waba_meta_id: str) -> None:
    """Gives an account that was shared with the platform to the tenant it names."""
    find_owner(waba_meta_id)


@sweep(every=10)
def enqueue_shared_accounts() -> None:
    """Enqueues the search for owners of shared accounts, while an attempt waits for one."""
    with platform_scope("accounts that may name their owner"):
        due = db.session.scalars(PartnerWaba.due()).all() if is_anyone_waiting() else ()
    for meta_id in due:
        enqueue("onboarding.find_owner", meta_id)


@sweep(every=5)
def enqueue_onboardings() -> None:
    """Re-enqueues attempts whose job was lost, whose worker died or whose wait is over."""
    with platform_scope("onboardings left behind, or due again"):
        enqueue_each("onboarding.advance", Onboarding.left_running())
        enqueue_each("onboarding.hear_hello", Onboarding.greeted())
        enqueue_each("onboarding.remind", Onboarding.left_in_the_window())


def enqueue_each(name: str, rows: Select[uuid.UUID, uuid.UUID]) -> None:
    for tenant_id, onboarding_id in db.session.execute(rows):
        enqueue(name, str(tenant_id), str(onboarding_id))
