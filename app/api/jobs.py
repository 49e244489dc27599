"""The week of idempotent requests ends by itself."""

from __future__ import annotations

import time

from app.tenancy import commit, platform_scope, sweep

from .idempotency import IdempotentRequest

SECONDS = 20


@sweep(every=300)
def forget_idempotent_requests() -> None:
    end = time.monotonic() + SECONDS
    with platform_scope("idempotent requests older than they are kept"):
        while IdempotentRequest.forget_oldest() and time.monotonic() < end:
            commit()
