"""A drain and a check of the same account never deadlock."""

from __future__ import annotations

import threading

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, update

from app.config import Settings
from app.tenancy import commit, db, now, tenant_scope
from app.wabas.models import PhoneNumber, Waba
from tests.world import World

TOUCH = "update phone_numbers set status = status || '.' where id = %s"


@pytest.fixture
def account(world: World) -> tuple[Waba, PhoneNumber]:
    number, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        return db.session.scalars(select(Waba)).one(), number


def test_an_account_that_is_locked_lets_its_numbers_be_written_twice(
    settings: Settings, world: World, account: tuple[Waba, PhoneNumber]
) -> None:
    """The second write of a row checks its foreign key, for which the account must not be locked away."""
    waba, number = account
    with psycopg.connect(settings.database_url) as drain:
        drain.execute("set lock_timeout = '2s'")
        drain.execute("select set_config('app.tenant_id', %s, true)", [str(world.bakery.id)])
        drain.execute(TOUCH, [number.id])
        with tenant_scope(world.bakery.id):
            Waba.get_or_404(waba.id).refresh_locked()
            drain.execute(TOUCH, [number.id])
            drain.commit()


def test_two_that_write_account_and_numbers_take_turns(
    app: Flask, world: World, account: tuple[Waba, PhoneNumber]
) -> None:
    waba, number = account
    is_locked, problems = threading.Event(), []

    def other() -> None:
        with app.app_context(), tenant_scope(world.bakery.id):
            is_locked.wait(5)
            try:
                Waba.lock([waba.id])
                db.session.execute(update(PhoneNumber).where(PhoneNumber.id == number.id).values(status="two"))
            except Exception as error:  # noqa: BLE001
                problems.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    with tenant_scope(world.bakery.id):
        db.session.execute(update(PhoneNumber).where(PhoneNumber.id == number.id).values(status="zero"))
        commit()
        Waba.lock([waba.id])
        is_locked.set()
        for status in ("a", "b"):
            db.session.execute(update(PhoneNumber).where(PhoneNumber.id == number.id).values(status=status))
    thread.join(10)
    assert problems == []
    with tenant_scope(world.bakery.id):
        assert PhoneNumber.get_or_404(number.id).status == "two"


def test_news_of_an_account_make_it_due_until_it_was_looked_at(world: World, account: tuple[Waba, PhoneNumber]) -> None:
    with tenant_scope(world.bakery.id):
        waba = Waba.get_or_404(account[0].id)
        waba.checked_at = now()
        waba.check_later()
        assert waba.checked_at is None
