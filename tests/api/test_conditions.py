"""If-Match on what replaces and deletes, and what every answer to a counted request says."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.api.declaring import ENDPOINTS
from app.api.rates import KEY, Rate
from app.inbox.conversations import Conversation
from tests.api.conftest import Caller
from tests.client import isolated

SOURCE = {"title": "Open?", "body": "From nine to five."}


def make_webhook(shop: Caller) -> str:
    return f"/webhooks/{shop.post('/webhooks', {'url': 'https://example.com/hook'}).get_json()['id']}"


def make_tag(shop: Caller) -> str:
    return f"/tags/{shop.post('/tags', {'name': 'VIP'}).get_json()['id']}"


def make_source(shop: Caller) -> str:
    shop.put("/knowledge/hours", SOURCE)
    return "/knowledge/hours"


def make_record(shop: Caller) -> str:
    return f"/records/{shop.put('/records/crm/deal/1', {'title': 'Villa'}).get_json()['id']}"


@pytest.mark.parametrize("make", [make_webhook, make_tag, make_source, make_record])
def test_what_was_changed_meanwhile_is_not_deleted(shop: Caller, make: Callable[[Caller], str]) -> None:
    path = make(shop)
    assert shop.delete(path, If_Match='"another"').status_code == 412
    tag = shop.get(path).headers["ETag"]
    assert shop.delete(path, If_Match=tag).status_code == 204


def test_what_deletes_by_the_address_it_is_read_at_takes_an_if_match() -> None:
    both = [one for one in ENDPOINTS.values() if one.method == "DELETE" and one.twin]
    assert len(both) >= 7 and all(one.is_conditional and "changed_meanwhile" in one.all_problems for one in both)


def test_a_source_is_not_overwritten_by_who_read_an_older_one(shop: Caller) -> None:
    read = shop.put("/knowledge/hours", SOURCE).headers["ETag"]
    assert shop.put("/knowledge/hours", SOURCE | {"title": "When?"}, If_Match=read).status_code == 200
    assert shop.put("/knowledge/hours", SOURCE, If_Match=read).status_code == 412
    assert shop.put("/knowledge/new", SOURCE, If_Match=read).status_code == 412


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/records/crm/deal/1", {"title": "Villa"}),
        ("/listings/1", {"title": "Villa"}),
        ("/entry-points/site", {"name": "Site"}),
        ("/knowledge/hours", SOURCE),
    ],
)
def test_who_only_wants_to_create_changes_nothing(
    shop: Caller, carla: Conversation, path: str, body: dict[str, Any]
) -> None:
    number = {"phone_number_id": str(carla.phone_number_id)} if "entry" in path else {}
    first, again = (shop.put(path, body | number, If_None_Match="*") for _ in range(2))
    assert (first.status_code in (200, 201), again.status_code) == (True, 412)
    assert shop.put(path, body | number, If_None_Match='"another"').status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "statuses"),
    [
        ("PUT", "/knowledge/new", SOURCE, {200: 6}),
        ("POST", "/tags", {"name": "VIP", "color": "red"}, {201: 1, 409: 5}),
    ],
)
def test_many_at_once_make_one(shop: Caller, method: str, path: str, body: Any, statuses: dict[int, int]) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = [answer.status_code for answer in pool.map(lambda _: shop.call(method, path, body), range(6))]
    assert {status: answers.count(status) for status in set(answers)} == statuses


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/contacts/{id}", 404),
        ("GET", "/conversations?limit=x", 422),
        ("POST", "/contacts", 413),
        ("POST", "/contacts", 415),
        ("HEAD", "/contacts", 200),
    ],
)
def test_every_answer_to_a_counted_request_says_what_is_left(shop: Caller, method: str, path: str, status: int) -> None:
    body = b"x" * 1_000_001 if status == 413 else None
    answer = shop.call(method, path.format(id=uuid.uuid4()), body)
    assert answer.status_code == status
    assert re.fullmatch(r'"\w+";r=\d+;t=\d+', answer.headers["RateLimit"]) and "RateLimit-Policy" in answer.headers


@pytest.mark.parametrize("path", ["/mcp", "/api/v1/contacts"])
def test_too_many_requests_say_when_to_come_back(shop: Caller, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr("app.api.admission.take", lambda *_: Rate(KEY, 0, 10.0, wait=3.0))
    answer = isolated(shop.client.post, path, headers={"Authorization": f"Bearer {shop.secret}"})
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "3" and "RateLimit" in answer.headers


def test_a_repeated_request_may_have_its_names_in_another_order(shop: Caller, carla: Conversation) -> None:
    path, to = "/messages", f'"to": {{"conversation_id": "{carla.id}"}}'
    one = f'{{"type": "text", {to}, "text": {{"body": "Ready"}}}}'.encode()
    other = f'{{"text":{{"body":"Ready"}},{to},"type":"text"}}'.encode()
    first, again = (shop.post(path, body, Idempotency_Key="k") for body in (one, other))
    assert again.headers["Idempotent-Replayed"] == "true" and first.get_json()["id"] == again.get_json()["id"]
    assert shop.post(path, other.replace(b"Ready", b"ready"), Idempotency_Key="k").status_code == 422


def test_a_body_may_begin_with_a_byte_order_mark(shop: Caller) -> None:
    assert shop.post("/tags", b'\xef\xbb\xbf{"name": "VIP"}').status_code == 201
