"""Resumable uploads, and the handles that samples name."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import Settings, World
from simulator.samples import png
from tests.simulator.stand_ins import Graph

IMAGE = png(20, 20)


@pytest.fixture
def begin(graph: Graph, settings: Settings, shop: dict[str, str]) -> Any:
    def begin(**changed: Any) -> Any:
        about = {"file_name": "a.png", "file_length": len(IMAGE), "file_type": "image/png"} | changed
        return graph("POST", f"{settings.app_id}/uploads", token=shop["token"], query_string=about)

    return begin


@pytest.fixture
def post(client: FlaskClient, shop: dict[str, str]) -> Any:
    def post(session: str, data: bytes, offset: int = 0) -> Any:
        headers = {"Authorization": f"OAuth {shop['token']}", "file_offset": str(offset)}
        return client.post(f"/v25.0/{session}", data=data, headers=headers)

    return post


@pytest.fixture
def submit(graph: Graph, shop: dict[str, str]) -> Any:
    def submit(handle: str, format: str = "IMAGE") -> Any:
        header = {"type": "HEADER", "format": format, "example": {"header_handle": [handle]}}
        about = {"name": "shipped", "language": "en_US", "category": "UTILITY"}
        parts = [header, {"type": "BODY", "text": "It has shipped."}]
        path = f"{shop['waba_id']}/message_templates"
        return graph("POST", path, token=shop["token"], json=about | {"components": parts})

    return submit


def test_a_sample_is_uploaded_and_named(begin: Any, post: Any, submit: Any) -> None:
    session = begin().json["id"]
    assert session.startswith("upload:") and "?sig=" in session
    handle = post(session, IMAGE).json["h"]
    assert handle.startswith("4::aW1hZ2UvcG5n:") and submit(handle).status_code == 200


def test_an_upload_is_continued_where_it_stopped(begin: Any, post: Any, graph: Graph, shop: dict[str, str]) -> None:
    session = begin().json["id"]
    post(session, IMAGE[:50])
    assert graph("GET", session, token=shop["token"]).json["file_offset"] == "50"
    assert post(session, IMAGE[50:], 10).status_code == 400
    assert "h" in post(session, IMAGE[50:], 50).json


def test_a_handle_expires(begin: Any, post: Any, submit: Any, world: World) -> None:
    handle = post(begin().json["id"], IMAGE).json["h"]
    world.advance(24 * 3600 + 1)
    assert "expired" in submit(handle).json["error"]["error_user_msg"]


def test_a_sample_must_be_of_the_headers_format(begin: Any, post: Any, submit: Any) -> None:
    handle = post(begin().json["id"], IMAGE).json["h"]
    assert submit(handle, "VIDEO").json["error"]["error_subcode"] == 2388084


def test_a_session_is_for_a_file_that_meta_takes(begin: Any) -> None:
    for changed in ({"file_length": 0}, {"file_type": "image/gif"}, {"file_length": "many"}):
        assert begin(**changed).status_code == 400


def test_a_file_must_be_what_it_was_announced_as(begin: Any, post: Any) -> None:
    assert post(begin().json["id"], b"x" * len(IMAGE)).status_code == 400
    assert post(begin().json["id"], b"").status_code == 400
    assert post(begin().json["id"], IMAGE + b"more").status_code == 400


def test_a_session_is_known_by_its_signature(begin: Any, post: Any) -> None:
    session = begin().json["id"]
    assert post(session.split("?")[0], IMAGE).json["error"]["error_subcode"] == 33
