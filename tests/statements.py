"""Every statement that is written by hand in `app/`: what is given to `text(…)`, wherever it is."""

from __future__ import annotations

import ast
import importlib
import pathlib
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

import sqlalchemy
from sqlalchemy import TextClause

import app

QUERY = re.compile(r"\s*(select|insert|update|delete|with|merge)\b", re.IGNORECASE)
PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")


def modules() -> Iterator[ModuleType]:
    for results in pkgutil.walk_packages(app.__path__, "app."):
        yield importlib.import_module(results.name)


def written() -> dict[str, str]:
    """Statements by where they are: `app.inbox.outbound.outbox.CLAIM`, or module and line inside a function."""
    results: dict[str, str] = {}
    for module in modules():
        for name, value in vars(module).items():
            for number, one in enumerate(value if isinstance(value, (list, tuple)) else [value]):
                if isinstance(one, TextClause) and one.text not in results.values():
                    results[f"{module.__name__}.{name}{f'[{number}]' if number else ''}"] = one.text
        for line, words in inside(module):
            if words not in results.values():
                results[f"{module.__name__}:{line}"] = words
    return {place: words for place, words in results.items() if QUERY.match(words)}


def inside(module: ModuleType) -> Iterator[tuple[int, str]]:
    """What functions of a module give to `text(…)`; what they execute has to be readable without running them."""
    if getattr(module, "text", None) is not sqlalchemy.text:
        return
    for node in ast.walk(ast.parse(pathlib.Path(str(module.__file__)).read_text())):
        match node:
            case ast.Call(ast.Name("text"), [ast.Constant(str(words)), *_]):
                yield node.lineno, words
            case ast.Call(ast.Attribute(_, "execute" | "scalar" | "scalars"), [ast.Call(ast.Name("text")) as made, *_]):
                assert isinstance(made.args[0], ast.Constant), f"{module.__name__}:{node.lineno} builds a statement"


def numbered(statement: str, types: dict[str, int]) -> tuple[bytes, list[int]]:
    """The statement with $1, $2 … instead of names, and the types of those; 0 is for Postgres to find out."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return PARAMETER.sub(number, statement).encode(), [types.get(name, 0) for name in names]
