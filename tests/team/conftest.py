from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from app.team import passwords
from app.team.views import resets
from app.tenancy import User, db, global_scope
from tests.client import Browser
from tests.team.helpers import PASSWORD
from tests.world import World

CHEAP = {"iterations": 1, "lanes": 1, "memory_cost": 8}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests need passwords that are checked, not ones that are hard to crack."""
    monkeypatch.setattr(passwords, "COST", CHEAP)
    monkeypatch.setattr(resets, "ANSWER_SECONDS", 0.0)
    passwords.dummy_hash.cache_clear()


@pytest.fixture
def world(world: World) -> World:
    """Here Ann, Ben and Sue also have a password."""
    with global_scope():
        db.session.execute(update(User).values(password_hash=passwords.hash_password(PASSWORD)))
    return world


@pytest.fixture
def other(app: Flask) -> Browser:
    """A second browser without a session."""
    return Browser(app)
