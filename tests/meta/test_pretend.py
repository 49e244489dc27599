"""What is of a sandbox is answered here; everything else goes on to Meta."""

from __future__ import annotations

import io
import uuid

import httpx
import pytest

from app.meta import embedded_signup, media, messages, pretend, template_calls
from app.meta.errors import GraphError, Kind, MetaError
from app.meta.graph import GraphClient
from app.meta.pretend import TOKEN, id_for, new_wamid

OURS = id_for(uuid.UUID(int=1), "phone number")
TEXT = {"type": "text", "text": {"body": "x"}}


class Wire(httpx.BaseTransport):
    def __init__(self) -> None:
        self.paths: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        return httpx.Response(200, json={"data": [], "success": True})


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def graph(wire: Wire) -> GraphClient:
    return GraphClient("https://graph.facebook.com", "v25.0", "1", "secret", transport=wire)


def test_a_real_token_with_real_ids_goes_to_meta(graph: GraphClient, wire: Wire) -> None:
    graph.get("106540352242922", token="EAA-real")
    assert wire.paths == ["/v25.0/106540352242922"]


@pytest.mark.parametrize(("token", "path"), [(TOKEN, "106540352242922"), ("EAA-real", OURS)])
def test_a_token_or_an_id_of_a_sandbox_is_enough(graph: GraphClient, wire: Wire, token: str, path: str) -> None:
    for call in (graph.get, graph.post, graph.delete):
        with pytest.raises(GraphError):
            call(path, token=token)
    with pytest.raises(GraphError):
        graph.post_to_api(f"{path}/message_templates/archive", token=token, json={})
    assert wire.paths == []


def test_nothing_is_asked_about_a_token_of_a_sandbox(graph: GraphClient, wire: Wire) -> None:
    with pytest.raises(GraphError):
        embedded_signup.debug_token(graph, TOKEN, graph.app_token)
    assert wire.paths == []


def test_what_test_mode_does_not_have_says_so_and_pauses_nothing(graph: GraphClient) -> None:
    with pytest.raises(GraphError) as raised:
        graph.get(f"{OURS}/whatsapp_business_profile", token=TOKEN)
    assert (raised.value.kind, raised.value.details) == (Kind.FINAL, pretend.NO_SUCH_CALL)


def test_a_message_is_accepted_and_marked_as_read(graph: GraphClient, wire: Wire) -> None:
    accepted = messages.send(graph, TOKEN, OURS, to="16505550100", content=TEXT, callback_data=None)
    assert pretend.is_pretended(accepted.wamid) and accepted.wa_id == "16505550100"
    messages.mark_read(graph, TOKEN, OURS, accepted.wamid, typing=True)
    assert wire.paths == []


def test_each_pair_is_refused_once(graph: GraphClient) -> None:
    for sender in (OURS, id_for(uuid.UUID(int=2), "phone number")):
        with pytest.raises(GraphError) as raised:
            messages.send(graph, TOKEN, sender, to="16505550104", content=TEXT, callback_data=None)
        assert raised.value.kind is Kind.PAIR
        messages.send(graph, TOKEN, sender, to="16505550104", content=TEXT, callback_data=None)


def test_a_file_is_uploaded_and_not_there_to_be_read(graph: GraphClient, wire: Wire) -> None:
    id = media.upload(graph, TOKEN, OURS, file=io.BytesIO(b"x" * 100_000), name="a.png", mime="image/png")
    assert pretend.is_pretended(id)
    with pytest.raises(MetaError):
        media.locate(graph, TOKEN, id, OURS)
    with pytest.raises(MetaError):
        graph.download(f"https://graph.facebook.com/{id}", io.BytesIO(), token=TOKEN, limit=10, seconds=1)
    assert wire.paths == []


def test_a_sample_is_uploaded(graph: GraphClient) -> None:
    assert template_calls.upload_sample(graph, TOKEN, "1", "a.png", "image/png", b"x").startswith("4::")


def test_meta_s_ids_are_not_taken_for_a_sandbox_s() -> None:
    for id in ("106540352242922", "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA", "0", "00", "v25.0"):
        assert not pretend.is_pretended(id)
    assert pretend.is_pretended(OURS) and pretend.is_pretended(new_wamid())
