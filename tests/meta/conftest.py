"""A stand-in for the wire: gives prepared answers in order, and records the requests."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings

from app.meta.graph import GraphClient

TOKEN = "EAAtokenOfTheClient"
SECRET = "test_app_secret"

settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")


class Wire:
    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._answers: list[httpx.Response | Exception] = []

    def answers(self, *answers: Any) -> "Wire":
        """Dicts are answered with 200; responses and exceptions are given as they are."""
        self._answers += [
            httpx.Response(200, json=answer) if isinstance(answer, dict) else answer for answer in answers
        ]
        return self

    def refuses(self, status: int = 400, **error: Any) -> "Wire":
        self._answers.append(httpx.Response(status, json={"error": error}))
        return self

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def request(self) -> httpx.Request:
        return self.requests[-1]

    @property
    def json(self) -> Any:
        return json.loads(self.request.content)

    @property
    def params(self) -> dict[str, str]:
        return {name: value for name, value in self.request.url.params.items() if name != "appsecret_proof"}


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def graph(wire: Wire) -> GraphClient:
    return GraphClient(
        "https://graph.test/", "v25.0", "634974688087057", SECRET, transport=httpx.MockTransport(wire.handle)
    )
