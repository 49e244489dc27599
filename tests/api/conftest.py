"""Programs that call the API of Bakery and of Shoes, and what there is to call."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from app.api import ApiKey
from app.api.scopes import SCOPES
from app.inbox.conversations import Conversation
from app.team.models import Team
from app.tenancy import Actor, Tenant, User, db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.client import isolated
from tests.world import World, conversation

# An id that nothing has; the same in every process that collects the tests.
UNKNOWN_ID = uuid.UUID(int=7 << 76 | 2 << 62 | 1)


class Caller:
    """A program with a key."""

    def __init__(self, app: Flask, secret: str, key: ApiKey) -> None:
        self.client, self.secret, self.key = app.test_client(), secret, key

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.secret}"} | ({"Content-Type": "application/json"} if data else {})
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return isolated(self.client.open, f"/api/v1{path}", method=method, data=data, headers=sent)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> TestResponse:
        return self.call("DELETE", path, **headers)


MakeCaller = Callable[..., Caller]


@pytest.fixture
def caller(app: Flask, world: World) -> MakeCaller:
    """Makes a program with a key of its own: of Bakery with every scope, unless it says otherwise."""

    def make(tenant: Tenant | None = None, scopes: list[str] | None = None, kind: str = "live", **more: Any) -> Caller:
        with tenant_scope((tenant or world.bakery).id):
            by = Actor.agent(world.ann)
            chosen = list(SCOPES) if scopes is None else scopes
            key, secret = ApiKey.create("Shop", kind, chosen, by=by, **more)
        return Caller(app, secret, key)

    return make


@pytest.fixture
def shop(caller: MakeCaller) -> Caller:
    """A program of Bakery's that may do everything."""
    return caller()


def signed_in(app: Caller, member: User) -> Caller:
    """A program whose key is of kind `app`: this member signed in with it, for the API."""
    with tenant_scope(app.key.tenant_id):
        key = ApiKey.get_or_404(app.key.id)
        key.user_id, key.audience = member.id, "api"
    return app


def team_without_numbers(tenant_id: uuid.UUID) -> uuid.UUID:
    """Makes a team whose keys reach no conversation."""
    with tenant_scope(tenant_id):
        team = Team(name="Sales")
        db.session.add(team)
        db.session.flush()
        return team.id


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


@pytest.fixture
def carla(number: PhoneNumber) -> Conversation:
    """Bakery's conversation with Carla, who wrote a moment ago."""
    return conversation(number)


def text_to(talk: Conversation | uuid.UUID, body: str = "Your bread is ready.") -> dict[str, Any]:
    id = talk.id if isinstance(talk, Conversation) else talk
    return {"type": "text", "to": {"conversation_id": str(id)}, "text": {"body": body}}


def statements_of(app: Flask, act: Callable[[], object]) -> int:
    """How many statements it takes."""
    statements: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note := lambda *call: statements.append(call[2]))
    act()
    event.remove(engine, "before_cursor_execute", note)
    return len(statements)
