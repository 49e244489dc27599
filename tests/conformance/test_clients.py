import json
import tomllib
from pathlib import Path

import pytest

from conformance.clients import running
from conformance.clients.running import Explanation, Result, report

ROOT = Path(__file__).parents[2]
EXPLAINED = Explanation("pywa", "list", "It is wrong about Meta.", "Block users", "2025-11")


def test_every_client_is_pinned_for_development_only() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    package = json.loads((ROOT / "package.json").read_text())
    for client in running.PYTHON:
        assert any(
            line.startswith(f"{client}>") for line in project["dependency-groups"]["dev"] if isinstance(line, str)
        )
        assert not any(line.startswith(client) for line in project["project"]["dependencies"])
        assert f"\n{client}==" in (ROOT / "requirements-dev.lock").read_text()
        assert f"\n{client}==" not in (ROOT / "requirements.lock").read_text()
    assert set(running.NODE) <= set(package["devDependencies"])
    assert "dependencies" not in package


def test_every_client_has_its_file() -> None:
    files = [f"{name}.py" for name in running.PYTHON.values()] + list(running.NODE.values())
    assert [name for name in files if not (running.HERE / name).exists()] == []


def test_a_client_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PYTHON", {"no_such_client": "none"})
    monkeypatch.setattr(running, "NODE", {"no-such-client": "none.mjs"})
    results = running.run_all("http://127.0.0.1:9", receiver=None)  # type: ignore[arg-type]
    assert ["is not installed" in result.problem for result in results] == [True, True]
    assert report(results, []) == 1


@pytest.mark.parametrize(
    ("results", "explained", "code", "word"),
    [
        ([Result("pywa", "list")], [], 0, "passed"),
        ([Result("pywa", "list", "KeyError")], [], 1, "FAILED"),
        ([Result("pywa", "list", "KeyError")], [EXPLAINED], 0, "explained"),
        ([Result("pywa", "list")], [EXPLAINED], 1, "STALE"),
        ([Result("heyoo", "list", "KeyError")], [EXPLAINED], 1, "FAILED"),
    ],
)
def test_the_table_says_of_each_example_how_it_went(
    results: list[Result], explained: list[Explanation], code: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(results, explained) == code
    assert word in capsys.readouterr().out
