"""HTTP actions: called once, signed, with ids of ours, and nothing that comes back can do harm."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.assistant.actions import AssistantAction
from app.assistant.assistant import Tools
from app.assistant.engine import decide
from app.assistant.turns import AssistantTurn
from app.egress import Egress
from app.extensions import outside
from app.tenancy import db, tenant_scope
from tests.hooks.conftest import running_receiver
from tests.hooks.receivers import Receiver, status_line
from tests.push.push_services import NAME, ToThisMachine

from .conftest import Shop
from .test_turns import claimed, lose_lease

__all__ = ["running_receiver"]

SLOTS = "Which appointment is free? «{}»"


@pytest.fixture
def program(shop: Shop, running_receiver: tuple[Receiver, Egress]) -> Iterator[Receiver]:
    """A program of the bakery's own, which says when there is time."""
    receiver, way = running_receiver
    receiver.reset()
    _, port = way.route("x")
    usual = outside().egress
    outside().egress = Egress(way.resolve, Both(port), way.trust, inside=(shop.model.url,))
    with tenant_scope(shop.world.bakery.id):
        action = AssistantAction.add("free_slots", "Which appointment is free", f"https://{NAME}/slots", ["day"])
        id = action.id
    shop.set_up(tools=Tools(actions=[id]))
    shop.use_model("scripted-obeys")
    receiver.answers = [status_line(200, b"Friday at 15:00 is free.")]
    yield receiver
    outside().egress = usual


class Both(ToThisMachine):
    """The model is where it is; every other address leads to the program."""

    def connect_tcp(self, host: str, port: int, *more: Any, **options: Any) -> Any:
        if host == "127.0.0.1":
            return super(ToThisMachine, self).connect_tcp(host, port, *more, **options)
        return super().connect_tcp(host, port, *more, **options)


def asks_for(**arguments: Any) -> str:
    call = {"action": "answer", "reply": "", "tools": [{"name": "action_free_slots", "arguments": arguments}]}
    return SLOTS.format(json.dumps(call))


def test_an_action_is_called_signed_with_the_contact_filled_in_by_us(shop: Shop, program: Receiver) -> None:
    turn = shop.ask(asks_for(day="friday"))
    got = program.got[0]
    assert got.json["parameters"] == {"day": "friday"} and got.json["contact_id"] == str(shop.carla.contact_id)
    with tenant_scope(shop.world.bakery.id):
        secret = db.session.query(AssistantAction).one().secret
    signature = hmac.new(secret.encode(), got.body, hashlib.sha256).hexdigest()
    assert got.headers["x-switchboard-signature"] == f"sha256={signature}"
    assert [call["name"] for call in turn.calls] == ["action_free_slots"]


def test_other_arguments_and_other_names_are_not_called(shop: Shop, program: Receiver) -> None:
    turn = shop.ask(asks_for(day="friday", contact_id="other"))
    assert program.got == [] and turn.refused_calls > 0


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (status_line(302, b"", Location="https://127.0.0.1/"), "request_refused"),
        (status_line(500), "request_refused"),
        (status_line(200, b"x" * 5_000_000), "too_large"),
        (lambda connection: connection.close(), "unreachable"),
    ],
    ids=["redirect", "error", "5 MB", "closed"],
)
def test_what_a_program_may_not_answer(shop: Shop, program: Receiver, answer: Any, problem: str) -> None:
    program.answers = [answer]
    shop.ask(asks_for(day="friday"))
    with tenant_scope(shop.world.bakery.id):
        assert db.session.query(AssistantAction).one().problem == problem


def test_a_call_is_not_repeated_after_a_crash(shop: Shop, program: Receiver) -> None:
    shop.write(asks_for(day="friday"))
    work = claimed(shop)
    assert work
    with tenant_scope(shop.world.bakery.id):
        decide(work.situation, work.endpoint, work.tools)
    called = len(program.got)
    lose_lease(shop)
    turn = shop.think()
    assert called > 0 and len(program.got) == called and turn.reason == "interrupted"


def test_nothing_is_called_while_it_only_suggests(shop: Shop, program: Receiver) -> None:
    shop.switch("suggests")
    shop.ask(asks_for(day="friday"))
    assert program.got == []


def test_the_secret_is_in_no_turn(shop: Shop, program: Receiver) -> None:
    shop.ask(asks_for(day="friday"))
    with tenant_scope(shop.world.bakery.id):
        turns = str([(turn.calls, turn.reply, turn.withheld) for turn in db.session.query(AssistantTurn)])
    assert "sbas_" not in turns
