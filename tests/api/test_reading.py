"""What is sent to calls that take nothing, and bodies of every kind to all calls."""

from __future__ import annotations

import pytest

from app.api.declaring import ENDPOINTS
from app.inbox.conversations import Conversation
from tests.api.conftest import Caller
from tests.client import isolated


@pytest.mark.parametrize("body", [None, b"", b" ", b"{}", b"null", b"\xef\xbb\xbf{}"])
def test_a_call_that_takes_nothing_gets_nothing(shop: Caller, carla: Conversation, body: bytes | None) -> None:
    assert shop.post(f"/conversations/{carla.id}/typing", body).status_code == 204


def test_a_call_that_takes_nothing_says_so_to_who_sends_it_something(shop: Caller, carla: Conversation) -> None:
    answer = shop.post(f"/conversations/{carla.id}/typing", {"seconds": 25, "a/b": 1})
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json(force=True)["errors"]] == ["/seconds", "/a~1b"]


@pytest.mark.parametrize(
    ("body", "expected"), [(b"x" * 1_100_000, 413), (b"[]", 400), (b'{"a":1,"a":2}', 400), (b'{"a":NaN}', 400)]
)
def test_nonsense_is_refused_where_nothing_is_taken(
    shop: Caller, carla: Conversation, body: bytes, expected: int
) -> None:
    assert shop.post(f"/conversations/{carla.id}/typing", body).status_code == expected
    assert shop.post(f"/conversations/{carla.id}/typing", b"a=1", Content_Type="text/plain").status_code == 415


def test_what_deletes_takes_no_body(shop: Caller) -> None:
    tag = shop.post("/tags", {"name": "VIP"}).json
    assert tag
    assert shop.call("DELETE", f"/tags/{tag['id']}", {"tenant_id": "x"}).status_code == 422
    assert shop.call("DELETE", f"/tags/{tag['id']}", {}).status_code == 204


BAD = {
    "empty": (b" ", 400),
    "list": (b"[]", 400),
    "twice": (b'{"a": 1, "a": 2}', 400),
    "not a number": (b'{"a": NaN}', 400),
    "deep": (b'{"a":' * 100 + b"1" + b"}" * 100, 400),
    "half a character": (b'{"a": "\\ud800"}', 400),
    "utf-16": ('{"a": 1}'.encode("utf-16"), 400),
    "unknown members": (b'{"tenant_id": "x", "is_admin": true}', 422),
    "large": (b'{"a": "' + b"x" * 1_100_000 + b'"}', 413),
}


@pytest.mark.parametrize("name", BAD)
def test_no_call_takes_a_bad_body(shop: Caller, name: str) -> None:
    """Every call with a body, whatever its address."""
    body, expected = BAD[name]
    for one in [each for each in ENDPOINTS.values() if each.body and "<" not in each.rule]:
        answer = isolated(shop.call, one.method, one.rule, body)
        assert answer.status_code == expected, (one.name, answer.data)
        assert answer.mimetype == "application/problem+json"
