"""The TypeScript client: its types are those of the document, and it works against a running API."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from collections.abc import Callable

import pytest
from flask import Flask

from app.api.document import document
from dev.clients import ROOT, TYPES, node, types_of
from tests.api.clients.conftest import Live

PROGRAM = ROOT / "tests/api/clients/sending.ts"
Run = Callable[..., str]


def run_tool(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program, variables = node()
    command = [program, str(ROOT / "node_modules" / tool), *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False, capture_output=True, text=True)


def test_the_types_are_those_of_the_document(app: Flask) -> None:
    assert types_of(document()) == TYPES.read_text(), "run python -m dev.clients"


def test_the_client_and_a_program_of_it_have_no_wrong_types(tmp_path: pathlib.Path) -> None:
    settings = {
        "extends": str(ROOT / "clients/typescript/tsconfig.json"),
        "compilerOptions": {"noEmit": True},
        "files": [str(PROGRAM)],
        "include": [],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(settings))
    done = run_tool("typescript/bin/tsc", "-p", str(tmp_path))
    assert done.returncode == 0, done.stdout


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    """Runs the program with node."""
    bundle = tmp_path / "sending.mjs"
    program, variables = node()
    esbuild = [str(ROOT / "node_modules/.bin/esbuild"), str(PROGRAM), "--bundle", "--format=esm", f"--outfile={bundle}"]
    subprocess.run(esbuild, env=variables, check=True, capture_output=True)

    def run(*arguments: str, **environment: str) -> str:
        command = [program, str(bundle), *arguments]
        return subprocess.check_output(command, env=os.environ | environment, text=True).strip()

    return run


def test_a_message_is_sent_and_its_ticks_are_read(live: Live, run: Run) -> None:
    id = run("send", str(live.talk.id), **live.environment)
    live.deliver_until_read(id)
    assert json.loads(run("state", id, **live.environment)) == {"state": "read", "texts": ["Your bread is ready."]}


def test_a_refusal_has_its_code(live: Live, run: Run) -> None:
    assert json.loads(run("refused", str(live.talk.id), **live.environment)) == [404, "not_found"]


def test_a_request_is_repeated_with_the_same_key_after_the_time_asked_for(run: Run) -> None:
    assert json.loads(run("repeats")) == {"keys": 1, "wait": 7000}
