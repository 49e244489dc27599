from __future__ import annotations

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.config import Settings
from app.tenancy.connections import engine_options
from app.webhooks.door import LARGEST
from app.webhooks.intake import GroupCommit
from tests.posts import message, post, signed

PATH = "/webhooks/whatsapp"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def stored(superuser_url: str) -> list[bytes]:
    with psycopg.connect(superuser_url) as connection:
        return [bytes(body) for (body,) in connection.execute("select body from webhook_events order by id")]


def test_what_is_signed_is_stored_byte_for_byte(client: FlaskClient, superuser_url: str) -> None:
    body = post(message("caf\u00e9 😀"))
    assert client.post(PATH, data=body, headers=signed(body)).status_code == 200
    assert stored(superuser_url) == [body]


def test_behind_a_pooler_it_is_stored_without_startup_options_and_nothing_is_prepared(
    settings: Settings, app: Flask, superuser_url: str
) -> None:
    intake = GroupCommit(app, settings.database_url, is_pooled=True)
    for n in range(8):
        intake.add(b"%d" % n)
    assert stored(superuser_url) == [b"%d" % n for n in range(8)]
    assert intake.connection and "options" not in intake.connection.info.get_parameters()
    assert intake.connection.execute("select count(*) from pg_prepared_statements").fetchone() == (0,)
    intake.disconnect()


def test_behind_a_pooler_no_statement_of_the_app_is_prepared(settings: Settings) -> None:
    pooled = settings.model_copy(update={"database_pooled": True})
    assert engine_options(pooled)["connect_args"]["prepare_threshold"] is None


@pytest.mark.parametrize("header", [None, "", "sha256=", "sha256=00", "sha1=abc", "é"])
def test_what_is_not_signed_is_refused(client: FlaskClient, superuser_url: str, header: str | None) -> None:
    headers = {} if header is None else {"X-Hub-Signature-256": header}
    assert client.post(PATH, data=post(message()), headers=headers).status_code == 401
    assert stored(superuser_url) == []


def test_what_another_app_signed_is_refused(client: FlaskClient, superuser_url: str) -> None:
    body = post(message())
    assert client.post(PATH, data=body, headers=signed(body, "another secret")).status_code == 401
    assert stored(superuser_url) == []


def test_a_body_of_three_megabytes_is_taken_and_a_larger_one_refused(client: FlaskClient) -> None:
    for size, status in ((LARGEST, 200), (LARGEST + 1, 413)):
        body = b"x" * size
        assert client.post(PATH, data=body, headers=signed(body)).status_code == status


def test_without_postgres_meta_is_asked_to_try_again(app: Flask, client: FlaskClient) -> None:
    body, intake = post(message()), app.extensions["intake"]
    intake.disconnect()
    intake.url, usual = "postgresql://nobody@127.0.0.1:1/nowhere", intake.url
    try:
        assert client.post(PATH, data=body, headers=signed(body)).status_code == 503
    finally:
        intake.url = usual
    assert client.post(PATH, data=body, headers=signed(body)).status_code == 200


def test_without_redis_it_is_stored_all_the_same(app: Flask, client: FlaskClient, superuser_url: str) -> None:
    from app.extensions import Outside

    body, outside = post(message()), app.extensions["outside"]
    settings = outside.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    outside.redis, usual = Outside.connect(settings).redis, outside.redis
    try:
        assert client.post(PATH, data=body, headers=signed(body)).status_code == 200
    finally:
        outside.redis = usual
    assert stored(superuser_url) == [body]


def test_the_challenge_is_answered_only_with_the_right_token(client: FlaskClient, settings: Settings) -> None:
    requested = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": settings.meta_verify_token}
    answer = client.get(PATH, query_string=requested)
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "1158201444", "text/plain")
    assert client.get(PATH, query_string=requested | {"hub.verify_token": "wrong"}).status_code == 403
