from __future__ import annotations

import pytest
from flask import Flask

import simulator
from simulator.phone_numbers import PhoneNumber as PlayedNumber
from tests.simulated import Meta, Road


@pytest.fixture
def simulators(monkeypatch: pytest.MonkeyPatch) -> list[Flask]:
    """The running Meta from the inside, for what its control panel cannot do."""
    made: list[Flask] = []
    create_app = simulator.create_app

    def remember(*given: object) -> Flask:
        made.append(create_app(*given))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(simulator, "create_app", remember)
    return made


@pytest.fixture
def meta(simulators: list[Flask], meta: Meta) -> Meta:
    return meta


@pytest.fixture
def played(simulators: list[Flask], road: Road) -> PlayedNumber:
    """Bakery's number as Meta has it."""
    number = PlayedNumber.find(simulators[0].extensions["simulator"], road.number.meta_id)
    assert number
    return number
