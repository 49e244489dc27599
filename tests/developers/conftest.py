"""A business with API keys, and the program that holds one."""

from __future__ import annotations

import pytest

from app.api import ApiKey
from app.tenancy import Actor, tenant_scope
from tests.client import Browser
from tests.world import World


@pytest.fixture
def key(world: World) -> ApiKey:
    """Bakery's, which may read messages."""
    with tenant_scope(world.bakery.id):
        made, _secret = ApiKey.create("Web shop", "live", ["messages:read"], by=Actor.agent(world.ann))
    return made


@pytest.fixture
def owner(ann: Browser) -> Browser:
    """Ann, who has just given her password once more."""
    return ann.confirmed()
