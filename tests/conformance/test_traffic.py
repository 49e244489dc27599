import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest

import app.meta
from app.meta.graph import GraphClient
from conformance import __main__ as program
from conformance import explaining
from conformance.comparing import Comparison, Difference
from conformance.traffic import Traffic
from simulator.graph.edges import EDGES

NODES = {
    "App": "Application-ID",
    "Partner": "Business-ID",
    "Business": "Business-ID",
    "CreditLine": "Credit-Line-ID",
    "Allocation": "Allocation-ID",
    "Waba": "WABA-ID",
    "PhoneNumber": "Phone-Number-ID",
    "Media": "Media-ID",
    "MessageTemplate": "TEMPLATE_ID",
    "Flow": "Flow-ID",
}


def test_everything_that_calls_meta_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    called: set[FunctionType] = set()
    expected: set[FunctionType] = set()
    for module, function in callers():
        expected.add(function)
        monkeypatch.setattr(module, function.__name__, counting(function, called))
    with program.simulated_meta() as url:
        traffic = Traffic(url)
        traffic.run()
        traffic.close()
    assert expected - called == set()


def test_every_edge_of_the_simulator_is_called_but_those_that_meta_does_not_describe() -> None:
    with program.simulated_meta() as url:
        traffic = Traffic(url)
        traffic.run()
        traffic.close()
    called = {(one.method, *named(one.path, traffic.kinds)) for one in traffic.exchanges if one.status < 400}
    offered = {(method, NODES[node.__name__], name) for node, method, name in EDGES}
    left = {
        ("GET", "Business-ID", "business_invoices"),
        ("POST", "Application-ID", "subscriptions"),
        ("POST", "WABA-ID", "message_samples"),
        ("POST", "WABA-ID", "migrate_message_templates"),
        ("GET", "WABA-ID", "template_group_analytics"),
        ("GET", "TEMPLATE_ID", "compare"),
        ("POST", "TEMPLATE_ID", "unpause"),
    }
    assert offered - called == left


def named(path: str, kinds: dict[str, tuple[str, ...]]) -> tuple[str, str]:
    """A path's node, by its first name, and edge."""
    _, node, *edge = path.strip("/").split("/")
    return kinds.get(node, (node,))[0], "/".join(edge)


def callers() -> Iterator[tuple[ModuleType, FunctionType]]:
    """The public functions of app.meta that are given a GraphClient."""
    for results in pkgutil.iter_modules(app.meta.__path__):
        module = importlib.import_module(f"app.meta.{results.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            first = next(iter(inspect.signature(function).parameters.values()), None)
            is_own = function.__module__ == module.__name__ and not name.startswith("_")
            if is_own and first is not None and first.annotation is GraphClient:
                yield module, function


def counting(function: FunctionType, called: set[FunctionType]) -> Callable[..., object]:
    def call(*args: Any, **kwargs: Any) -> object:
        called.add(function)
        return function(*args, **kwargs)

    return call


def test_without_a_file_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([]) == 2
    assert "META_OPENAPI=<file>" in capsys.readouterr().out


def test_a_difference_without_an_explanation_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(explaining, "read", list)
    assert program.report(Comparison([], set(), set()), 0) == 0
    assert (
        program.report(Comparison([Difference("GET /a", "answer 200 body: type", "1", "text")], set(), set()), 1) == 1
    )
    assert "DIFFERS  GET /a  answer 200 body: type" in capsys.readouterr().out
