from typing import Any

import pytest

from app.meta import credit_lines
from app.meta.errors import NoAnswer
from app.meta.graph import GraphClient

from .conftest import TOKEN, Wire

SHARED = {"id": "585", "receiving_business": {"id": "23", "name": "Client"}}


@pytest.mark.parametrize(
    ("answer", "results"),
    [
        ({"data": [SHARED]}, "585"),
        (SHARED, "585"),
        ({"data": SHARED}, "585"),
        ({"data": [{"id": "585"}]}, "585"),
        ({"data": []}, None),
        ({}, None),
        ({"data": [SHARED | {"request_status": "DELETED"}]}, None),
        ({"data": [{"id": "9", "receiving_business": {"id": "somebody"}}, SHARED]}, "585"),
    ],
)
def test_a_share_is_found_in_either_printed_shape(graph: GraphClient, wire: Wire, answer: Any, results: Any) -> None:
    wire.answers(answer)
    assert credit_lines.find_share(graph, TOKEN, "1972", "23") == results
    assert wire.params["receiving_business_id"] == "23"


def test_method_a_shares_and_attaches_in_one_call(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"allocation_config_id": "585", "waba_id": "102"})
    assert credit_lines.share_and_attach(graph, TOKEN, "1972", "102", "USD") == "585"
    assert wire.request.url.path == "/v25.0/1972/whatsapp_credit_sharing_and_attach"
    assert wire.params == {"waba_currency": "USD", "waba_id": "102"}


def test_method_b_shares_with_our_token_and_attaches_with_theirs(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"success": True, "allocation_config_id": "585"}, {"allocation_config_id": 585})
    assert credit_lines.share(graph, "EAAours", "1972", "23") == "585"
    assert credit_lines.attach(graph, "EAAtheirs", "1972", "102", "EUR") == "585"
    assert [request.headers["authorization"] for request in wire.requests] == [
        "Bearer EAAours",
        "Bearer EAAtheirs",
    ]


def test_a_share_without_an_allocation_leaves_the_outcome_open(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"success": True})
    with pytest.raises(NoAnswer):
        credit_lines.share(graph, TOKEN, "1972", "23")


@pytest.mark.parametrize(
    ("credential", "funding", "ours"),
    [({"id": "X"}, "X", True), ({"id": "X"}, "Y", False), ({"id": "X"}, None, False), (None, None, False)],
)
def test_our_line_pays_when_both_ids_are_equal(
    graph: GraphClient, wire: Wire, credential: Any, funding: Any, ours: Any
) -> None:
    wire.answers({"receiving_credential": credential}, {"primary_funding_id": funding})
    verified = credit_lines.is_funding(
        graph, system_token="EAAours", business_token="EAAtheirs", allocation_id="585", waba_id="102"
    )
    assert verified is ours


@pytest.mark.parametrize(("status", "revoked"), [("DELETED", True), ("APPROVED", False), (None, False)])
def test_a_share_can_be_revoked_and_the_revocation_checked(
    graph: GraphClient, wire: Wire, status: Any, revoked: Any
) -> None:
    wire.answers({"success": True}, {"request_status": status})
    credit_lines.revoke(graph, TOKEN, "585")
    assert wire.request.method == "DELETE"
    assert credit_lines.is_revoked(graph, TOKEN, "585") is revoked
