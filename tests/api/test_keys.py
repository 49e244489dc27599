"""Who may call, and how often."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from app.api import ApiKey
from app.api.keys import ApiKeyRoute
from app.api.rates import Limit
from app.tenancy import Actor, db, global_scope, now, tenant_scope
from tests.api.conftest import Caller, MakeCaller
from tests.client import isolated
from tests.world import World


def code(answer: object) -> str:
    return str(answer.get_json(force=True)["code"])  # type: ignore[attr-defined]


def test_a_key_says_whose_it_is_and_what_it_may_do(shop: Caller) -> None:
    answer = shop.get("/me")
    assert answer.status_code == 200
    assert answer.json and answer.json["tenant"]["slug"] == "bakery"
    assert "messages:write" in answer.json["scopes"]


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer sb_live_x", "Basic YTpi", "Bearer " + "x" * 5000, "Bearer é"]
)
def test_without_a_valid_key_there_is_nothing(app: Flask, header: str | None) -> None:
    headers = {"Authorization": header.encode("utf-8").decode("latin-1")} if header else {}
    answer = app.test_client().get("/api/v1/messages", headers=headers)
    assert (answer.status_code, code(answer)) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.mimetype == "application/problem+json"


def test_the_secret_is_stored_nowhere(shop: Caller) -> None:
    with global_scope():
        assert db.session.query(ApiKeyRoute).filter_by(secret_hash=shop.secret).first() is None
    assert shop.secret[:12] == shop.key.prefix


def test_a_revoked_key_ends_at_once(shop: Caller, world: World) -> None:
    with tenant_scope(world.bakery.id):
        ApiKey.get_or_404(shop.key.id).revoke()
    answer = shop.get("/me")
    assert (answer.status_code, code(answer)) == (401, "key_revoked")


def test_a_key_expires(caller: MakeCaller) -> None:
    old = caller(expires_at=now() - dt.timedelta(seconds=1))
    assert code(old.get("/me")) == "key_expired"


def test_a_renewed_key_has_two_secrets_for_a_while(shop: Caller, app: Flask, world: World) -> None:
    with tenant_scope(world.bakery.id):
        newer = ApiKey.get_or_404(shop.key.id).renew(dt.timedelta(hours=1))
    assert shop.get("/me").status_code == 200
    assert Caller(app, newer, shop.key).get("/me").status_code == 200
    with tenant_scope(world.bakery.id):
        ApiKey.get_or_404(shop.key.id).renew(dt.timedelta())
    assert code(shop.get("/me")) == "unauthorized"


def test_a_key_does_only_what_its_scopes_say(caller: MakeCaller) -> None:
    reader = caller(scopes=["messages:read"])
    assert reader.get("/messages").status_code == 200
    answer = reader.get("/conversations")
    assert (answer.status_code, code(answer)) == (403, "missing_scope")
    assert "conversations:read" in answer.get_json(force=True)["detail"]


def test_a_key_may_be_bound_to_networks(caller: MakeCaller) -> None:
    assert caller(networks=["127.0.0.0/8"]).get("/me").status_code == 200
    assert code(caller(networks=["10.0.0.0/8"]).get("/me")) == "ip_not_allowed"


@pytest.mark.parametrize(
    ("address", "status"),
    [("::ffff:203.0.113.7", 200), ("::ffff:198.51.100.7", 403), ("::203.0.113.7", 403), ("203.0.113.7, 10.0.0.1", 403)],
)
def test_a_network_holds_the_ipv4_callers_of_a_server_that_listens_on_ipv6(
    caller: MakeCaller, address: str, status: int
) -> None:
    program = caller(networks=["203.0.113.0/24"])
    options: Any = {"headers": {"Authorization": f"Bearer {program.secret}"}, "environ_base": {"REMOTE_ADDR": address}}
    assert isolated(program.client.get, "/api/v1/me", **options).status_code == status


def test_its_last_use_is_noted(shop: Caller, world: World) -> None:
    shop.get("/me")
    with tenant_scope(world.bakery.id):
        key = ApiKey.get_or_404(shop.key.id)
    assert key.last_used_at is not None
    assert key.last_used_from == "127.0.0.1"


def test_a_version_that_never_was_is_refused(shop: Caller) -> None:
    answer = shop.get("/me", Switchboard_Version="2020-01-01")
    assert (answer.status_code, code(answer)) == (400, "unknown_version")
    assert shop.get("/me").headers["Switchboard-Version"] == shop.key.version


def test_every_answer_says_how_many_requests_are_left(shop: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.rates.KEY", Limit("key", 0.01, 5))
    first, second = (shop.get("/me").headers["RateLimit"] for _ in range(2))
    assert first.startswith('"key";r=4;') and second.startswith('"key";r=3;')


def test_who_calls_too_often_waits(shop: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.rates.KEY", Limit("key", 0.01, 2))
    assert [shop.get("/me").status_code for _ in range(3)] == [200, 200, 429]
    answer = shop.get("/me")
    assert int(answer.headers["Retry-After"]) > 60
    assert answer.headers["RateLimit"].startswith('"key";r=0;')


def test_one_key_does_not_use_up_another_tenants_requests(
    caller: MakeCaller, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.rates.TENANT", Limit("tenant", 0.01, 1))
    one, two, other = caller(), caller(), caller(world.shoes)
    assert [each.get("/me").status_code for each in (one, two, other)] == [200, 429, 200]


def test_what_a_key_does_is_done_by_it(shop: Caller) -> None:
    assert shop.key.actor == Actor("api", shop.key.id, "Shop")
