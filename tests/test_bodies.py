"""Senders who are slow, and many at once: their connections end, and what they held is given back."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from typing import ClassVar

import pytest
from flask import Flask
from werkzeug.exceptions import ClientDisconnected

from app import bodies
from app.bodies import SMALL, Budget, Spent
from tests.posts import message, post, signed
from tests.simulated import Served

SIGNED = "X-Hub-Signature-256: sha256=" + "0" * 64 + "\r\n"
SECONDS = 0.3


FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture
def port(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The app on a port of its own, with short deadlines."""
    monkeypatch.setattr(bodies, "SECONDS", SECONDS)
    with Served(app) as served:
        yield served.server.port
    for sender in Sender.opened:
        sender.socket.close()
    Sender.opened.clear()


class Sender:
    """Sends the head of a request, and as much of its body as the test likes."""

    opened: ClassVar[list[Sender]] = []

    def __init__(self, port: int, path: str, length: int, headers: str = "") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.opened.append(self)
        self.send(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n")

    def send(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def status(self) -> int:
        return int(self.socket.recv(100).split()[1])

    def trickle(self) -> int:
        """A byte now and then, until it is answered."""
        self.socket.settimeout(0.05)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                return int(self.socket.recv(100).split()[1])
            except TimeoutError:
                self.send("x")
        raise AssertionError("never answered")


def test_of_a_stranger_no_body_is_read(port: int) -> None:
    assert Sender(port, "/webhooks/whatsapp", 3_000_000).status() == 401


def test_a_body_that_stops_halfway_is_dropped(port: int) -> None:
    half = Sender(port, "/webhooks/whatsapp", 1000, SIGNED)
    half.send("x" * 500)
    assert half.status() == 408


def test_a_body_that_trickles_is_dropped(port: int) -> None:
    assert Sender(port, "/webhooks/whatsapp", 100_000, SIGNED).trickle() == 408


def test_a_form_that_trickles_is_dropped(port: int) -> None:
    assert Sender(port, "/sign-in", 1000, FORM).trickle() in (400, 408)


def test_a_body_that_ends_early_is_no_webhook(port: int) -> None:
    short = Sender(port, "/webhooks/whatsapp", 1000, SIGNED)
    short.send("x" * 500)
    short.socket.shutdown(socket.SHUT_WR)
    assert short.status() == 400


@pytest.mark.parametrize("read", ["read", "readline", "readinto"])
def test_a_body_that_ends_before_its_length_is_not_taken_for_whole(read: str) -> None:
    """As gunicorn has it: it ends the input where the connection ended."""
    environ = {"wsgi.input": io.BytesIO(b"half"), "CONTENT_LENGTH": "8"}
    with Budget(1_000).hold() as held:
        body = bodies.Input(environ, held, time.monotonic() + 60, counted=100)
        given = bytearray(4) if read == "readinto" else 4
        getattr(body, read)(given)
        with pytest.raises(ClientDisconnected):
            getattr(body, read)(given)
        with pytest.raises(ClientDisconnected):
            bodies.Input(environ, held, time.monotonic() + 60, counted=100).read()


def test_a_body_without_a_length_ends_where_it_ends() -> None:
    for more in ({}, {"CONTENT_LENGTH": "8", "HTTP_TRANSFER_ENCODING": "chunked"}):
        environ = {"wsgi.input": io.BytesIO(b"half"), **more}
        with Budget(1_000).hold() as held:
            body = bodies.Input(environ, held, time.monotonic() + 60, counted=100)
            assert body.read() == b"half" and body.read() == b""


def test_what_bodies_held_is_given_back_however_they_end(app: Flask, port: int) -> None:
    door = app.wsgi_app
    body, path = post(message()), "/webhooks/whatsapp"
    assert app.test_client().post(path, data=body, headers=signed(body)).status_code == 200
    assert app.test_client().post(path, data=body, headers=signed(body, "another")).status_code == 401
    Sender(port, path, 100_000, SIGNED).trickle()
    Sender(port, "/sign-in", 1000, FORM).trickle()
    assert (door.budget.used, door.wsgi_app.budget.used) == (0, 0)  # type: ignore[attr-defined]


def test_while_the_budget_is_spent_meta_is_asked_to_try_again(app: Flask) -> None:
    body, budget = b"x" * 2 * SMALL, app.wsgi_app.budget  # type: ignore[attr-defined]
    with budget.hold() as others:
        others.add(budget.most // 2)
        answer = app.test_client().post("/webhooks/whatsapp", data=body, headers=signed(body))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_large_bodies_leave_half_of_the_budget_to_small_ones() -> None:
    budget = Budget(10 * SMALL)
    with budget.hold() as large, budget.hold() as small:
        large.add(5 * SMALL)
        with pytest.raises(Spent):
            large.add(1)
        small.add(SMALL)
        with pytest.raises(Spent):
            small.add(1)
    assert budget.used == 0


def test_the_door_answers_with_the_security_headers_of_every_page(app: Flask) -> None:
    answer = app.test_client().post("/webhooks/whatsapp", data=b"x")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


FIELD = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n'


@pytest.mark.parametrize(
    ("type", "beginning"),
    [
        ("application/x-www-form-urlencoded", b"grant_type=refresh_token&client_id=1&refresh_token="),
        ("multipart/form-data; boundary=x", FIELD),
    ],
)
def test_a_form_too_long_that_says_no_length_is_not_read_as_its_beginning(
    app: Flask, type: str, beginning: bytes
) -> None:
    body, chunked = (
        io.BytesIO(beginning + b"x" * 1_100_000),
        {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    answer = app.test_client().post("/oauth/token", input_stream=body, content_type=type, environ_overrides=chunked)
    assert answer.status_code == 413
