import datetime as dt
import logging
import re
import time

import pytest
import rq
import time_machine
from flask import Flask
from rq.serializers import JSONSerializer

from app import tokens
from app.team import jobs
from app.team.models import PasswordReset
from app.tenancy import now
from tests.client import Browser
from tests.team.helpers import (
    NEW_PASSWORD,
    PASSWORD,
    ask_for_reset,
    cookie,
    deliver_mails,
    is_in,
    mails,
    rows,
    sign_in,
    token_in,
    with_cookie,
)
from tests.world import World


def set_password(browser: Browser, link: str, password: str = NEW_PASSWORD) -> int:
    token = link.partition("token=")[2]
    return browser.post("/new-password", {"token": token, "password": password}).status_code


def test_a_link_sets_a_new_password(world: World, browser: Browser) -> None:
    link = ask_for_reset(browser)
    assert browser.get(link).status_code == 200
    assert set_password(browser, link) == 303
    assert sign_in(browser, password=PASSWORD).status_code == 422
    assert sign_in(browser, password=NEW_PASSWORD).status_code == 303


def test_known_and_unknown_addresses_are_answered_alike(world: World, browser: Browser, other: Browser) -> None:
    existing = browser.post("/forgotten-password", {"email": "ann@example.com"})
    unknown = other.post("/forgotten-password", {"email": "xyz@example.com"})
    plain = [re.sub(r'X-CSRFToken": "[^"]+', "", answer.text) for answer in (existing, unknown)]
    assert existing.status_code == unknown.status_code == 200
    assert plain[0] == plain[1].replace("xyz@", "ann@")
    assert len(rows(PasswordReset)) == 1


def test_known_and_unknown_addresses_are_answered_after_the_same_time(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.team.views import resets

    slept: list[float] = []
    monkeypatch.setattr(resets, "ANSWER_SECONDS", 1_000.0)
    monkeypatch.setattr(time, "sleep", slept.append)
    for email in ("ann@example.com", "xyz@example.com"):
        browser.post("/forgotten-password", {"email": email})
    # Other threads of the process sleep as well, for moments.
    assert [900 < seconds < 1_000 for seconds in slept if seconds > 10] == [True, True]


def test_a_link_works_once(world: World, browser: Browser, other: Browser) -> None:
    link = ask_for_reset(browser)
    set_password(browser, link)
    assert other.get(link).status_code == 410
    assert set_password(other, link, "yet another phrase") == 410
    assert sign_in(other, password=NEW_PASSWORD).status_code == 303


def test_a_link_works_for_an_hour(world: World, browser: Browser) -> None:
    link = ask_for_reset(browser)
    with time_machine.travel(now() + dt.timedelta(minutes=61), tick=False):
        assert browser.get(link).status_code == 410
        assert set_password(browser, link) == 410


def test_using_one_link_kills_the_others(world: World, browser: Browser) -> None:
    first, second = ask_for_reset(browser), ask_for_reset(browser)
    set_password(browser, second)
    assert first != second
    assert browser.get(first).status_code == 410


def test_a_new_password_ends_every_session(world: World, app: Flask, browser: Browser, other: Browser) -> None:
    sign_in(other)
    saved = cookie(other)
    set_password(browser, ask_for_reset(browser))
    assert not is_in(other)
    assert not is_in(with_cookie(app, saved))


def test_an_easy_password_is_refused_and_the_link_lives_on(world: World, browser: Browser) -> None:
    link = ask_for_reset(browser)
    assert set_password(browser, link, "ann@example.com") == 422
    assert set_password(browser, link) == 303


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\x00", "ImEi.AAAA", "☃"])
def test_a_made_up_link_is_dead(world: World, browser: Browser, token: str) -> None:
    assert browser.get("/new-password", query_string={"token": token}).status_code == 410
    assert browser.post("/new-password", {"token": token, "password": NEW_PASSWORD}).status_code == 410


def test_a_token_signed_for_something_else_is_dead(world: World, browser: Browser) -> None:
    ask_for_reset(browser)
    token = tokens.sign("invitation", rows(PasswordReset)[0].id)
    assert browser.get(f"/new-password?token={token}").status_code == 410


def test_a_links_host_is_the_configured_one_and_no_other_host_gets_a_link(
    world: World, app: Flask, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    answer = browser.post("/forgotten-password", {"email": "ann@example.com"}, headers={"Host": "evil.example"})
    assert answer.status_code >= 400 and deliver_mails() == []
    browser.post("/forgotten-password", {"email": "ann@example.com"})
    assert "http://localhost/new-password?token=" in deliver_mails()[0][2]


def test_a_job_carries_no_secret(world: World, app: Flask, browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    link = ask_for_reset(browser)
    queue = rq.Queue("default", connection=app.extensions["outside"].redis, serializer=JSONSerializer)
    [job] = queue.jobs
    assert job.args == [str(rows(PasswordReset)[0].id)]
    assert link.partition("token=")[2] not in caplog.text


def test_a_mail_is_sent_once(world: World, browser: Browser) -> None:
    ask_for_reset(browser)
    assert deliver_mails() == []


def test_a_mail_that_was_not_taken_is_tried_again(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.post("/forgotten-password", {"email": "ann@example.com"})
    monkeypatch.setattr("app.mail.send", refuse)
    with pytest.raises(OSError, match="unavailable"):
        deliver_mails()
    assert rows(PasswordReset)[0].mailed_at is None
    monkeypatch.undo()
    assert len(deliver_mails()) == 1


def refuse(*_: object) -> None:
    raise OSError("the server is unavailable")


def test_the_sweep_enqueues_again_what_was_not_mailed(world: World, app: Flask, browser: Browser) -> None:
    browser.post("/forgotten-password", {"email": "ann@example.com"})
    redis = app.extensions["outside"].redis
    redis.flushall()
    with time_machine.travel(now() + dt.timedelta(seconds=31), tick=False):
        jobs.resend_mails()
        jobs.resend_mails()
    queue = rq.Queue("default", connection=redis, serializer=JSONSerializer)
    assert [job.args for job in queue.jobs] == [[str(rows(PasswordReset)[0].id)]]


def test_the_sweep_forgets_what_expired(world: World, browser: Browser) -> None:
    ask_for_reset(browser)
    with time_machine.travel(now() + dt.timedelta(days=100), tick=False):
        jobs.delete_expired()
    assert rows(PasswordReset) == []


def test_no_one_gets_more_than_three_links_an_hour(world: World, browser: Browser) -> None:
    for _ in range(5):
        assert browser.post("/forgotten-password", {"email": "ann@example.com"}).status_code == 200
    assert len(deliver_mails()) == 3


def test_asking_is_throttled_by_address(world: World, browser: Browser) -> None:
    answers = [browser.post("/forgotten-password", {"email": "x@example.com"}).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]


def test_an_unknown_address_gets_no_mail(world: World, browser: Browser) -> None:
    browser.post("/forgotten-password", {"email": "xyz@example.com"})
    assert deliver_mails() == []
    assert mails() == []


def test_tokens_of_two_links_differ_in_unguessable_ways(world: World, browser: Browser) -> None:
    ids = [token_in(f"http://localhost{ask_for_reset(browser)}") for _ in range(2)]
    assert all(len(token) > 80 for token in ids)
    assert ids[0] != ids[1]
