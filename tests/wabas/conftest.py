from __future__ import annotations

import pytest

from simulator.phone_numbers import PhoneNumber as PlayedNumber
from tests.simulated import Meta, Road


@pytest.fixture
def played(meta: Meta, road: Road) -> PlayedNumber:
    """Bakery's number as Meta has it."""
    number = PlayedNumber.find(meta.world, road.number.meta_id)
    assert number
    return number
