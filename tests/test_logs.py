"""What an error quotes is a customer's as often as not, and is not logged."""

from __future__ import annotations

import asyncio
import json
import logging
import pathlib
import threading
import uuid
from collections.abc import Callable
from typing import NoReturn

import pytest
import structlog
from flask import Flask
from rq.results import Result
from sqlalchemy import text

from app.inbox.conversations import Conversation
from app.logs import describe
from app.tenancy import Tenant, db, enqueue, platform_scope
from app.tenancy.queue import JOBS
from app.tenancy.transactions import try_for
from tests.client import Browser
from tests.tenancy.test_queue import lane, work
from tests.world import World

WORDS = "Ünser Schlüssel"
QUOTED = f"{WORDS} liegt unter der Matte"


def quote_a_number() -> object:
    return int(QUOTED)


def quote_a_key() -> object:
    return dict[str, str]()[QUOTED]


def quote_json() -> object:
    return json.loads(f'{{"{QUOTED}')


def quote_bytes() -> object:
    return QUOTED.encode("ascii")


def quote_a_row() -> None:
    with platform_scope("tests"):
        db.session.add_all(Tenant(slug=QUOTED, name="Café") for _ in range(2))
        db.session.flush()


def quote_a_value() -> None:
    with platform_scope("tests"):
        db.session.execute(text("select cast(:words as uuid)"), {"words": QUOTED})


def quote_a_search() -> None:
    with platform_scope("tests"):
        db.session.execute(text("select to_tsquery(:words)"), {"words": f"{QUOTED} ' <"})


def quote_a_file() -> None:
    pathlib.Path(f"/nowhere/{QUOTED}").read_text()


def quote_a_cause() -> None:
    try:
        quote_a_number()
    except ValueError as error:
        raise RuntimeError("a step") from error


def quote_a_context() -> None:
    try:
        quote_a_number()
    except ValueError:
        quote_a_key()


def quote_in_a_group() -> NoReturn:
    raise ExceptionGroup("several", [ValueError(QUOTED), KeyError(QUOTED)])


def quote_in_a_note() -> NoReturn:
    error = TypeError("a step")
    error.add_note(QUOTED)
    raise error


QUOTING = [
    quote_a_number,
    quote_a_key,
    quote_json,
    quote_bytes,
    quote_a_row,
    quote_a_value,
    quote_a_search,
    quote_a_file,
    quote_a_cause,
    quote_a_context,
    quote_in_a_group,
    quote_in_a_note,
]


def is_quoted(logged: str) -> bool:
    return any(words in logged for words in (WORDS, ascii(WORDS)[1:-1], "Matte"))


@pytest.mark.parametrize("quote", QUOTING)
def test_an_error_is_logged_without_what_it_quotes(app: Flask, quote: Callable[[], object]) -> None:
    with pytest.raises(Exception) as raised:
        quote()
    described = describe(raised.value)
    assert not is_quoted(described)
    assert f"in {quote.__name__}" in described
    assert type(raised.value).__name__ in described


@pytest.mark.parametrize("quote", [quote_a_cause, quote_a_context])
def test_what_led_to_an_error_comes_before_it(quote: Callable[[], object]) -> None:
    with pytest.raises(Exception) as raised:
        quote()
    last = describe(raised.value).splitlines()[-1]
    assert last.startswith(type(raised.value).__name__)


def test_of_a_constraint_its_name_and_the_statement_are_logged(app: Flask) -> None:
    with pytest.raises(Exception, match="duplicate key") as raised:
        quote_a_row()
    described = describe(raised.value)
    assert "UniqueViolation: 23505 tenants" in described
    assert "INSERT INTO tenants" in described


def test_what_the_server_says_of_itself_is_logged(app: Flask) -> None:
    with platform_scope("tests"):
        db.session.execute(text("set local statement_timeout = 1"))
        with pytest.raises(Exception, match="timeout") as raised:
            db.session.execute(text("select pg_sleep(1)"))
        db.session.rollback()
    assert "canceling statement due to statement timeout" in describe(raised.value)


def test_a_mistake_of_ours_is_logged_with_its_words() -> None:
    with pytest.raises(AttributeError) as raised:
        getattr(None, "nothing")  # noqa: B009
    assert "'NoneType' object has no attribute 'nothing'" in describe(raised.value)


def test_a_circle_of_errors_is_described_once() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert describe(first).count("Traceback") == 2


def test_a_page_that_fails_logs_nothing_it_quotes(
    world: World, ann: Browser, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Conversation, "get_or_404", lambda *_: quote_a_number())
    assert ann.get(f"/t/bakery/inbox/{uuid.uuid4()}").status_code == 500
    logged = "".join(capsys.readouterr())
    assert "in quote_a_number" in logged
    assert not is_quoted(logged)


def test_a_job_that_fails_leaves_nothing_it_quotes(
    app: Flask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(JOBS["webhooks.drain"], "start", quote_a_number)
    enqueue("webhooks.drain")
    job = lane("inbound").jobs[0]
    work("inbound")
    logged, stored = "".join(capsys.readouterr()), "".join(str(one.exc_string) for one in Result.all(job))
    assert "in quote_a_number" in logged
    assert not is_quoted(logged + stored)
    assert "in quote_a_number" in stored


def test_what_fails_for_one_tenant_logs_nothing_it_quotes(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    try_for(world.bakery.id, quote_a_number)
    logged = "".join(capsys.readouterr())
    assert "in quote_a_number" in logged
    assert not is_quoted(logged)


def test_what_a_library_logs_has_nothing_it_quotes(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    async def forget() -> None:
        asyncio.ensure_future(asyncio.to_thread(quote_a_number))  # noqa: RUF006
        await asyncio.sleep(0.1)

    asyncio.run(forget())
    try:
        quote_a_key()
    except KeyError:
        logging.getLogger("gunicorn.error").exception("Error handling request %s", f"/t/bakery/inbox?q={QUOTED}")
    assert caplog.text.count("in quote_a_") == 2
    assert not is_quoted(caplog.text)


def test_a_thread_that_ends_logs_nothing_it_quotes(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    thread = threading.Thread(target=quote_a_number)
    thread.start()
    thread.join()
    logged = "".join(capsys.readouterr())
    assert "in quote_a_number" in logged
    assert not is_quoted(logged)


def test_an_error_given_to_the_log_is_described(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().error("step broke", exc_info=ValueError(QUOTED))
    line = json.loads(capsys.readouterr().out)
    assert line["exception"] == "Traceback (most recent call last):\nValueError"
