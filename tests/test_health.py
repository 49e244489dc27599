from __future__ import annotations

from flask import Flask

from app.config import Settings
from app.tenancy.queue import Sweep
from tests.apps import running
from tests.posts import signed
from tests.world import World


def test_a_process_that_can_work_says_so(app: Flask) -> None:
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.text) == (200, "postgres: ok\nredis: ok\n")


def test_a_role_that_passes_row_security_is_not_ready(app: Flask, settings: Settings, superuser_url: str) -> None:
    with running(settings.model_copy(update={"database_url": superuser_url})) as careless:
        assert careless.test_client().get("/readyz").status_code == 503


def test_without_postgres_pages_say_so_in_words(app: Flask, settings: Settings) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nowhere"
    with running(settings.model_copy(update={"database_url": nowhere})) as single:
        client = single.test_client()
        assert client.get("/readyz").status_code == 503
        with client.session_transaction() as session:
            session["_user_id"] = "somebody"
        page = client.get("/t/bakery/inbox/")
        assert page.status_code == 503 and "Nothing is lost" in page.text


def test_metrics_are_not_for_the_world(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404


def test_metrics_count_what_waits_and_how_the_sweeps_went(app: Flask, world: World) -> None:
    app.test_client().post("/webhooks/whatsapp", data=b"{}", headers=signed(b"{}"))
    Sweep(lambda: 1 // 0, 5).run()
    figures = app.test_client().get("/metrics").text
    assert "switchboard_webhooks_waiting 1.0" in figures
    assert 'switchboard_sweep_failed{sweep="tests.test_health.<lambda>"} 1.0' in figures
