from __future__ import annotations

from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app.onboarding.cli import numbers
from app.tenancy import db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.simulated import Meta
from tests.world import World

READY = {"tenant": "bakery", "waba-id": "102", "phone-number-id": "106", "display-number": "+1 555 078 3881"}


def connect(app: Flask, *flags: str, **options: str) -> Result:
    given = READY | {name.replace("_", "-"): value for name, value in options.items()} | {"token": options["token"]}
    words = [f"--{name}={value}" for name, value in given.items()]
    return app.test_cli_runner().invoke(numbers, ["connect", *words, *flags])


def only_number(world: World) -> PhoneNumber:
    with tenant_scope(world.bakery.id):
        return db.session.query(PhoneNumber).one()


@pytest.fixture
def seeded(meta: Meta) -> dict[str, Any]:
    return meta.post("seed", name="Bakery", display_phone_number="+1 555 078 3881", registered=False, credit=False)


def ids(seeded: dict[str, Any]) -> dict[str, str]:
    return {name: seeded[name] for name in ("waba_id", "phone_number_id", "token")}


def test_a_number_is_connected_with_every_step_shown(app: Flask, world: World, seeded: dict[str, Any]) -> None:
    done = connect(app, **ids(seeded))
    assert done.exit_code == 0, done.output
    assert "Number registered with WhatsApp" in done.output
    assert only_number(world).state == "connected"


def test_it_may_be_repeated(app: Flask, world: World, seeded: dict[str, Any]) -> None:
    connect(app, **ids(seeded))
    assert connect(app, **ids(seeded)).exit_code == 0
    assert only_number(world).state == "connected"


def test_what_fails_is_shown_with_metas_words(app: Flask, world: World, meta: Meta, seeded: dict[str, Any]) -> None:
    meta.post("faults", edge="POST register", kind="error", code=100, details="Meta says no")
    done = connect(app, **ids(seeded))
    assert done.exit_code == 1
    assert "Meta says no" in done.output


def test_without_meta_it_is_only_recorded(app: Flask, world: World) -> None:
    for _ in range(2):
        assert connect(app, "--without-meta", token="EAA-x").exit_code == 0
    assert only_number(world).state == "connected"


def test_a_number_of_another_tenant_is_refused(app: Flask, world: World) -> None:
    connect(app, "--without-meta", token="EAA-x")
    done = connect(app, "--without-meta", token="EAA-x", tenant="shoes")
    assert done.exit_code == 1
    assert "Another tenant" in done.output


def test_an_unknown_tenant_is_refused(app: Flask, world: World) -> None:
    assert "no tenant" in connect(app, "--without-meta", token="EAA-x", tenant="nobody").output


def test_the_token_is_not_printed(app: Flask, world: World, seeded: dict[str, Any]) -> None:
    assert seeded["token"] not in connect(app, **ids(seeded)).output
