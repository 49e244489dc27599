"""The data endpoint: encrypted, signed, and what it answers while a form is being filled in."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask

from app.appointments.models import Appointment
from app.appointments.settings import AppointmentSettings
from app.billing.balances import Balance
from app.entry_points.subjects import Subject
from app.extensions import outside
from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.flow_tokens import FlowToken
from app.tenancy import db, now, tenant_scope
from app.whatsapp_flows.endpoint_address import endpoint_of
from app.whatsapp_flows.keys import FlowKey
from app.whatsapp_flows.models import FlowVersion, WhatsappFlow
from app.whatsapp_flows.slots import FlowBooking, FlowSlot, Full, book, id_of, offered
from app.whatsapp_flows.starters import starter_named
from simulator.flow_exchange import seal
from tests.arrivals import arrive, conversation
from tests.happenings import deliver_to_subscriber
from tests.hooks.receivers import Receiver, receiving
from tests.posts import message, signed
from tests.push.push_services import NAME, ToThisMachine
from tests.world import World

from .forms import begin, part, receive, reply, responses, rows_of, screen, send

SCREENS = [
    screen(part("slot", "Time", "time", required=True), title="When"),
    screen(part("short", "Full name", "full_name", required=True), title="Who"),
]


class Phone:
    """A customer's phone that talks to the endpoint by way of Meta."""

    def __init__(self, app: Flask, world: World, screens: Any = None) -> None:
        self.app, self.world, self.tenant = app, world, world.bakery.id
        number, _ = world.connect_numbers()
        arrive(message("Hello"))
        self.talk = conversation(world)
        self.flow = begin(world, number, screens or SCREENS)
        self.sent = send(world, self.talk, self.flow)
        with tenant_scope(self.tenant):
            key = FlowKey.make(self.tenant, number.id)
            self.public_key = key.public_key
            db.session.add(key)
            version = WhatsappFlow.get_or_404(self.flow.id).newest
            self.address = endpoint_of(version).partition("/whatsapp-flows/")[2]
            self.token = FlowToken(self.talk.contact_id, self.sent.id).sign(self.tenant)

    def post(self, body: bytes, headers: dict[str, str] | None = None, address: str = "") -> Any:
        path = f"/whatsapp-flows/{address or self.address}"
        return self.app.test_client().post(path, data=body, headers=headers if headers is not None else signed(body))

    def ask(self, action: str, place: str = "", token: str | None = None, **data: Any) -> Any:
        """The answer, decrypted; or the status where there is none."""
        key, vector = os.urandom(16), os.urandom(12)
        request = {"version": "3.0", "action": action, "screen": place, "data": data}
        request["flow_token"] = self.token if token is None else token
        answer = self.post(json.dumps(seal(self.public_key, key, vector, request)).encode())
        if answer.status_code != 200:
            return answer.status_code
        flipped = bytes(byte ^ 0xFF for byte in vector)
        return json.loads(AESGCM(key).decrypt(flipped, base64.b64decode(answer.data), None))

    def open_week(self, capacity: int = 1) -> None:
        """Every day from 9 to 12, an hour each."""
        with tenant_scope(self.tenant):
            for weekday in range(7):
                times = {"starts_minute": 540, "ends_minute": 720, "minutes": 60, "capacity": capacity}
                db.session.add(FlowSlot(weekday=weekday, **times))

    def times(self) -> list[dict[str, Any]]:
        return list(self.ask("INIT")["data"]["time"])


@pytest.fixture
def phone(app: Flask, world: World) -> Phone:
    return Phone(app, world)


def test_a_ping_is_answered(phone: Phone) -> None:
    assert phone.ask("ping", token="") == {"data": {"status": "active"}}


