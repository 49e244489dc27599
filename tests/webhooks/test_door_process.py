"""The door as a process of its own, as the Procfile runs it."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from flask import Flask

from app.config import Settings
from app.webhooks.door import LARGEST
from dev.stack import procfile
from tests.posts import message, post, signed

PATH = "/webhooks/whatsapp"


def free_port() -> int:
    """One that the system chooses: other runs of the tests are given others."""
    with socket.socket() as attempt:
        attempt.bind(("127.0.0.1", 0))
        return int(attempt.getsockname()[1])


@pytest.fixture(scope="module")
def process(environ: dict[str, str]) -> Iterator[httpx.Client]:
    port = free_port()
    env = os.environ | environ | {"DOOR_PORT": str(port), "BIND": "127.0.0.1"}
    command = [sys.executable, "-m", *shlex.split(procfile(env)["door"])]
    process = subprocess.Popen(command, env=env)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            wait_for(client, process)
            yield client
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def door(process: httpx.Client, app: Flask) -> httpx.Client:
    """With empty tables."""
    return process


def wait_for(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            client.get("/healthz").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the door did not open")


def stored(superuser_url: str) -> list[bytes]:
    with psycopg.connect(superuser_url) as connection:
        return [bytes(body) for (body,) in connection.execute("select body from webhook_events order by id")]


def test_what_is_signed_is_stored_byte_for_byte(door: httpx.Client, superuser_url: str) -> None:
    body = post(message("caf\u00e9 😀"))
    assert door.post(PATH, content=body, headers=signed(body)).status_code == 200
    assert stored(superuser_url) == [body]


@pytest.mark.parametrize("header", [None, "", "sha256=00", "sha256=" + "0" * 64])
def test_what_is_not_signed_is_refused(door: httpx.Client, superuser_url: str, header: str | None) -> None:
    headers = {} if header is None else {"X-Hub-Signature-256": header}
    assert door.post(PATH, content=post(message()), headers=headers).status_code == 401
    assert stored(superuser_url) == []


def test_three_megabytes_are_taken_and_more_refused(door: httpx.Client) -> None:
    for size, status in ((LARGEST, 200), (LARGEST + 1, 413)):
        body = b"x" * size
        assert door.post(PATH, content=body, headers=signed(body)).status_code == status


def test_a_body_in_chunks_is_taken_and_cut_off_when_too_large(door: httpx.Client, superuser_url: str) -> None:
    body = post(message("in pieces"))
    assert door.post(PATH, content=iter([body[:50], body[50:]]), headers=signed(body)).status_code == 200
    assert stored(superuser_url) == [body]
    large = b"x" * (LARGEST + 1)
    assert door.post(PATH, content=iter([large]), headers=signed(large)).status_code == 413


def test_the_challenge_is_answered_only_with_the_right_token(door: httpx.Client, settings: Settings) -> None:
    requested = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": settings.meta_verify_token}
    answer = door.get(PATH, params=requested)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert door.get(PATH, params=requested | {"hub.verify_token": "wrong"}).status_code == 403


def test_it_has_no_pages(door: httpx.Client) -> None:
    assert [door.get(path).status_code for path in ("/", "/sign-in", "/t/bakery/inbox/", "/platform/")] == [404] * 4


HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: sha256={'0' * 64}\r\nContent-Length: 90000\r\n\r\n"


@pytest.mark.parametrize("beginning", [b"", HEAD[:40].encode(), HEAD.encode() + b"{"], ids=["nothing", "head", "body"])
def test_thousands_of_strangers_who_begin_and_wait_do_not_shut_meta_out(door: httpx.Client, beginning: bytes) -> None:
    body = post(message("Hello"))
    with contextlib.ExitStack() as strangers:
        for _ in range(2_000):
            stranger = socket.create_connection((door.base_url.host, door.base_url.port or 80))
            strangers.enter_context(stranger)
            stranger.sendall(beginning)
        with httpx.Client(base_url=door.base_url, timeout=5, trust_env=False) as meta:
            assert meta.post(PATH, content=body, headers=signed(body)).status_code == 200
