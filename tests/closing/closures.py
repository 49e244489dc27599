"""Closing Bakery, as tests do it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select, update

from app.closing.jobs import go
from app.closing.models import Closure
from app.tenancy import Tenant, db, now, platform_scope, tenant_scope
from app.wabas.jobs import offboard
from app.wabas.offboarding import Offboarding
from tests.client import Browser
from tests.world import World


def mark_closed(world: World, days_ago: int = 0) -> None:
    """Bakery is closed, without the steps by which that is done."""
    with platform_scope("tests"):
        closed_at = now() - dt.timedelta(days=days_ago)
        db.session.execute(update(Tenant).where(Tenant.id == world.bakery.id).values(closed_at=closed_at))


class Closing:
    def __init__(self, pat: Browser, quinn: Browser, world: World) -> None:
        self.pat, self.quinn, self.tenant_id = pat, quinn, world.bakery.id
        self.path = f"/platform/tenants/{self.tenant_id}/closure"

    def ask(self, reason: str = "it does not pay") -> Any:
        return self.pat.post(self.path, {"reason": reason})

    def approve(self, by: Browser | None = None) -> Any:
        return (by or self.quinn).post(f"{self.path}/{self.load().id}/approval")

    def begin(self) -> None:
        self.ask()
        self.approve()

    def load(self) -> Closure:
        with tenant_scope(self.tenant_id):
            closure = db.session.scalars(Closure.newest_first()).first()
            assert closure and closure.steps is not None
            return closure

    def go(self) -> Closure:
        """One look at what is left, and at what is to be ended at Meta."""
        past = now() - dt.timedelta(seconds=1)
        with platform_scope("tests"):
            db.session.execute(update(Closure).values(next_attempt_at=past))
            db.session.execute(update(Offboarding).values(next_attempt_at=past))
            running = db.session.scalars(select(Offboarding.id).where(Offboarding.state == "running")).all()
        for id in running:
            offboard(self.tenant_id, id)
        go(self.tenant_id, self.load().id)
        return self.load()

    def finish(self) -> Closure:
        for _ in range(4):
            if (closure := self.go()).state == "done":
                break
        return closure

    def page(self) -> str:
        return self.pat.get(self.path).text

    def tenant(self) -> Tenant:
        with platform_scope("tests"):
            return db.session.get_one(Tenant, self.tenant_id)
