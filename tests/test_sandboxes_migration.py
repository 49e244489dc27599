"""Migration 0048 back and forth, with a sandbox there."""

from __future__ import annotations

from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import select, text

from app.sandboxes.models import Sandbox
from app.tenancy import Tenant, db, platform_scope, tenant_scope
from app.wabas.models import Waba
from tests.world import World


def test_the_release_before_takes_no_sandbox_to_meta(app: Flask, world: World) -> None:
    sandbox = Sandbox(world.bakery.id)
    sandbox.open("Bakery")
    db.engine.dispose()
    downgrade(revision="0048")
    downgrade(revision="-1")
    try:
        with platform_scope("tests"):
            tokens = "select token_ciphertext from wabas where tenant_id = :id"
            assert db.session.scalars(text(tokens), {"id": sandbox.id}).all() == [None]
    finally:
        upgrade()
    with platform_scope("tests"):
        assert db.session.scalars(Tenant.sandboxes()).all() == [sandbox.id]
    sandbox.open("Bakery")
    with tenant_scope(sandbox.id):
        assert db.session.scalars(select(Waba)).one().token