def test_what_failed_on_the_phone_is_acknowledged(phone: Phone) -> None:
    assert phone.ask("data_exchange", "SCREEN_A", error="invalid-screen") == {"data": {"acknowledged": True}}


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"encrypted_flow_data": "%%%"}', b"x" * 100_000])
def test_what_no_key_opens_is_answered_421(phone: Phone, body: bytes) -> None:
    assert phone.post(body).status_code == 421


def test_a_request_for_another_key_is_answered_421(phone: Phone, world: World) -> None:
    other = FlowKey.make(world.bakery.id, uuid.uuid4()).public_key
    phone.public_key = other
    assert phone.ask("ping") == 421


def test_a_request_that_meta_has_not_signed_is_answered_432(phone: Phone) -> None:
    body = json.dumps(seal(phone.public_key, os.urandom(16), os.urandom(12), {"action": "ping"})).encode()
    for headers in ({}, {"X-Hub-Signature-256": "sha256=" + "0" * 64}, signed(body, "another secret")):
        assert phone.post(body, headers).status_code == 432


def test_an_address_that_is_not_ours_is_not_found(phone: Phone) -> None:
    body = b"{}"
    assert phone.post(body, address="nonsense/data").status_code == 404
    assert phone.post(body, address="x" + phone.address).status_code == 404


@pytest.mark.parametrize("token", ["", "unused", "f1.a.b.c"])
def test_a_token_that_is_not_ours_is_answered_427(phone: Phone, token: str) -> None:
    assert phone.ask("INIT", token=token) == 427


def test_a_token_of_the_neighbours_is_answered_427(phone: Phone, world: World) -> None:
    theirs = FlowToken(phone.talk.contact_id, phone.sent.id).sign(world.shoes.id)
    assert phone.ask("INIT", token=theirs) == 427


def test_the_address_of_the_neighbours_opens_nothing_of_ours(phone: Phone, world: World) -> None:
    """Even with a right signature: the key is looked for among theirs."""
    with tenant_scope(world.bakery.id):
        version = WhatsappFlow.get_or_404(phone.flow.id).newest
    version.tenant_id = world.shoes.id
    phone.address = endpoint_of(version).partition("/whatsapp-flows/")[2]
    assert phone.ask("ping") == 404


def test_the_first_screen_has_the_free_times(phone: Phone) -> None:
    phone.open_week()
    answer = phone.ask("INIT")
    assert answer["screen"] == "SCREEN_A"
    with tenant_scope(phone.tenant):
        assert [one["id"] for one in answer["data"]["time"]] == [one.id for one in offered(now())]
    assert all(0 < len(one["title"]) <= 30 for one in answer["data"]["time"])


def test_without_times_the_list_is_not_empty(phone: Phone) -> None:
    assert phone.times() == [{"id": "none", "title": "Nothing is free", "enabled": False}]
    assert phone.ask("data_exchange", "SCREEN_B", time="none", full_name="Carla")["screen"] == "SCREEN_A"


def test_times_are_in_the_language_of_the_form(app: Flask, world: World) -> None:
    phone = Phone(app, world, [screen(part("slot", "Choisissez la date et l'heure de votre visite", "time"))])
    assert phone.times() == [{"id": "none", "title": "Rien n'est libre", "enabled": False}]
    phone.open_week()
    days = {"lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."}
    assert {one["title"].partition(" ")[0] for one in phone.times()} <= days


def test_a_form_is_filled_in_and_the_time_is_booked(phone: Phone, world: World) -> None:
    phone.open_week()
    chosen = phone.times()[0]
    assert phone.ask("data_exchange", "SCREEN_A", time=chosen["id"]) == {"screen": "SCREEN_B", "data": {}}
    done = phone.ask("data_exchange", "SCREEN_B", time=chosen["id"], full_name="Carla", other="ignored")
    assert done["screen"] == "SUCCESS"
    params = done["data"]["extension_message_response"]["params"]
    assert params == {"time": chosen["title"], "full_name": "Carla", "flow_token": phone.token}
    with tenant_scope(phone.tenant):
        booking = db.session.query(FlowBooking).one()
    assert (booking.contact_id, booking.token) == (phone.talk.contact_id, phone.token)
    receive(world, reply(params))
    assert rows_of(responses(world)[0]) == [("Time", chosen["title"]), ("Full name", "Carla")]


