"""What goes out, signed, and what is done with each kind of answer."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time
from dataclasses import replace
from email.utils import format_datetime
from typing import Any

import jsonschema
import pytest
import time_machine
from sqlalchemy import select, update
from standardwebhooks.webhooks import WebhookVerificationError

from app.egress import Egress
from app.extensions import outside
from app.hooks.calls import ANSWER_BYTES, RESOLVERS_OF_TENANT, Outcome
from app.hooks.claims import LONGEST_REST, claim, settle
from app.hooks.deliverer import FIRST_WINDOW
from app.hooks.deliveries import RETRY_SECONDS
from app.hooks.endpoints import WebhookEndpoint
from app.hooks.events import OutgoingEvent, schema_of
from app.hooks.jobs import cancel, forget_old_deliveries, mail
from app.hooks.resources import Resources
from app.inbox.conversations import Message
from app.tenancy import db, happened, now, tenant_scope, uuid7
from app.wabas.models import PhoneNumber
from tests.arrivals import arrive
from tests.enqueued import Enqueued
from tests.happenings import deliver_to_subscriber
from tests.posts import message
from tests.team.helpers import mails
from tests.world import World

from .conftest import Hooks
from .receivers import OK, URL, Receiver, status_line


def test_a_message_comes_signed_with_what_is_around_it(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add(types=["message.received"])
    arrive(message("Is my bread ready?"))
    hooks.hear()
    hooks.send()
    [got] = receiver.got
    event = got.verified(hooks.secret(endpoint))
    assert event["type"] == "message.received" and event["id"] == got.id
    assert event["data"]["message"]["text"] == "Is my bread ready?"
    assert event["data"]["contact"]["phone"] == "+16505551234"
    assert event["data"]["conversation"]["id"] == event["data"]["conversation_id"]
    jsonschema.validate(event, schema_of("message.received"), format_checker=jsonschema.FormatChecker())
    assert hooks.states == ["delivered"]


def test_an_event_that_cannot_be_rendered_delays_no_other(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = hooks.add()
    hooks.happens()
    broken = hooks.deliveries()[0].event_id
    hooks.happens()
    rendered = OutgoingEvent.rendered

    def render(event: OutgoingEvent, resources: Resources) -> dict[str, Any]:
        if event.id == broken:
            raise KeyError("subject")
        return rendered(event, resources)

    monkeypatch.setattr(OutgoingEvent, "rendered", render)
    hooks.send()
    assert len(receiver.got) == 1
    first, second = sorted(hooks.deliveries(), key=lambda one: one.event_id != broken)
    assert (first.state, first.error, second.state) == ("waiting", "unrendered", "delivered")
    assert hooks.endpoint(endpoint).failing_since is None


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_process_whose_clock_is_off_signs_with_the_right_time(hooks: Hooks, receiver: Receiver, minutes: int) -> None:
    endpoint = hooks.add()
    hooks.happens()
    with time_machine.travel(now() + dt.timedelta(minutes=minutes)):
        hooks.send()
    assert receiver.got[0].verified(hooks.secret(endpoint)) and hooks.states == ["delivered"]


def test_a_changed_body_is_noticed(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    hooks.happens()
    hooks.send()
    changed = receiver.got[0].body.replace(b"resolved", b"reopened")
    with pytest.raises(WebhookVerificationError):
        replace(receiver.got[0], body=changed).verified(hooks.secret(endpoint))


def test_while_a_secret_is_rotated_both_verify_and_after_a_day_the_new_one_alone(
    hooks: Hooks, receiver: Receiver
) -> None:
    endpoint = hooks.add()
    old = hooks.secret(endpoint)
    with tenant_scope(hooks.tenant.id):
        new = WebhookEndpoint.get_or_404(endpoint.id).rotate()
    hooks.happens()
    hooks.send()
    assert receiver.got[0].verified(new) == receiver.got[0].verified(old)
    with tenant_scope(hooks.tenant.id):
        WebhookEndpoint.get_or_404(endpoint.id).previous_secret_expires_at = now()
    hooks.happens()
    hooks.send()
    assert receiver.got[1].verified(new)
    with pytest.raises(WebhookVerificationError):
        receiver.got[1].verified(old)


def test_a_retry_has_the_same_id_and_a_signature_of_its_own_time(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    receiver.answer_with(500, 200)
    hooks.happens()
    hooks.send()
    [waiting] = hooks.deliveries()
    assert waiting.state == "waiting" and waiting.status == 500 and waiting.next_attempt_at
    assert dt.timedelta(seconds=4) < waiting.next_attempt_at - now() < dt.timedelta(seconds=6)
    hooks.make_due()
    hooks.send()
    first, second = receiver.got
    assert first.id == second.id and second.verified(hooks.secret(endpoint))
    assert hooks.states == ["delivered"] and [one.status for one in hooks.attempts()] == [500, 200]


def test_it_is_tried_for_three_days_and_then_failed(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add()
    receiver.answer_with(500)
    hooks.happens()
    pauses = []
    for _ in RETRY_SECONDS:
        hooks.send()
        [waiting] = hooks.deliveries()
        assert waiting.next_attempt_at
        pauses.append((waiting.next_attempt_at - now()).total_seconds())
        hooks.make_due()
    hooks.send()
    assert hooks.states == ["failed"] and len(receiver.got) == len(RETRY_SECONDS) + 1
    assert dt.timedelta(days=3) <= dt.timedelta(seconds=sum(RETRY_SECONDS)) <= dt.timedelta(days=4)
    assert all(seconds - 2 <= pause <= seconds * 1.2 for seconds, pause in zip(RETRY_SECONDS, pauses, strict=True))


@pytest.mark.parametrize(
    "requested", ["-5", "1e9", "99999999999 years", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"]
)
def test_a_retry_after_that_is_no_time_is_passed_over(hooks: Hooks, receiver: Receiver, requested: str) -> None:
    endpoint = hooks.add()
    receiver.answer_with(503, Retry_After=requested)
    hooks.happens()
    hooks.send()
    assert hooks.states == ["waiting"] and [one.status for one in hooks.attempts()] == [503]
    assert hooks.endpoint(endpoint).rests_until is None


def test_a_call_that_fails_in_a_way_of_its_own_ends_with_an_outcome(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add()
    hooks.happens()

    def resolve(host: str, port: int) -> list[str]:
        raise LookupError(host)

    outside().egress = replace(outside().egress, resolve=resolve)
    hooks.send()
    assert hooks.states == ["waiting"] and [one.error for one in hooks.attempts()] == ["protocol"]


@pytest.mark.parametrize("requested", ["120", "999999999999", "date"])
def test_retry_after_is_obeyed_for_the_whole_webhook(hooks: Hooks, receiver: Receiver, requested: str) -> None:
    endpoint = hooks.add()
    in_two_minutes = format_datetime(now() + dt.timedelta(seconds=120), usegmt=True)
    receiver.answer_with(429, Retry_After=in_two_minutes if requested == "date" else requested)
    hooks.happens()
    hooks.send()
    rests_until, due = hooks.endpoint(endpoint).rests_until, hooks.deliveries()[0].next_attempt_at
    assert rests_until and due
    least = LONGEST_REST if requested.startswith("9") else dt.timedelta(seconds=120)
    assert abs(rests_until - now() - least) < dt.timedelta(seconds=5) and due >= rests_until - dt.timedelta(seconds=1)
    hooks.happens()
    hooks.send()
    assert len(receiver.got) == 1


def test_410_disables_it_cancels_what_waits_and_sends_a_mail(
    hooks: Hooks, receiver: Receiver, enqueued: Enqueued
) -> None:
    endpoint = hooks.add(description="Shop")
    hooks.happens()
    with tenant_scope(hooks.tenant.id):
        assert WebhookEndpoint.get_or_404(endpoint.id).is_active
    mails()
    receiver.answer_with(410)
    hooks.send()
    hooks.happens()
    hooks.send()
    assert len(receiver.got) == 1 and hooks.endpoint(endpoint).reason == "gone"
    assert {"hooks.cancel", "hooks.mail_disabled"} <= set(enqueued.names)
    mail(hooks.tenant.id, str(endpoint.id))
    mail(hooks.tenant.id, str(endpoint.id))
    [(to, subject, words)] = mails()
    assert to == "ann@example.com" and "Bakery" in subject
    assert "410" in words and f"/webhooks/{endpoint.id}" in words


def test_a_day_of_nothing_but_failures_disables_it(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    receiver.answer_with(500)
    hooks.happens()
    hooks.send()
    assert hooks.endpoint(endpoint).failing_since
    with tenant_scope(hooks.tenant.id):
        WebhookEndpoint.get_or_404(endpoint.id).failing_since = now() - dt.timedelta(hours=25)
    hooks.make_due()
    hooks.send()
    assert hooks.endpoint(endpoint).reason == "failing"
    mails()
    cancel(hooks.tenant.id, str(endpoint.id))
    mail(hooks.tenant.id, str(endpoint.id))
    assert hooks.states == ["cancelled"] and "For a day nothing could be delivered" in mails()[0][2]


def test_a_success_in_between_starts_the_day_anew(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    with tenant_scope(hooks.tenant.id):
        WebhookEndpoint.get_or_404(endpoint.id).failing_since = now() - dt.timedelta(hours=25)
    hooks.happens()
    hooks.send()
    assert hooks.endpoint(endpoint).failing_since is None
    receiver.answer_with(500)
    hooks.happens()
    hooks.send()
    assert hooks.endpoint(endpoint).is_active


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(hooks: Hooks, receiver: Receiver, status: int) -> None:
    hooks.add()
    receiver.answer_with(status, Location="https://169.254.169.254/latest")
    hooks.happens()
    hooks.send()
    assert len(receiver.got) == 1 and hooks.attempts()[0].status == status and hooks.states == ["waiting"]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "64:ff9b::a9fe:a9fe", "fd00::1"]
)
def test_a_name_that_leads_inside_is_not_called(hooks: Hooks, receiver: Receiver, address: str) -> None:
    usual = outside().egress
    outside().egress = Egress(lambda host, port: ["93.184.215.14", address], trust=usual.trust, route=usual.route)
    hooks.add()
    hooks.happens()
    hooks.send()
    assert receiver.connections == 0 and hooks.attempts()[0].error == "refused"


def test_a_server_with_another_certificate_gets_nothing(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add("https://other.example/hook")
    hooks.happens()
    hooks.send()
    assert receiver.got == [] and hooks.attempts()[0].error == "tls"


def test_a_name_that_does_not_exist_is_tried_again(hooks: Hooks, receiver: Receiver) -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    outside().egress = Egress(nowhere)
    hooks.add()
    hooks.happens()
    hooks.send()
    assert hooks.attempts()[0].error == "name" and hooks.states == ["waiting"]


def test_names_that_are_never_found_take_a_few_threads_of_each_business(hooks: Hooks, receiver: Receiver) -> None:
    looking, peaks, several = set[str](), list[int](), threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        looking.add(host)
        peaks.append(len(looking))
        if len(looking) >= RESOLVERS_OF_TENANT:
            several.set()
        several.wait(10)
        time.sleep(0.1)
        looking.remove(host)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    for place in range(2 * RESOLVERS_OF_TENANT):
        hooks.add(f"https://{place}.example.com/hook")
    hooks.happens()
    outside().egress = replace(outside().egress, resolve=resolve)
    hooks.send()
    assert max(peaks) == RESOLVERS_OF_TENANT and {one.error for one in hooks.attempts()} == {"name"}


def drip(connection: ssl.SSLSocket) -> None:
    """A status, and then a body that never ends, slowly."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def flood(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def flood_without_a_status(connection: ssl.SSLSocket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def hang(connection: ssl.SSLSocket) -> None:
    time.sleep(20)


