"""What ends by itself: the week of idempotent requests, and keys of apps that are not in use any more."""

from __future__ import annotations

import time

from sqlalchemy import select

from app.tenancy import commit, db, job, later, platform_scope, sweep

from .idempotency import IdempotentRequest
from .keys import ApiKey

SECONDS = 20
KEYS_AT_ONCE = 100


@sweep(every=300)
def forget_idempotent_requests() -> None:
    end = time.monotonic() + SECONDS
    with platform_scope("idempotent requests that are too old"):
        while IdempotentRequest.forget_oldest() and time.monotonic() < end:
            commit()


@sweep(every=3600)
def forget_ended_apps() -> None:
    """By a job of each business that apps were ever signed in with."""
    with platform_scope("businesses with apps"):
        for tenant_id in db.session.scalars(select(ApiKey.tenant_id).where(ApiKey.kind == "app").distinct()):
            later("api.forget_ended_apps", tenant_id=tenant_id)


@job("api.forget_ended_apps")
def forget_ended_apps_of_one() -> None:
    if ApiKey.forget_ended_apps(KEYS_AT_ONCE):
        later("api.forget_ended_apps")
