"""What the tests of money share: posted webhooks, the ledger read back, a plan for Bakery."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from app.billing.balances import Balance
from app.billing.ledger import Entry, Journal
from app.billing.payments import top_up
from app.billing.plans import Plan
from app.billing.posting import post_usages
from app.billing.verification import problems_of_ledger
from app.tenancy import db, now, platform_scope, tenant_scope
from tests.arrivals import arrive
from tests.posts import status
from tests.world import World

NOVEMBER = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC).timestamp()
numbers = itertools.count(1)


def priced(type: str = "regular", category: str = "marketing", **more: Any) -> dict[str, Any]:
    return {"billable": type == "regular", "pricing_model": "PMP", "type": type, "category": category} | more


def reported(
    name: str, pricing: dict[str, Any] | None = None, wamid: str = "wamid.hello", **more: Any
) -> dict[str, Any]:
    facts: dict[str, Any] = {"at": NOVEMBER, **({"pricing": pricing} if pricing else {}), **more}
    return status(wamid, name, **facts)


def arrive_and_post(world: World, *changes: dict[str, Any]) -> None:
    arrive(*changes)
    post(world)


def post(world: World) -> int:
    with tenant_scope(world.bakery.id):
        return post_usages()


def journals(world: World) -> Sequence[Journal]:
    with tenant_scope(world.bakery.id):
        return db.session.scalars(select(Journal).order_by(Journal.id)).all()


def owed(world: World, account: str = "receivable", currency: str = "USD") -> int:
    """What an account holds, debits less credits."""
    with tenant_scope(world.bakery.id):
        mine = select(func.coalesce(func.sum(Entry.micros), 0)).where(Entry.currency == currency)
        debits = db.session.scalar(mine.where(Entry.debit == account))
        credits = db.session.scalar(mine.where(Entry.credit == account))
    return int(debits or 0) - int(credits or 0)


def balance(world: World) -> Balance:
    with tenant_scope(world.bakery.id):
        results = Balance.current()
    assert results
    return results


def problems(world: World) -> list[str]:
    with tenant_scope(world.bakery.id):
        return list(problems_of_ledger())


def give_plan(world: World, *, micros: int = 0, mode: str = "prepaid", currency: str = "USD", **more: Any) -> Plan:
    """Bakery has a plan with a mark-up, and this much on its balance; what is not of a plan is of the balance."""
    columns = {"monthly_fee_micros", "seats", "numbers", "api_rate", "included_messages", "markup"}
    with platform_scope("tests"):
        name = f"Plan {next(numbers)}"
        plan = Plan(name=name, currency=currency, **{n: v for n, v in more.items() if n in columns})
        db.session.add(plan)
    with tenant_scope(world.bakery.id):
        mine = Balance(plan_id=plan.id, currency=currency, mode=mode, month=now().date().replace(day=1))
        for name, value in more.items():
            if name not in columns:
                setattr(mine, name, value)
        db.session.add(mine)
        db.session.flush()
        if micros:
            top_up(micros, note="by bank", by="Pat")
    return plan
