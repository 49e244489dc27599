from __future__ import annotations

from typing import Any

import pytest

from app.team.models import PlatformAdmin
from app.tenancy import db, platform_scope
from tests.client import Browser
from tests.closing.closures import Closing
from tests.onboarding.attempts import Attempt
from tests.onboarding.conftest import calls
from tests.simulated import Meta
from tests.world import NO_PASSWORD, World

__all__ = ["calls"]


@pytest.fixture
def quinn(app: Any, world: World) -> Browser:
    """A second platform admin."""
    with platform_scope("tests"):
        db.session.add(admin := PlatformAdmin(email="quinn@example.com", name="Quinn", password_hash=NO_PASSWORD))
    return Browser(app).signed_in_as(admin)


@pytest.fixture
def connected(ann: Browser, world: World, meta: Meta, own_cards: None) -> Attempt:
    """Bakery's number is connected, with a share of the credit line."""
    attempt = Attempt(ann, world.bakery.id, meta)
    attempt.connect()
    return attempt


@pytest.fixture
def closing(pat: Browser, quinn: Browser, world: World) -> Closing:
    return Closing(pat, quinn, world)
