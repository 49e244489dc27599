"""Secrets stay readable while their keys change, and no one else's key opens them."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator

import pytest

from app.crypto import Undecryptable, Vault
from app.extensions import outside
from app.onboarding.models import Onboarding
from app.tenancy import db, tenant_scope
from app.tenancy.sealed import Sealed
from app.wabas.jobs import reseal_secrets
from app.wabas.models import PhoneNumber, Waba
from tests.world import World


def new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


@pytest.fixture
def old(world: World) -> Iterator[str]:
    """The key that was the first until now; a new one comes before it."""
    usual, old = outside().vault, new_key()
    outside().vault = Vault([old])
    yield old
    outside().vault = usual


@pytest.fixture
def sealed(world: World, old: str) -> PhoneNumber:
    number, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        PhoneNumber.get_or_404(number.id).pin = "424242"
        attempt = Onboarding()
        db.session.add(attempt)
        db.session.flush()
        attempt.token = "EAA-attempt"
    return number


def secrets(world: World) -> list[str]:
    with tenant_scope(world.bakery.id):
        rows = db.session.query(Waba).one(), db.session.query(PhoneNumber).one(), db.session.query(Onboarding).one()
        return [rows[0].token, rows[1].pin, rows[2].token]


SECRETS = ["EAA-bakery", "424242", "EAA-attempt"]


def test_every_secret_moves_to_the_new_key(world: World, old: str, sealed: PhoneNumber) -> None:
    new = new_key()
    outside().vault = Vault([new, old])
    assert secrets(world) == SECRETS
    reseal_secrets()
    outside().vault = Vault([new])
    assert secrets(world) == SECRETS


def test_a_secret_written_meanwhile_is_not_undone(
    world: World, old: str, sealed: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside().vault = Vault([new_key(), old])
    encrypt = Vault.encrypt

    def be_overtaken(vault: Vault, secret: str, place: str) -> bytes:
        monkeypatch.setattr(Vault, "encrypt", encrypt)
        with tenant_scope(world.bakery.id):
            db.session.query(Waba).one().token = "EAA-renewed"
        return encrypt(vault, secret, place)

    monkeypatch.setattr(Vault, "encrypt", be_overtaken)
    reseal_secrets()
    assert secrets(world)[0] == "EAA-renewed"


def test_what_no_key_opens_stays_and_does_not_stop_the_others(world: World, old: str, sealed: PhoneNumber) -> None:
    with tenant_scope(world.bakery.id):
        waba = db.session.query(Waba).one()
        lost = waba.token_ciphertext = b"gone" + (waba.token_ciphertext or b"")[4:]
    new = new_key()
    outside().vault = Vault([new, old])
    reseal_secrets()
    outside().vault = Vault([new])
    with tenant_scope(world.bakery.id):
        assert db.session.query(Waba).one().token_ciphertext == lost
        assert db.session.query(PhoneNumber).one().pin == "424242"


def test_all_secret_columns_are_known() -> None:
    existing = {(secret.owner.__tablename__, secret.column) for secret in Sealed.everywhere}
    columns = {
        (table.name, column.name)
        for table in db.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_ciphertext")
    }
    assert existing == columns


def test_a_ciphertext_of_another_row_does_not_open(world: World) -> None:
    world.connect_numbers()
    with tenant_scope(world.shoes.id):
        stolen = db.session.query(Waba).one().token_ciphertext
    with tenant_scope(world.bakery.id):
        waba = db.session.query(Waba).one()
        waba.token_ciphertext = stolen
        with pytest.raises(Undecryptable):
            _ = waba.token
        db.session.rollback()
