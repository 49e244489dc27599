"""Taking attempts onwards, and looking after those that were left behind."""

from __future__ import annotations

import uuid

from sqlalchemy import Select

from app.tenancy import db, job, platform_scope, sweep
from app.tenancy.queue import Job
from app.wabas.partners import PartnerWaba

from .hosted import find_owner, is_anybody_waiting
from .models import Onboarding
from .nudges import nudge


@job("default", seconds=300)
def advance(onboarding_id: str) -> None:
    Onboarding.get_or_404(onboarding_id).advance()


@job("default")
def hear_hello(onboarding_id: str) -> None:
    Onboarding.get_or_404(onboarding_id).hear_hello()


@job("default")
def remind(onboarding_id: str) -> None:
    nudge(Onboarding.get_or_404(onboarding_id))


@job(per_tenant=False, seconds=180)
def find_owner_of(waba_meta_id: str) -> None:
    find_owner(waba_meta_id)


@sweep
def ring_for_shared_accounts() -> None:
    """Only while somebody waits for one."""
    with platform_scope("accounts that may say whose they are"):
        due = db.session.scalars(PartnerWaba.due()).all() if is_anybody_waiting() else ()
    for meta_id in due:
        find_owner_of.ring(meta_id)


@sweep
def ring_for_onboardings() -> None:
    with platform_scope("onboardings left behind, or due again"):
        ring_for(advance, Onboarding.left_running())
        ring_for(hear_hello, Onboarding.greeted())
        ring_for(remind, Onboarding.left_in_the_window())


def ring_for(job: Job, found: Select[uuid.UUID, uuid.UUID]) -> None:
    for tenant_id, onboarding_id in db.session.execute(found):
        job.ring(str(tenant_id), str(onboarding_id))
