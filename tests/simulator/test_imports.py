"""No file imports another that imports it back, counting imports inside functions and for type checking."""

import ast
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def imports_of(package: str) -> dict[str, set[str]]:
    files = {module_name(file): file for file in (ROOT / package).rglob("*.py")}
    return {name: set(imported(file, set(files))) - {name} for name, file in files.items()}


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(file: Path, modules: set[str]) -> Any:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield from [whole] if whole in modules else [node.module] if node.module in modules else []


def reachable(imports: dict[str, set[str]], start: str) -> set[str]:
    seen, waiting = set(), list(imports[start])
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += imports[module]
    return seen


@pytest.mark.parametrize("package", ["simulator", "conformance"])
def test_no_import_comes_back(package: str) -> None:
    imports = imports_of(package)
    assert len(imports) > 5
    assert [module for module in imports if module in reachable(imports, module)] == []
