"""Requests made from the document: right ones and wrong ones, for every call and each kind of key."""

from __future__ import annotations

import json
import re
import uuid
import warnings
from collections.abc import Callable
from typing import Any, cast

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.document import document
from app.inbox.conversations import Conversation
from app.inbox.conversations.number_desks import NumberDesk
from app.team.models import Team
from app.tenancy import db, tenant_scope
from tests.api.conftest import Caller, MakeCaller, signed_in, team_without_numbers
from tests.client import isolated
from tests.test_isolation import CANARY, Foreign
from tests.world import World

EXAMPLES = 4
KINDS = ("test", "team", "live", "app")
# Names in addresses for which the neighbour has no row here: any id will do.
UNREAL = {"external_id", "name"}
PROMISES = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a program may make in a second."""
    monkeypatch.setattr("app.api.admission.take", lambda *_: UNLIMITED)


class Unlimited:
    wait = 0.0

    def mark(self, response: object) -> None:
        """Nothing is counted."""


UNLIMITED = Unlimited()


def operations() -> list[Any]:
    """What deletes comes last."""
    schema = schemathesis.openapi.from_dict(document())
    every = [cast("Any", results).ok() for results in schema.get_all_operations()]
    return sorted(every, key=lambda one: one.method == "delete" or "erase" in one.definition.raw["operationId"])


def send(app: Flask, caller: Caller, case: Case[Any], ids: dict[str, str]) -> Any:
    """The answer to a generated request, in which ids of the address are of rows that there are."""
    case.path_parameters = {name: ids.get(name, value) for name, value in (case.path_parameters or {}).items()}
    wanted = case.as_transport_kwargs(base_url="http://localhost/api/v1")
    headers = {**wanted.get("headers", {}), "Authorization": f"Bearer {caller.secret}"}
    body = wanted.get("data", b"")
    if "json" in wanted:
        body = json.dumps(wanted["json"]).encode()
        headers["Content-Type"] = "application/json"
    path = wanted["url"].removeprefix("http://localhost")
    return isolated(
        app.test_client().open,
        path,
        method=case.method,
        headers=headers,
        data=body if isinstance(body, bytes | str) else b"",
        query_string=wanted.get("params") or {},
    )


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.usefixtures("many_calls")
def test_no_request_breaks_a_call_or_its_promise(
    app: Flask, caller: MakeCaller, carla: Conversation, world: World, mode: GenerationMode
) -> None:
    """Each request is made once and sent with each kind of key."""
    with tenant_scope(world.bakery.id):
        team = Team(name="Bread")
        db.session.add(team)
        db.session.flush()
        NumberDesk.change(carla.phone_number_id, team=team, read_receipts="always")
    callers = [caller(kind=kind, team_id=team.id if kind == "team" else None) for kind in KINDS]
    signed_in(callers[-1], world.ann)
    ids = {"conversation_id": str(carla.id), "contact_id": str(carla.contact_id)}
    for operation in operations():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_operation(operation, mode, lambda case: [send(app, each, case, ids) for each in callers])


def check_operation(operation: Any, mode: GenerationMode, answers_to: Callable[[Case[Any]], list[Any]]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def check(case: Case[Any]) -> None:
        for answer in answers_to(case):
            check_answer(case, answer)

    check()


def check_answer(case: Case[Any], answer: Any) -> None:
    assert answer.status_code < 500, (case.method, case.path, answer.data)
    if answer.status_code >= 400:
        assert answer.mimetype == "application/problem+json", (case.path, answer.data)
    if answer.status_code not in (404, 405):  # an id that is none leads to no call
        case.validate_response(answer, checks=PROMISES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("many_calls")
def test_no_call_answers_to_a_neighbours_ids(caller: MakeCaller, world: World, kind: str) -> None:
    """Every id in an address is of a row of Shoes; the key is of Bakery."""
    ids, words = Foreign.create(world).ids, {"kind": "phone", "value": "+4479999", "source": "hubspot", "type": "deal"}
    ids["user_id"] = str(world.sue.id)
    ann = caller(kind=kind, team_id=team_without_numbers(world.bakery.id) if kind == "team" else None)
    if kind == "app":
        signed_in(ann, world.ann)
    strange: set[str] = set()
    for path, methods in document()["paths"].items():
        names = re.findall("{(\\w+)}", path)
        strange |= set(names) - ids.keys() - words.keys()
        address = path.format(**{name: ids.get(name) or words.get(name) or str(uuid.uuid4()) for name in names})
        for method in methods if names else ():
            answer = ann.call(method.upper(), address, None if method == "get" else {})
            assert answer.status_code in (403, 404, 415, 422), (method, path, answer.data)
            assert CANARY not in answer.text, (method, path)
    assert strange <= UNREAL, strange
