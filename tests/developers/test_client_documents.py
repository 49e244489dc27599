"""Apps whose client_id is the address of a document about them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response, json, request

from app.developers import limits
from app.developers.client_documents import fresh_for
from app.egress import Egress
from app.extensions import outside, redis
from tests.client import Browser
from tests.developers.test_apps import CALLBACK, App
from tests.push.push_services import NAME, serving
from tests.world import World

ADDRESS = f"https://{NAME}/apps/editor.json"


class Documents:
    """A server on the open internet with one document, and how often it was read."""

    def __init__(self) -> None:
        self.reset()
        self.app = Flask(__name__)
        self.app.add_url_rule("/<path:place>", view_func=self.show)

    def reset(self, **more: Any) -> None:
        self.about = {"client_id": ADDRESS, "client_name": "Editor", "redirect_uris": [CALLBACK]} | more
        self.reads, self.status, self.headers, self.body = 0, 200, {"Content-Type": "application/json"}, b""

    def show(self, place: str) -> Response:
        self.reads += 1
        assert "Cookie" not in request.headers
        return Response(self.body or json.dumps(self.about), self.status, self.headers)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Documents, Egress]]:
    documents = Documents()
    with serving(documents, tmp_path_factory.mktemp("documents")) as egress:  # type: ignore[arg-type]
        yield documents, egress


@pytest.fixture
def documents(app: Flask, running: tuple[Documents, Egress]) -> Iterator[Documents]:
    documents, egress = running
    documents.reset()
    usual, outside().egress = outside().egress, egress
    yield documents
    outside().egress = usual


@pytest.fixture
def editor(app: Flask, documents: Documents) -> App:
    return App(app, ADDRESS)


def status(editor: App, owner: Browser, **more: Any) -> int:
    return owner.get("/oauth/authorize", query_string=editor.query(**more)).status_code


def test_an_app_with_a_document_signs_in(editor: App, owner: Browser) -> None:
    about = editor.get("/.well-known/oauth-authorization-server")
    assert about["client_id_metadata_document_supported"] is True
    answer = editor.exchange(editor.allowed_by(owner)["code"]).json
    assert answer and editor.ask(answer["access_token"]) == 200
    renewed = editor.renew(answer["refresh_token"]).json
    assert renewed and editor.ask(renewed["access_token"]) == 200


def test_the_page_says_where_the_document_is(editor: App, owner: Browser) -> None:
    page = owner.get("/oauth/authorize", query_string=editor.query()).headers["Location"]
    text = owner.get(page).text
    assert f"The app says what it is at {NAME}." in text and "a program on this computer" in text


def test_a_document_is_read_once_while_it_is_fresh(editor: App, owner: Browser, documents: Documents) -> None:
    assert [status(editor, owner) for _ in range(3)] == [303] * 3
    assert documents.reads == 1


@pytest.mark.parametrize("headers", [{"Cache-Control": "no-store"}, {"Cache-Control": "private, no-cache"}])
def test_what_may_not_be_stored_is_read_again(
    editor: App, owner: Browser, documents: Documents, headers: dict[str, str]
) -> None:
    documents.headers |= headers
    assert [status(editor, owner) for _ in range(2)] == [303] * 2
    assert documents.reads == 2


def test_it_is_fresh_for_as_long_as_the_server_says_within_a_day() -> None:
    headers = ["", "max-age=600", "public, MAX-AGE=5", "max-age=999999999", "max-age=x", "no-store, max-age=600"]
    assert [fresh_for(each) for each in headers] == [3_600, 600, 60, 86_400, 3_600, 0]


@pytest.mark.parametrize(
    "more",
    [
        {"client_id": f"{ADDRESS}?"},
        {"client_id": None},
        {"redirect_uris": ["https://shop.example/callback"]},
        {"redirect_uris": []},
        {"redirect_uris": CALLBACK},
        {"redirect_uris": [5, "javascript://x", "http://shop.example/callback"]},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"client_secret": "x"},
    ],
)
def test_a_document_that_does_not_describe_the_app_is_refused(
    editor: App, owner: Browser, documents: Documents, more: dict[str, Any]
) -> None:
    documents.reset(**more)
    assert status(editor, owner) == 400


@pytest.mark.parametrize(
    ("code", "headers", "body"),
    [
        (404, {}, b""),
        (302, {"Location": "https://push.example/apps/other.json"}, b""),
        (201, {}, b""),
        (200, {"Content-Type": "text/html"}, b""),
        (200, {}, b"[]"),
        (200, {}, b'{"client_id": NaN}'),
        (200, {}, b"[" * 5_000),
        (200, {}, b" " * 6_000),
    ],
)
def test_an_answer_that_is_no_document_is_refused_and_not_stored(
    editor: App, owner: Browser, documents: Documents, code: int, headers: dict[str, str], body: bytes
) -> None:
    documents.status, documents.headers, documents.body = code, documents.headers | headers, body
    assert status(editor, owner) == 400 and documents.reads == 1
    documents.reset()
    assert status(editor, owner) == 303


@pytest.mark.parametrize(
    "id",
    [
        f"https://{NAME}",
        f"https://{NAME}/a/../editor.json",
        f"https://{NAME}/a/%2e%2e/editor.json",
        f"https://{NAME}/editor.json#part",
        f"https://me@{NAME}/editor.json",
        f"https://{NAME}:8443/editor.json",
        f"http://{NAME}/editor.json",
        "https://127.0.0.1/editor.json",
        "https://localhost/editor.json",
        f"https://{NAME}/{'x' * 500}",
        f"https://{NAME}/edi\ntor.json",
    ],
)
def test_an_unsafe_address_is_not_called(app: Flask, owner: Browser, documents: Documents, id: str) -> None:
    documents.reset(client_id=id)
    assert status(App(app, id), owner) == 400 and documents.reads == 0


def test_a_name_that_leads_inside_is_not_called(editor: App, owner: Browser) -> None:
    outside().egress = Egress(lambda host, port: ["10.0.0.7"])
    assert status(editor, owner) == 400


def test_a_document_is_not_fetched_for_a_stranger(editor: App, documents: Documents) -> None:
    answer = Browser(editor.app, "bakery").get("/oauth/authorize", query_string=editor.query())
    assert answer.status_code == 303 and "sign-in" in answer.headers["Location"] and documents.reads == 0


def test_one_person_has_few_documents_fetched_and_stops_no_other(
    editor: App, owner: Browser, sue: Browser, world: World, documents: Documents
) -> None:
    redis.set(f"{limits.DOCUMENT.name}:{world.ann.id}", time.time() + 600)
    assert (status(editor, owner), documents.reads) == (429, 0)
    assert status(editor, sue) == 303