@pytest.mark.parametrize("answer", [drip, flood])
def test_an_answer_that_does_not_end_counts_by_its_status(
    hooks: Hooks, receiver: Receiver, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.hooks.calls.REST_SECONDS", 0.3)
    hooks.add()
    receiver.answers = [answer]
    hooks.happens()
    hooks.send()
    [attempt] = hooks.attempts()
    assert attempt.status == 200 and 0 < len(attempt.answer) <= ANSWER_BYTES and attempt.milliseconds < 3000


def test_a_flood_without_a_status_is_cut(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add()
    receiver.answers = [flood_without_a_status]
    hooks.happens()
    hooks.send()
    assert hooks.attempts()[0].error == "protocol"


STATUS = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        STATUS + b"Content-Length: -1\r\n\r\n",
        STATUS + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n",
        STATUS + b"X: x\r\n" * 100_000 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
    ],
    ids=["ssh", "length", "one header", "many headers", "continue", "upgrade", "status"],
)
def test_what_is_no_http_is_a_failure(hooks: Hooks, receiver: Receiver, answer: bytes) -> None:
    hooks.add()
    receiver.answers = [answer]
    hooks.happens()
    hooks.send()
    assert hooks.attempts()[0].error == "protocol" and hooks.states == ["waiting"]


def test_a_slow_server_is_given_up_after_its_time(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.hooks.calls.TOTAL_SECONDS", 0.3)
    hooks.add()
    receiver.answers = [hang]
    hooks.happens()
    hooks.send()
    assert hooks.attempts()[0].error == "timeout" and hooks.states == ["waiting"]


def test_a_hanging_server_delays_no_other(hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.hooks.calls.TOTAL_SECONDS", 6)
    monkeypatch.setattr("app.hooks.deliverer.BUDGET_SECONDS", 5)
    hooks.add(f"{URL}/hanging")
    hooks.happens(times=100)
    hooks.add(f"{URL}/fine")
    receiver.answers_at = {"/hook/hanging": hang}
    hooks.happens(times=100)
    hooks.send()
    came = [got for got in receiver.got if got.path == "/hook/fine"]
    hung = [got for got in receiver.got if got.path == "/hook/hanging"]
    assert len({got.id for got in came}) == 100 and came[-1].at < hung[0].at + 6
    assert len(hung) <= FIRST_WINDOW


def test_connections_are_used_again(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add()
    hooks.happens(times=200)
    hooks.send()
    assert len(receiver.got) == 200 and receiver.connections < 150


def test_a_connection_that_the_server_closed_meanwhile_loses_nothing(hooks: Hooks, receiver: Receiver) -> None:
    def answer_and_close(connection: ssl.SSLSocket) -> None:
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)

    hooks.add()
    receiver.answers = [answer_and_close]
    hooks.happens(times=20)
    hooks.send()
    assert hooks.states == ["delivered"] * 20 and {one.status for one in hooks.attempts()} == {200}


def test_who_dies_while_sending_has_it_sent_again_under_the_same_id(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    hooks.happens()
    with tenant_scope(hooks.tenant.id):
        lost = claim({endpoint.id: 4})
    hooks.send()
    assert receiver.got == []
    hooks.make_due()
    hooks.send()
    assert len(receiver.got) == 1 and hooks.states == ["delivered"]
    with tenant_scope(hooks.tenant.id):
        settle([(lost.calls[0], Outcome(500))])
    assert hooks.states == ["delivered"] and receiver.got[0].id == dict(lost.calls[0].headers)["webhook-id"]


def test_two_deliverers_share_the_work(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add()
    hooks.happens(times=20)
    with tenant_scope(hooks.tenant.id):
        first = claim({endpoint.id: 10})
    with tenant_scope(hooks.tenant.id):
        second = claim({endpoint.id: 20})
    ids = [call.parcel.delivery_id for call in [*first.calls, *second.calls]]
    assert len(first.calls) == 10 and len(set(ids)) == len(ids) == 20


def test_the_text_of_an_answer_is_in_the_log_and_no_secret(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add()
    receiver.answers = [status_line(400, b"missing\x00 field " * 200)]
    hooks.happens()
    hooks.send()
    [attempt] = hooks.attempts()
    assert attempt.answer.startswith("missing\ufffd field") and len(attempt.answer) == ANSWER_BYTES
    assert attempt.size == len(receiver.got[0].body)
    assert "webhook-id" in attempt.headers and "webhook-signature" not in attempt.headers


def test_an_erased_customer_is_erased_in_what_is_still_to_be_sent(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add(types=["message.received"])
    arrive(message("My name is Carla"))
    hooks.hear()
    with tenant_scope(hooks.tenant.id):
        for row in db.session.scalars(select(Message)):
            row.body, row.content = "", {"erased": True}
    hooks.send()
    assert "My name is" not in receiver.got[0].body.decode()


def test_events_of_another_business_do_not_come(hooks: Hooks, receiver: Receiver, world: World) -> None:
    hooks.add()
    with tenant_scope(world.shoes.id):
        happened("contact.created", uuid7(), source="inbox")
    deliver_to_subscriber("webhooks", world.shoes.id)
    hooks.hear()
    hooks.send()
    assert receiver.got == []


def test_a_business_of_which_an_event_cannot_be_rendered_stops_no_other(
    hooks: Hooks, receiver: Receiver, world: World
) -> None:
    with tenant_scope(world.shoes.id):
        neighbour = Hooks(world.shoes, db.session.scalars(select(PhoneNumber)).one())
    for each in (hooks, neighbour):
        each.add()
        each.happens()
    with tenant_scope(world.bakery.id):
        db.session.execute(update(OutgoingEvent).values(facts=[]))
    hooks.send()
    assert (hooks.states, neighbour.states) == (["waiting"], ["delivered"])


def test_deliveries_are_deleted_after_thirty_days_by_a_job_of_each_business(
    hooks: Hooks, receiver: Receiver, enqueued: Enqueued
) -> None:
    hooks.add()
    hooks.happens()
    for days, left in ((29, 1), (31, 0)):
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=days), tick=False):
            forget_old_deliveries()
            enqueued.run("hooks.forget")
        assert len(hooks.deliveries()) == left
