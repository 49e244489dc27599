from __future__ import annotations

import pytest

from tests.appointments.diary import Diary
from tests.world import World


@pytest.fixture
def diary(world: World) -> Diary:
    return Diary(world)
