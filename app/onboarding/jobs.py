"""Taking attempts onwards, and looking after those that were left behind."""

from __future__ import annotations

import uuid

from sqlalchemy import Select

from app.tenancy import db, enqueue, job, platform_scope, sweep
from app.wabas.partners import PartnerWaba

from .hosted import find_owner, is_anybody_waiting
from .models import Onboarding
from .nudges import nudge


@job("onboarding.advance", seconds=300)
def advance(onboarding_id: str) -> None:
    Onboarding.get_or_404(onboarding_id).advance()


@job("onboarding.hear_hello")
def hear_hello(onboarding_id: str) -> None:
    Onboarding.get_or_404(onboarding_id).hear_hello()


@job("onboarding.remind")
def remind(onboarding_id: str) -> None:
    nudge(Onboarding.get_or_404(onboarding_id))


@job("onboarding.find_owner", per_tenant=False, seconds=180)
def find_owner_of(waba_meta_id: str) -> None:
    find_owner(waba_meta_id)


@sweep(every=10)
def ring_for_shared_accounts() -> None:
    """Only while somebody waits for one."""
    with platform_scope("accounts that may say whose they are"):
        due = db.session.scalars(PartnerWaba.due()).all() if is_anybody_waiting() else ()
    for meta_id in due:
        enqueue("onboarding.find_owner", meta_id)


@sweep(every=5)
def ring_for_onboardings() -> None:
    with platform_scope("onboardings left behind, or due again"):
        enqueue_each("onboarding.advance", Onboarding.left_running())
        enqueue_each("onboarding.hear_hello", Onboarding.greeted())
        enqueue_each("onboarding.remind", Onboarding.left_in_the_window())


def enqueue_each(name: str, found: Select[uuid.UUID, uuid.UUID]) -> None:
    for tenant_id, onboarding_id in db.session.execute(found):
        enqueue(name, str(tenant_id), str(onboarding_id))