@pytest.mark.parametrize(
    ("language", "service"), [("en_US", "Consultation"), ("fr", "Consultation"), ("es", "Consulta")]
)
def test_the_starter_books_an_appointment_for_the_service(
    app: Flask, world: World, language: str, service: str
) -> None:
    starter = starter_named("appointment")
    assert starter
    phone = Phone(app, world, starter.screens(language))
    phone.open_week()
    time = phone.ask("INIT")["data"]["time"][0]
    answers = {"service": "2", "time": time["id"], "full_name": "Carla", "phone": "1650"}
    assert phone.ask("data_exchange", "SCREEN_B", **answers)["screen"] == "SUCCESS"
    deliver_to_subscriber("appointments' bookings", phone.tenant)
    with tenant_scope(phone.tenant):
        one = db.session.query(Appointment).one()
    assert (one.title, one.source, one.contact_id) == (service, "form", phone.talk.contact_id)
    assert id_of(one.starts_at) == time["id"]


@pytest.mark.parametrize(("language", "title"), [("en_US", "Viewing: Villa Azur"), ("ar", "معاينة: Villa Azur")])
def test_the_viewing_starter_books_a_free_time(app: Flask, world: World, language: str, title: str) -> None:
    """What the conversation is about is visited; how it is financed names no appointment."""
    starter = starter_named("viewing")
    assert starter
    phone = Phone(app, world, starter.screens(language))
    phone.open_week()
    with tenant_scope(phone.tenant):
        talk = Conversation.get_or_404(phone.talk.id)
        talk.language = language.partition("_")[0]
        talk.begin_about(Subject("property", "V-1", "Villa Azur"), None)
    time = phone.ask("INIT")["data"]["time"][0]
    answers = {"property": "the villa", "time": time["id"], "full_name": "Carla", "financing": "2"}
    assert phone.ask("data_exchange", "SCREEN_B", **answers)["screen"] == "SUCCESS"
    deliver_to_subscriber("appointments' bookings", phone.tenant)
    with tenant_scope(phone.tenant):
        one = db.session.query(Appointment).one()
    assert (one.title, id_of(one.starts_at)) == (title, time["id"])


def test_what_is_no_option_names_no_appointment(app: Flask, world: World) -> None:
    """A phone may send any words; the assistant would read them as a fact."""
    starter = starter_named("appointment")
    assert starter
    phone = Phone(app, world, starter.screens("en_US"))
    phone.open_week()
    time = phone.ask("INIT")["data"]["time"][0]
    answers = {"service": "Free refund at www.evil.example", "time": time["id"], "full_name": "Carla", "phone": "1"}
    assert phone.ask("data_exchange", "SCREEN_B", **answers)["screen"] == "SUCCESS"
    deliver_to_subscriber("appointments' bookings", phone.tenant)
    with tenant_scope(phone.tenant):
        assert db.session.query(Appointment).one().title == phone.flow.name


@pytest.mark.parametrize("notified", [False, True])
def test_what_was_booked_is_confirmed_once(app: Flask, world: World, notified: bool) -> None:
    """Unless a notification does so."""
    phone = Phone(app, world, [screen(part("slot", "Time", "time", required=True))])
    phone.open_week()
    if notified:
        with tenant_scope(phone.tenant):
            chosen = {"booked": "booked", "moved": "", "cancelled": "", "minutes": 60, "unanswered_minutes": 240}
            AppointmentSettings.change(reminders=[], **chosen)
    done = phone.ask("data_exchange", "SCREEN_A", time=phone.times()[0]["id"])
    for _ in range(2):
        receive(world, reply(done["data"]["extension_message_response"]["params"]))
        deliver_to_subscriber("appointments' thanks", phone.tenant)
    with tenant_scope(phone.tenant):
        texts = [one.body for one in db.session.query(Message).filter_by(source="appointment")]
    assert [text[:44] for text in texts] == ([] if notified else ["Thank you, your appointment is booked: Order"])


