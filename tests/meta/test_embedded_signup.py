from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.meta.embedded_signup import CodeLost, debug_token, exchange_code
from app.meta.errors import GraphError, NoAnswer
from app.meta.graph import GraphClient

from .conftest import SECRET, TOKEN, Wire

GRANTED = {
    "app_id": "634974688087057",
    "is_valid": True,
    "expires_at": 0,
    "scopes": ["whatsapp_business_management", "whatsapp_business_messaging"],
    "granular_scopes": [
        {"scope": "whatsapp_business_messaging", "target_ids": ["3"]},
        {"scope": "whatsapp_business_management", "target_ids": ["102", "101"]},
    ],
    "user_id": "10222270944537964",
}


def test_a_code_is_traded_for_a_token_that_hides_itself(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"access_token": TOKEN, "token_type": "bearer", "expires_in": 5183944})
    token = exchange_code(graph, "AQBcode")
    assert (token.value, token.expires_in) == (TOKEN, 5183944)
    assert TOKEN not in repr(token)
    assert wire.params == {"client_id": graph.app_id, "client_secret": SECRET, "code": "AQBcode"}


def test_a_used_code_is_refused_in_words(graph: GraphClient, wire: Wire) -> None:
    wire.refuses(code=100, error_subcode=36009, message="This authorization code has been used.")
    with pytest.raises(GraphError) as refusal:
        exchange_code(graph, "AQBcode")
    assert "already used" in refusal.value.title


def test_an_answer_without_a_token_leaves_the_outcome_open(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"token_type": "bearer"}, {"token_type": "bearer"})
    with pytest.raises(NoAnswer):
        exchange_code(graph, "AQBcode")


def test_a_code_that_never_arrived_is_traded_at_the_second_try(graph: GraphClient, wire: Wire) -> None:
    wire.answers(httpx.ConnectError("unavailable"), {"access_token": TOKEN})
    assert exchange_code(graph, "AQBcode").value == TOKEN


def test_a_code_that_was_used_at_the_first_try_is_lost(graph: GraphClient, wire: Wire) -> None:
    wire.answers(httpx.ReadTimeout("slow")).refuses(code=100, error_subcode=36009, message="It has been used.")
    with pytest.raises(CodeLost):
        exchange_code(graph, "AQBcode")


def test_a_token_says_which_wabas_it_is_for(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"data": GRANTED})
    info = debug_token(graph, TOKEN, graph.app_token)
    assert (info.is_valid, info.app_id, info.waba_ids) == (True, graph.app_id, ("102", "101"))
    assert info.expires_at is None
    assert wire.request.headers["authorization"] == f"Bearer {graph.app_token}"


def test_a_token_that_expires_says_when(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"data": GRANTED | {"expires_at": 1800000000}})
    assert debug_token(graph, TOKEN, graph.app_token).expires_at == datetime.fromtimestamp(1800000000, UTC)


@pytest.mark.parametrize(
    ("granular_scopes", "waba_ids"),
    [([{"scope": "whatsapp_business_management"}], None), ([], ()), (None, ())],
)
def test_a_token_for_everything_differs_from_one_for_nothing(
    graph: GraphClient, wire: Wire, granular_scopes: Any, waba_ids: Any
) -> None:
    wire.answers({"data": GRANTED | {"granular_scopes": granular_scopes}})
    assert debug_token(graph, TOKEN, graph.app_token).waba_ids == waba_ids


def test_a_dead_token_is_an_answer(graph: GraphClient, wire: Wire) -> None:
    error = {"code": 190, "message": "Session has expired", "subcode": 463}
    wire.answers({"data": {"is_valid": False, "error": error, "scopes": []}})
    info = debug_token(graph, TOKEN, graph.app_token)
    assert not info.is_valid
    assert info.error and info.error.explanation.kind == "pause_number"


def test_an_answer_without_data_is_none(graph: GraphClient, wire: Wire) -> None:
    wire.answers({})
    with pytest.raises(NoAnswer):
        debug_token(graph, TOKEN, graph.app_token)
