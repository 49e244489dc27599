"""Passwords are hashed outside of the event loop, and only as many wait as are soon served."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from flask import Flask

from app.team import hashing, passwords
from app.team.models import SignInAttempt
from app.tenancy import User, db, global_scope
from app.tenancy.transactions import TransactionOpen
from tests.client import Browser
from tests.team.helpers import is_in, rows, sign_in
from tests.world import World


@pytest.fixture
def one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "places", threading.BoundedSemaphore(1))


@pytest.fixture
def one_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "seats", threading.BoundedSemaphore(1))
    monkeypatch.setattr(hashing, "PATIENCE_SECONDS", 0.01)


@pytest.mark.usefixtures("one_place")
def test_whoever_comes_when_too_many_wait_is_asked_to_try_again(world: World, browser: Browser) -> None:
    with hashing.places:
        answer = sign_in(browser)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert "Too many people are signing in right now" in answer.text
    assert not is_in(browser)


@pytest.mark.usefixtures("one_seat")
def test_whoever_has_waited_too_long_is_asked_to_try_again(world: World, browser: Browser) -> None:
    with hashing.seats:
        assert sign_in(browser).status_code == 429
    assert sign_in(browser).status_code == 303


@pytest.mark.usefixtures("one_place")
def test_a_password_that_was_not_looked_at_does_not_count_as_a_guess(world: World, browser: Browser) -> None:
    with hashing.places:
        sign_in(browser)
    assert rows(SignInAttempt) == []
    assert sign_in(browser).status_code == 303


@pytest.mark.usefixtures("one_place", "one_seat")
def test_a_place_is_given_back_after_each_password(world: World, browser: Browser) -> None:
    assert [sign_in(browser, password=word).status_code for word in ("wrong", "wrong", "wrong")] == [422] * 3


def test_no_connection_is_held_while_a_password_waits(app: Flask) -> None:
    with global_scope():
        db.session.query(User).first()
        with pytest.raises(TransactionOpen):
            passwords.hash_password("a long walk on the beach")


UNDER_GEVENT = """
from gevent import monkey; monkey.patch_all()
import gevent
from app.team import passwords
from app import create_app
turns = 0
def turn():
    global turns
    while True:
        turns += 1
        gevent.sleep(0)
gevent.spawn(turn)
gevent.sleep(0)
before = turns
passwords.hash_password("a long walk on the beach")
print(turns > before + 10)
"""


def test_other_requests_go_on_while_a_password_is_hashed() -> None:
    done = subprocess.run([sys.executable, "-c", UNDER_GEVENT], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True", done.stderr
