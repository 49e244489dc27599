"""A CRM that is unavailable, slow, limited, broken, or that refuses the token."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from app.crm.calls import CrmFailure, rest_of, seconds_in
from app.crm.jobs import enqueue_due_work, mail
from app.crm.models import CrmConnection, try_token
from app.tenancy import now, tenant_scope
from tests.client import Browser
from tests.enqueued import Enqueued

from .conftest import Crm
from .standins import TOKEN

LIMITED = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}


def test_a_limit_is_respected_for_as_long_as_it_asks_and_then_it_goes_on(crm: Crm) -> None:
    crm.server.fail(429, LIMITED, headers={"Retry-After": "120", "x-ratelimit-reset": "2"}, at="search")
    crm.appear()
    rest = crm.connection.rests_until
    assert rest and dt.timedelta(seconds=110) < rest - now() < dt.timedelta(seconds=121)
    called = len(crm.server.got)
    crm.make_due()
    crm.work()
    assert len(crm.server.got) == called
    crm.pass_time()
    assert crm.titles == ["Deal 501"] and crm.connection.problem == ""


def test_one_limit_after_the_other_is_left_alone_for_longer_each_time(crm: Crm) -> None:
    crm.server.fail(429, LIMITED, headers={"x-ratelimit-reset": "2"}, times=4, at="search")
    crm.appear()
    rests = [crm.connection.rests_until]
    for _ in range(3):
        crm.pass_time()
        rests.append(crm.connection.rests_until)
    lasting = [rest - now() for rest in rests if rest]
    assert lasting[0] < dt.timedelta(seconds=3) and lasting[3] > dt.timedelta(seconds=100)


def test_how_long_a_limit_lasts() -> None:
    assert rest_of({}, LIMITED) == 10 and rest_of({"retry-after": "33"}, LIMITED) == 33
    assert rest_of({"x-ratelimit-reset": "2"}, {}) == 2 and rest_of({}, {"policyName": "DAILY"}) == 3_600
    assert rest_of({"x-daily-requests-left": "0", "x-ratelimit-reset": "9000"}, {}) == 9_000
    assert rest_of({"retry-after": "9" * 30}, {}) == 86_400 and seconds_in("٣") == seconds_in("soon") == 0


@pytest.mark.parametrize("status", [500, 521])
def test_errors_of_the_server_are_tried_again_less_and_less_often(crm: Crm, status: int) -> None:
    crm.server.fail(status, b"<html>", times=3, at="search")
    crm.appear()
    first = crm.connection.rests_until
    crm.pass_time()
    second = crm.connection.rests_until
    assert first and second and second - now() > first - now() + dt.timedelta(seconds=20)
    crm.pass_time()
    crm.pass_time()
    assert crm.titles == ["Deal 501"] and crm.connection.failures == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"[" * 10_000])
def test_what_is_no_json_object_is_an_error_of_theirs(crm: Crm, body: bytes) -> None:
    crm.server.fail(200, body, at="search")
    crm.appear()
    assert crm.connection.problem == "broken" and crm.connection.state == "connected"


@pytest.mark.parametrize(
    "body", [{}, {"results": 5, "data": 5}, {"results": [None, 3, {}], "data": {"items": [None, {}]}}]
)
def test_json_of_another_shape_finds_no_contact(crm: Crm, body: object) -> None:
    crm.server.fail(200, body, at="search", times=4)
    crm.appear()
    assert crm.records("contact") == [] and crm.connection.problem == ""


def test_a_crm_that_is_away_is_left_alone_for_a_while(crm: Crm) -> None:
    crm.server.fail(is_silent=True, at="search")
    crm.appear()
    assert crm.connection.problem == "unreachable" and crm.connection.rests_until
    crm.pass_time()
    assert crm.titles == ["Deal 501"]


def test_a_crm_that_does_not_answer_is_given_up_in_time(hub: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.crm.calls.SECONDS", 0.0)
    hub.appear()
    assert hub.connection.problem == "unreachable"


def test_a_revoked_token_stops_everything_until_there_is_a_new_one(crm: Crm, ann: Browser) -> None:
    crm.server.tokens = {"another"}
    crm.appear()
    assert crm.connection.state == "needs_token" and len(crm.server.got) == 1
    crm.pass_time()
    crm.look_again()
    assert len(crm.server.got) == 1
    assert "Needs a new token" in ann.get("~/crm/").text
    assert "needs a new token" in ann.get(f"~/inbox/{crm.talk.id}/details").text
    ann.post(f"~/crm/{crm.provider}", {f"{crm.provider}-token": "another"})
    crm.look_again()
    assert crm.titles == ["Deal 501"]


def test_owners_and_admins_get_one_mail_about_a_revoked_token(
    crm: Crm, enqueued: Enqueued, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str, str]] = []
    monkeypatch.setattr("app.mail.send", lambda _url, to, subject, body: sent.append((to, subject, body)))
    crm.server.tokens = set()
    crm.appear()
    assert "crm.mail" in enqueued.names
    for _ in range(2):
        mail(crm.id, crm.connection_id)
    ((to, subject, body),) = sent
    assert to == "ann@example.com" and "new token" in subject and "/t/bakery/crm/" in body


def test_a_token_without_a_permission_says_so(hub: Crm, ann: Browser) -> None:
    hub.server.lacks = {"contacts/search"}
    hub.appear()
    assert hub.connection.state == "needs_token" and "lacks a permission" in ann.get("~/crm/").text


def test_a_403_without_json_is_a_limit(pipe: Crm) -> None:
    pipe.server.fail(403, b"<html>error 1015</html>", at="search")
    pipe.appear()
    assert pipe.connection.state == "connected" and pipe.connection.problem == "limited"


def test_a_refused_request_is_not_repeated(pipe: Crm) -> None:
    pipe.server.fail(400, at="search")
    pipe.appear()
    assert pipe.lookup.problem == "invalid" and pipe.lookup.due_at is None and pipe.connection.rests_until is None


def test_lookups_end_after_some_attempts(hub: Crm) -> None:
    hub.server.fail(500, times=20, at="search")
    hub.appear()
    for _ in range(10):
        hub.pass_time()
    assert hub.lookup.due_at is None and len(hub.server.calls("search")) == 8


def test_the_sweep_enqueues_what_waits_and_leaves_alone_what_rests(crm: Crm, enqueued: Enqueued) -> None:
    crm.server.fail(429, LIMITED, at="search")
    crm.appear()
    enqueued.clear()
    with tenant_scope(crm.id):
        from sqlalchemy import update

        from app.crm.lookups import CrmLookup
        from app.tenancy import db

        db.session.execute(update(CrmLookup).values(due_at=now()))
    enqueue_due_work()
    assert "crm.work" not in enqueued.names
    crm.set(rests_until=None)
    enqueue_due_work()
    assert "crm.work" in enqueued.names


def test_a_token_is_tried_before_it_is_saved(crm: Crm, ann: Browser) -> None:
    answer = ann.post(f"~/crm/{crm.provider}", {f"{crm.provider}-token": "wrong"})
    assert answer.status_code == 422 and "This token was refused" in answer.text
    assert "wrong" not in answer.text.replace("wrong-", "")
    crm.server.fail(is_silent=True)
    answer = ann.post(f"~/crm/{crm.provider}", {f"{crm.provider}-token": TOKEN})
    assert answer.status_code == 422 and "It didn&#39;t respond" in answer.text


def test_a_token_that_works_says_whose_it_is(crm: Crm, ann: Browser) -> None:
    ann.post(f"~/crm/{crm.provider}", {f"{crm.provider}-token": TOKEN})
    name = "Agency Dakar" if crm.provider == "pipedrive" else "1234567"
    assert f"Connected as “{name}”" in ann.get("~/crm/").text


def test_the_token_is_stored_sealed_and_never_shown(crm: Crm, ann: Browser) -> None:
    assert TOKEN.encode() not in (crm.connection.token_ciphertext or b"") and TOKEN not in ann.get("~/crm/").text


def test_agents_may_not_open_the_page(crm: Crm, ben: Browser) -> None:
    assert ben.get("~/crm/").status_code == 403


def test_disconnecting_deletes_the_token_and_the_copies(crm: Crm, ann: Browser) -> None:
    from app.crm.jobs import forget
    from app.tenancy import uuid7

    crm.appear()
    ann.post(f"~/crm/{crm.provider}/removal")
    forget(crm.id, crm.provider, str(uuid7()))
    assert crm.records() == [] and crm.records("contact") == []
    with tenant_scope(crm.id):
        assert CrmConnection.of(crm.provider) is None


def test_a_token_of_another_account_has_the_copies_deleted(crm: Crm, enqueued: Enqueued) -> None:
    from dataclasses import replace

    from app.tenancy import Actor

    account = replace(try_token(crm.provider, TOKEN), id="999")
    enqueued.clear()
    with tenant_scope(crm.id):
        CrmConnection.save(crm.provider, TOKEN, account, by=Actor.agent(crm.world.ann))
    assert enqueued.names == ["crm.forget"]


def test_failures_say_nothing_of_tokens(crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    crm.server.tokens = set()
    with pytest.raises(CrmFailure) as caught:
        try_token(crm.provider, TOKEN)
    assert TOKEN not in json.dumps(str(caught.value)) and TOKEN not in "".join(capsys.readouterr())
