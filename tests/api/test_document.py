"""The document describes every call, and nothing else."""

from __future__ import annotations

import re

from flask import Flask

from app.api.declaring import ENDPOINTS
from app.api.document import document
from app.api.problems import PROBLEMS
from app.api.scopes import SCOPES
from tests.api.conftest import UNKNOWN_ID, Caller


def test_every_route_of_the_api_is_in_the_document(app: Flask) -> None:
    routes = {
        (method.lower(), rule.rule.removeprefix("/api/v1").count("/"), rule.endpoint)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (method, path.count("/"), f"api.{operation['operationId']}")
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
    }
    assert routes == described


def test_every_call_has_a_scope_that_exists_and_says_what_it_does() -> None:
    for one in ENDPOINTS.values():
        assert one.name == "get_me" or one.scope in SCOPES, one.name
        assert 5 < len(one.summary) < 80, one.name


def test_every_problem_that_is_named_exists_and_says_what_to_do() -> None:
    for one in ENDPOINTS.values():
        assert set(one.all_problems) <= PROBLEMS.keys()
    assert all(kind.title and kind.advice.endswith(".") for kind in PROBLEMS.values())


def test_a_parameter_that_a_call_does_not_have_is_refused(shop: Caller) -> None:
    for one in ENDPOINTS.values():
        path = re.sub(r"\{\w+\}", str(UNKNOWN_ID), one.path)
        answer = shop.call(one.method, f"{path}?limt=5", b"" if one.takes else None)
        faults = (answer.json or {}).get("errors", [])
        assert answer.status_code == 422 and faults[-1]["parameter"] == "limt", one.name
