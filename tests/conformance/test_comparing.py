from typing import Any

import httpx
import pytest

from conformance.comparing import compare
from conformance.description import Description
from conformance.explaining import Explanation, explain
from conformance.recording import NOTHING, Exchange

LOAF = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "price": {"type": "integer"},
        "grain": {"$ref": "#/components/schemas/Grain"},
    },
}
BAKERY = Description(
    {
        "openapi": "3.1.0",
        "components": {"schemas": {"Grain": {"type": "string", "enum": ["rye", "wheat"]}, "Loaf": LOAF}},
        "paths": {
            "/{Version}/{Shop-ID}/loaves": {
                "post": {
                    "parameters": [{"in": "query", "name": "fresh", "schema": {"type": "boolean"}}],
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Loaf"}}}},
                    "responses": {"200": {"content": {"application/json": {"schema": {"type": "object"}}}}},
                }
            }
        },
    }
)
EDGE = "POST /{Version}/{Shop-ID}/loaves"
KINDS = {"12345": ("Shop-ID",)}


def exchange(
    sent: object = NOTHING,
    *,
    path: str = "/v25.0/12345/loaves",
    query: tuple[tuple[str, str], ...] = (),
    status: int = 200,
    answered: dict[str, Any] | None = None,
) -> Exchange:
    headers = httpx.Headers({"content-type": "application/json"})
    return Exchange("POST", path, query, headers, sent, status, "application/json", answered or {})


def whats(*exchanges: Exchange) -> list[str]:
    return [difference.what for difference in compare(BAKERY, exchanges, KINDS).differences]


@pytest.mark.parametrize(
    ("sent", "what"),
    [
        ({"name": "Rye", "price": "3"}, "request body.price: type"),
        ({"price": 3}, "request body.name: missing"),
        ({"name": "Rye", "grain": "oak"}, "request body.grain: enum"),
        ({"name": "Rye", "colour": "dark"}, "request body.colour: not described"),
    ],
)
def test_what_is_sent_otherwise_than_described_is_named(sent: dict[str, Any], what: str) -> None:
    assert whats(exchange(sent)) == [what]


def test_what_is_sent_as_described_is_no_difference() -> None:
    assert whats(exchange({"name": "Rye", "price": 3, "grain": "rye"}, query=(("fresh", "true"),))) == []


def test_parameters_and_statuses_are_compared_too() -> None:
    assert whats(exchange({"name": "Rye"}, query=(("fresh", "2"), ("cut", "1")))) == [
        "request query fresh: type",
        "request query cut: not described",
    ]
    assert whats(exchange({"name": "Rye"}, status=404)) == ["answer 404 status: not described"]


def test_a_difference_is_listed_once() -> None:
    assert whats(exchange({"price": 1}), exchange({"price": 2})) == ["request body.name: missing"]


def test_an_edge_that_is_not_described_is_named_and_no_difference() -> None:
    results = compare(BAKERY, [exchange(path="/v25.0/12345/cakes"), exchange(path="/v25.0/999/loaves")], KINDS)
    assert results.undescribed == {"POST /v25.0/{Shop-ID}/cakes", "POST /v25.0/999/loaves"}
    assert results.differences == []


def test_a_page_explains_a_difference() -> None:
    page = Explanation(EDGE, "request body.*: type", "Prices are words now.", "Loaves", "2026-03")
    differences = compare(BAKERY, [exchange({"name": "Rye", "price": "3"}), exchange({})], KINDS).differences
    results, stale = explain(differences, [page])
    assert [explanation for _, explanation in results] == [page, None] and stale == []


def test_an_explanation_of_nothing_is_stale() -> None:
    page = Explanation(EDGE, "request body.price: type", "Prices are words now.", "Loaves", "2026-03")
    assert explain([], [page]) == ([], [page])