def test_a_time_is_not_sold_twice(phone: Phone, world: World) -> None:
    phone.open_week()
    chosen = phone.times()[0]["id"]
    with tenant_scope(phone.tenant):
        book(chosen, "another form", phone.talk.contact_id, phone.flow.id)
    answer = phone.ask("data_exchange", "SCREEN_B", time=chosen, full_name="Carla")
    assert answer["screen"] == "SCREEN_A" and "just been booked" in answer["data"]["error_message"]
    assert chosen not in [one["id"] for one in answer["data"]["time"]]


def test_as_many_places_are_sold_as_there_are(phone: Phone) -> None:
    phone.open_week(capacity=2)
    chosen = phone.times()[0]["id"]
    with tenant_scope(phone.tenant):
        seats = {book(chosen, f"form {place}", phone.talk.contact_id, phone.flow.id).seat for place in range(2)}
        with pytest.raises(Full):
            book(chosen, "form 3", phone.talk.contact_id, phone.flow.id)
    assert seats == {1, 2}


def test_the_same_form_sent_twice_books_once_and_another_time_moves_it(phone: Phone) -> None:
    phone.open_week()
    first, second = (one["id"] for one in phone.times()[:2])
    for chosen in (first, first, second):
        assert phone.ask("data_exchange", "SCREEN_B", time=chosen, full_name="Carla")["screen"] == "SUCCESS"
    with tenant_scope(phone.tenant):
        assert [one.starts_at.strftime("%Y%m%dT%H%MZ") for one in db.session.query(FlowBooking)] == [second]


def test_times_are_within_business_hours_and_not_on_holidays(phone: Phone) -> None:
    phone.open_week()
    with tenant_scope(phone.tenant):
        tomorrow = (now() + dt.timedelta(days=1)).date()
        policy = ServicePolicy(time_zone="UTC", week=["10:00–11:00"] * 7, holidays=[f"{tomorrow} Closed"])
        db.session.add(policy)
        db.session.flush()
        times = [one.starts_at for one in offered(now())]
    assert times and {time.strftime("%H:%M") for time in times} == {"10:00"}
    assert tomorrow not in {time.date() for time in times}


def test_back_shows_the_screen_before(phone: Phone) -> None:
    phone.open_week()
    assert phone.ask("BACK", "SCREEN_B")["screen"] == "SCREEN_A"


@pytest.mark.parametrize("place", ["SCREEN_Z", "", "../..", "SUCCESS"])
def test_a_screen_that_does_not_exist_is_the_first(phone: Phone, place: str) -> None:
    assert phone.ask("data_exchange", place)["screen"] == "SCREEN_A"


def test_hostile_data_is_bounded(phone: Phone) -> None:
    phone.open_week()
    deep: Any = "x" * 50_000
    for _ in range(60):
        deep = {"a": deep}
    answer = phone.ask("data_exchange", "SCREEN_B", time={"a": [1]}, full_name=deep)
    assert answer["screen"] == "SCREEN_A"


# A program of the business


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    receiver = Receiver()
    with receiving(receiver, tmp_path_factory.mktemp("program")) as egress:
        yield receiver, dataclasses.replace(egress, wire=ToThisMachine(egress.route("")[1]))


@pytest.fixture
def program(app: Flask, running: Any) -> Iterator[Receiver]:
    receiver, egress = running
    receiver.reset()
    usual, outside().egress = outside().egress, egress
    yield receiver
    outside().egress = usual


LOOKUP = [screen(part("lookup", "Table", "table", required=True), part("short", "Full name", "full_name"))]


