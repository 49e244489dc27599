"""Three providers over HTTP, each by its own protocol, and every way an answer can be wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.assistant.prices import Price, price_of
from app.assistant.providers import anthropic, calling, google, openai
from app.assistant.providers.calling import complete, write
from app.assistant.providers.completion import Endpoint, ModelError, Prompt, Raw, Usage, read_completion
from app.tenancy import Tenant, db, tenant_scope
from app.tenancy.transactions import TransactionOpen
from tests.world import World

from .conftest import Model

DATA = {
    "knowledge": [{"key": "p1", "text": "Bread\nEvery day."}],
    "conversation": [{"from": "customer", "text": "Bread?"}],
}
PROMPT = Prompt("You are an assistant.", (("user", json.dumps(DATA)),), 300)
PATHS = {"openai": "/v1", "anthropic": "/v1", "google": "/v1beta"}


def endpoint(model: Model, provider: str) -> Endpoint:
    return Endpoint(provider, f"{model.url}{PATHS[provider]}", "sk-1", "scripted")


@pytest.mark.parametrize("provider", list(PATHS))
def test_every_provider_is_asked_in_its_protocol(model: Model, provider: str) -> None:
    completion = complete(endpoint(model, provider), PROMPT)
    assert (completion.action, completion.reply, completion.sources) == ("answer", "Every day.", ("p1",))
    assert completion.usage.input > 0 and completion.usage.output > 0
    headers = model.requested[0]["headers"]
    sent = {"openai": headers.get("Authorization"), "anthropic": headers.get("X-Api-Key")}
    assert "sk-1" in (sent.get(provider) or headers.get("X-Goog-Api-Key"))


@pytest.mark.parametrize("provider", list(PATHS))
def test_an_answer_that_was_cut_off_is_none(model: Model, provider: str) -> None:
    cut = Prompt("", (("user", json.dumps({"conversation": [{"from": "customer", "text": "x [cut]"}]})),))
    with pytest.raises(ModelError) as wrong:
        complete(endpoint(model, provider), cut)
    assert wrong.value.problem == "cut_off"


def test_a_model_that_takes_too_long_is_away(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "SECONDS", 0.1)
    slow = Prompt("", (("user", json.dumps({"conversation": [{"from": "customer", "text": "x [slow]"}]})),))
    with pytest.raises(ModelError) as wrong:
        complete(endpoint(model, "openai"), slow)
    assert wrong.value.problem == "timeout"


def test_no_model_is_asked_while_a_transaction_is_open(world: World, model: Model) -> None:
    with tenant_scope(world.bakery.id):
        db.session.query(Tenant).all()
        with pytest.raises(TransactionOpen):
            write(endpoint(model, "openai"), PROMPT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sure, here it is",
        "[]",
        "null",
        "{}",
        '{"action": "delete_everything", "reply": "x"}',
        '{"action": "answer", "reply": 5}',
        '{"action": ["answer"], "reply": "x"}',
        '{"action": "answer", "reply": "half',
        "[" * 100_000,
    ],
)
def test_anything_but_a_decision_is_refused(text: str) -> None:
    with pytest.raises(ModelError) as wrong:
        read_completion(Raw(text, Usage(), "stop"))
    assert wrong.value.problem == "not_json"


def test_a_decision_in_a_block_of_code_is_read() -> None:
    assert read_completion(Raw('```json\n{"action": "ask", "reply": "When?"}\n```', Usage(), "stop")).reply == "When?"


def test_tools_are_read_whatever_they_are() -> None:
    tools = ["x", {"name": 5}, {"name": "a", "arguments": "b"}, {"name": "c", "arguments": {"d": 1}}, {}, {}, {}, {}]
    read = read_completion(Raw(json.dumps({"action": "answer", "reply": "x", "tools": tools}), Usage(), "stop"))
    assert [(call.name, call.arguments) for call in read.tool_calls] == [
        ("5", {}),
        ("a", {}),
        ("c", {"d": 1}),
        ("", {}),
    ]


@pytest.mark.parametrize("adapter", [openai, anthropic, google])
@pytest.mark.parametrize(
    "answer",
    [{}, {"choices": []}, {"choices": [None]}, {"content": "x"}, {"candidates": {}}, {"usage": []}, {"usage": -1}],
)
def test_no_answer_breaks_an_adapter(adapter: Any, answer: dict[str, Any]) -> None:
    assert adapter.read(answer).text == ""


def test_prices_are_of_the_longest_name_and_rounded_up() -> None:
    assert price_of("gpt-4o-mini-2024-07-18") == price_of("gpt-4o-mini") != price_of("gpt-4o")
    assert price_of("gpt-4o-audio") is None and price_of("llama") is None
    assert Price(1_000_000, 2_000_000).of(3, 4) == 11 and Price(1, 1).of(1, 0) == 1


def test_an_answer_that_no_database_holds_is_read_without_it() -> None:
    """Half of a surrogate pair, or NUL."""
    read = read_completion(Raw('{"action": "answer", "reply": "Rye \\ud83d bread\\u0000"}', Usage(), "stop"))
    assert read.reply.encode().decode().startswith("Rye ") and "\x00" not in read.reply
