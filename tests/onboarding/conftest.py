from __future__ import annotations

import pytest

from app.extensions import outside
from simulator.phone_numbers import PhoneNumber
from simulator.wabas import Waba
from tests.client import Browser
from tests.onboarding.attempts import Attempt, LaterAttempt
from tests.simulated import Meta
from tests.world import World


@pytest.fixture
def attempt(ann: Browser, world: World, meta: Meta) -> Attempt:
    """Ann has pressed "Connect WhatsApp"."""
    return Attempt(ann, world.bakery.id, meta)


@pytest.fixture
def rival(sue: Browser, world: World, meta: Meta) -> Attempt:
    """Sue has pressed it too, next door."""
    sue.tenant = "shoes"
    return Attempt(sue, world.shoes.id, meta)


@pytest.fixture
def calls(meta: Meta) -> list[str]:
    """What is asked of Meta from now on, such as "POST register"."""
    made: list[str] = []

    def note(request: object) -> None:
        made.append(f"{request.method} {request.url.path.rpartition('/')[2]}")  # type: ignore[attr-defined]

    outside().graph._http.event_hooks["request"].append(note)
    return made


@pytest.fixture
def again(ann: Browser, world: World, meta: Meta) -> LaterAttempt:
    """Another attempt of Ann's, begun when it is first used."""
    return LaterAttempt(ann, world.bakery.id, meta)


@pytest.fixture
def two_numbers(attempt: Attempt, meta: Meta) -> tuple[str, str]:
    """The account that Ann shares has two numbers."""
    first = attempt.sign_up()
    waba = Waba.where(meta.world, "id = ?", first["waba_id"])[0]
    return first["phone_number_id"], PhoneNumber.add(waba, "15550783899", "Bakery", verified=True).id