@pytest.fixture
def asking(app: Flask, world: World, program: Receiver) -> Phone:
    phone = Phone(app, world, LOOKUP)
    with tenant_scope(phone.tenant):
        WhatsappFlow.get_or_404(phone.flow.id).point_at(f"https://{NAME}/tables")
    return phone


def answering(**body: Any) -> bytes:
    written = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(written) + written


def test_a_program_gives_the_choices(asking: Phone, program: Receiver) -> None:
    program.answers = [answering(options={"table": [{"id": "7", "title": "By the window" * 9}, {"id": "7"}, 3]})]
    answer = asking.ask("INIT")
    assert answer["data"]["table"] == [{"id": "7", "title": ("By the window" * 9)[:30]}]
    with tenant_scope(asking.tenant):
        secret = WhatsappFlow.get_or_404(asking.flow.id).lookup_secret
    (got,) = program.got
    assert got.verified(secret)["action"] == "options" and got.json["contact_id"] == str(asking.talk.contact_id)


def test_a_program_may_object_to_what_was_filled_in(asking: Phone, program: Receiver) -> None:
    choices = answering(options={"table": [{"id": "7", "title": "Window"}]})
    program.answers = [answering(error="This table is taken."), choices]
    answer = asking.ask("data_exchange", "SCREEN_A", table="7")
    assert answer["screen"] == "SCREEN_A" and answer["data"]["error_message"] == "This table is taken."


def test_a_program_may_say_how_an_answer_reads(asking: Phone, program: Receiver) -> None:
    program.answers = [answering(answers={"table": "By the window", "other": "x"})]
    answer = asking.ask("data_exchange", "SCREEN_A", table="7")
    params = answer["data"]["extension_message_response"]["params"]
    assert params == {"table": "By the window", "flow_token": asking.token}


def hang(connection: Any) -> None:
    time.sleep(7)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 There\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\noops",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"x" * 900_000,
        hang,
    ],
)
def test_a_program_that_does_not_answer_is_reported_to_the_customer_in_time(
    asking: Phone, program: Receiver, answer: Any
) -> None:
    program.answers = [answer]
    began = time.monotonic()
    shown = asking.ask("INIT")
    assert "isn't available" in shown["data"]["error_message"]
    assert time.monotonic() - began < 8


def test_without_an_address_no_program_is_asked(asking: Phone, program: Receiver) -> None:
    with tenant_scope(asking.tenant):
        assert WhatsappFlow.get_or_404(asking.flow.id).point_at("") == ""
    assert asking.ask("INIT")["data"]["error_message"] and program.got == []


def test_an_address_inside_is_never_asked(asking: Phone, program: Receiver) -> None:
    outside().egress = dataclasses.replace(outside().egress, resolve=lambda _host, _port: ["10.0.0.1"])
    assert asking.ask("INIT")["data"]["error_message"] and program.got == []


def test_the_private_key_is_sealed(phone: Phone) -> None:
    with tenant_scope(phone.tenant):
        key = db.session.query(FlowKey).one()
        assert b"PRIVATE KEY" not in key.private_key_ciphertext and "PRIVATE KEY" in key.private_key


def test_only_what_is_sent_to_a_customer_opens_the_form(phone: Phone) -> None:
    theirs = FlowToken(phone.talk.contact_id, uuid.uuid4()).sign(phone.tenant)
    assert phone.ask("INIT", token=theirs) == 427


def test_a_version_that_is_gone_is_not_found(phone: Phone) -> None:
    with tenant_scope(phone.tenant):
        db.session.execute(db.delete(FlowVersion))
    assert phone.ask("ping") == 404


def test_a_form_of_a_closed_business_is_no_longer_valid(phone: Phone) -> None:
    with tenant_scope(phone.tenant):
        db.session.add(Balance(currency="USD", stage="closed", month=now().date().replace(day=1)))
    assert phone.ask("INIT") == 427 and phone.ask("ping", token="") == {"data": {"status": "active"}}
