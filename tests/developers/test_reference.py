"""The pages for programmers follow from the declarations: every call, scope and problem, with valid examples."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from typing import Any

import pytest
from flask import Flask
from pydantic import TypeAdapter
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.api.declaring import ENDPOINTS
from app.api.document import document
from app.api.problems import PROBLEMS
from app.api.snippets import Request
from app.api.versions import VERSIONS
from app.developers.changelog import ENTRIES
from app.developers.examples import Examples
from app.developers.prose import blocks
from app.developers.reference import calls, tag_pages
from app.developers.schemas import Trees
from dev.clients import node
from tests.client import Browser, isolated
from tests.cpu import Meter
from tests.world import World

FIXED = ["developers/", "developers/problems", "developers/changelog"]


@pytest.fixture
def pages(app: Flask) -> list[str]:
    return [*FIXED, *(f"developers/{name}" for name in tag_pages())]


def test_every_call_is_on_a_page_with_its_address_and_scope(browser: Browser) -> None:
    for page in tag_pages().values():
        html, twin = (browser.get(f"/developers/{page.name}{end}").text for end in ("", ".md"))
        for call in page.calls:
            assert f'id="{call.name}"' in html and f"/api/v1{call.path}</code>" in html
            assert call.endpoint.scope in html
            assert f"## {call.summary}\n\n`{call.method} /api/v1{call.path}`" in twin
    assert calls().keys() == ENDPOINTS.keys()


def test_every_problem_has_the_page_that_its_type_names(browser: Browser) -> None:
    index = browser.get("/developers/problems").text
    for code, kind in PROBLEMS.items():
        page = browser.get(f"/developers/problems/{code}")
        assert page.status_code == 200 and f"/developers/problems/{code}" in index
        twin = browser.get(f"/developers/problems/{code}.md")
        assert twin.mimetype == "text/markdown" and twin.text.startswith(f"# {kind.title}\n")


def test_every_page_has_a_twin_that_llms_txt_lists(browser: Browser, pages: list[str]) -> None:
    listed = re.findall(r"\]\(http://localhost(/[^)]+\.md)\)", browser.get("/llms.txt").text)
    twins = [f"/{page.rstrip('/')}.md" for page in pages]
    assert sorted(listed) == sorted(twins)
    for twin in twins:
        answer = browser.get(twin)
        assert answer.mimetype == "text/markdown" and answer.text.startswith("# ")
        assert "\n\n\n" not in answer.text


def test_every_link_on_the_pages_leads_somewhere(browser: Browser, pages: list[str]) -> None:
    led: set[str] = set()
    for page in pages:
        html = browser.get(f"/{page}").text
        led.add(f"/{page}")
        inner = html[html.index("<main") : html.index("</main>")]
        ids = set(re.findall(r'\bid="([^"]+)"', inner))
        assert len(ids) == inner.count(' id="'), f"{page}: an id twice"
        links = {link for link in re.findall(r'href="([^"]*)"', inner) if not link.startswith("/static/")}
        for link in links:
            path, _, anchor = link.partition("#")
            assert path or anchor in ids, link
            assert not path or path in led or browser.get(path).status_code == 200, link
            led.add(path)


@pytest.mark.parametrize("path", ["developers/nothing", "developers/nothing.md", "developers/problems/nothing"])
def test_what_does_not_exist_is_not_found(browser: Browser, world: World, path: str) -> None:
    assert browser.get(f"/{path}").status_code == 404


def test_every_example_is_taken_by_its_call(app: Flask) -> None:
    wrong = []
    for call in calls().values():
        if not call.endpoint.body:
            continue
        assert call.bodies, call.name
        for name, body in call.bodies:
            try:
                call.endpoint.body.model_validate_json(json.dumps(body), strict=True)
            except ValueError as error:
                wrong.append(f"{call.name} {name}: {error}")
    assert wrong == []


def test_every_address_of_an_example_can_be_pasted(app: Flask) -> None:
    addresses = {one.request.address for one in calls().values()}
    assert [address for address in addresses if not re.fullmatch(r"[\w:/.-]+", address)] == []
    assert any(address.endswith("/payments/order-1041") for address in addresses)


def test_every_type_of_a_body_has_an_example(app: Flask) -> None:
    variants = [name for name, _body in calls()["send_message"].bodies]
    assert {"text", "template", "list", "raw"} <= set(variants)
    assert variants == [body["type"] for _name, body in calls()["send_message"].bodies]


def test_every_example_of_an_answer_is_one(app: Flask) -> None:
    for call in calls().values():
        if call.endpoint.gives:
            TypeAdapter(call.endpoint.gives).validate_json(call.answer)


def test_the_examples_are_programs(app: Flask) -> None:
    for call in calls().values():
        ast.parse(call.request.python)
        subprocess.run(["bash", "-n", "-c", call.request.curl], check=True)


def test_the_examples_in_javascript_are_programs(app: Flask, tmp_path: Any) -> None:
    functions = [call.request.javascript for call in calls().values() if not call.request.takes]
    file = tmp_path / "examples.mjs"
    file.write_text("\n".join(f"async () => {{\n{code}\n}}" for code in functions))
    program, variables = node()
    subprocess.run([program, "--check", file], env=variables, check=True)


def test_an_apostrophe_in_an_example_ends_no_string() -> None:
    request = Request("POST", "http://x/messages", {}, {"text": {"body": 'It\'s "ready"\n'}}, is_repeatable=True)
    printed = subprocess.run(
        ["bash", "-c", request.curl.replace("curl ", "printf '%s\\n' ", 1)], capture_output=True, text=True, check=True
    )
    assert json.loads(printed.stdout[printed.stdout.index("{") :]) == request.body
    ast.parse(request.python)


SELF = {
    "Rule": {
        "type": "object",
        "required": ["name", "rules"],
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z]+_[0-9]$", "maxLength": 20},
            "rules": {"type": "array", "items": {"$ref": "#/components/schemas/Rule"}},
            "parent": {"anyOf": [{"$ref": "#/components/schemas/Rule"}, {"type": "null"}]},
        },
    }
}


def test_a_schema_that_holds_itself_ends(app: Flask) -> None:
    trees = Trees(SELF)
    (_name, rules, parent), _choices = trees.inside(SELF["Rule"], ("Rule",))
    assert rules.type == "list of object" and rules.members == () and parent.is_nullable
    small = Examples(trees).value({"$ref": "#/components/schemas/Rule"})
    assert re.fullmatch("[a-z]+_[0-9]", small["name"])


def test_the_document_is_there_and_is_not_sent_twice(browser: Browser) -> None:
    first = browser.get("/developers/openapi.json")
    assert first.json == json.loads(json.dumps(document()))
    again = browser.get("/developers/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and "max-age" in first.headers["Cache-Control"]


def test_the_pages_ask_the_database_for_nothing(app: Flask, pages: list[str]) -> None:
    requested: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        requested.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    for path in (*pages, "llms.txt", "developers/openapi.json", "developers/problems/not_found"):
        assert isolated(app.test_client().get, f"/{path}").status_code == 200
    event.remove(Engine, "before_cursor_execute", note)
    assert requested == []


def test_a_page_is_made_once(browser: Browser) -> None:
    browser.get("/developers/messages")
    meter = Meter()
    # What was made is only sent.
    assert meter.seconds(lambda: isolated(browser.client.get, "/developers/messages")) < meter.most / 6


def test_every_version_is_in_the_changelog() -> None:
    assert {entry.version for entry in ENTRIES if entry.version} == set(VERSIONS)
    assert [entry.day for entry in ENTRIES] == sorted((entry.day for entry in ENTRIES), reverse=True)


def test_the_pages_are_linked_from_the_first_page(browser: Browser, ann: Browser) -> None:
    assert 'href="/developers/"' in browser.get("/").text
    assert 'href="/developers/"' in browser.get("/help/api-keys").text
    assert 'href="/developers/"' in ann.get("~/keys").text


def test_prose_is_read_as_blocks() -> None:
    text = "# A `b`\n\nOne\ntwo **three** [four](/five).\n\n- x\n  y\n- z\n\n1. s\n\n```\n# not a heading\n```"
    kinds = [(block.kind, len(block.lines)) for block in blocks(text)]
    assert kinds == [("heading", 1), ("paragraph", 1), ("list", 2), ("steps", 1), ("code", 0)]
    assert [(span.kind, span.text, span.address) for span in blocks(text)[1].lines[0]] == [
        ("text", "One two ", ""),
        ("strong", "three", ""),
        ("text", " ", ""),
        ("link", "four", "/five"),
        ("text", ".", ""),
    ]
