"""Reads statements as Postgres does: the query tree of a statement, with every table and function looked up.

No parser of our own and no list of functions: Postgres sends its tree to whoever sets `debug_print_parse`, and a
cluster decides by that same tree what it executes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import pq

COMMANDS = {"1": "select", "2": "update", "3": "insert", "4": "delete"}
TOKEN = re.compile(r"""[(){}]|(?:\\.|"(?:\\.|[^"\\])*"|[^\s(){}\\])+""", re.DOTALL)


class NotUnderstood(AssertionError):
    """Postgres refuses the statement itself."""


@dataclass(frozen=True, slots=True)
class Node:
    kind: str
    fields: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.fields.get(name)

    def walk(self, *, into_queries: bool = True) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        yield from walk([*self.fields.values()], into_queries=into_queries)


def walk(value: Any, *, into_queries: bool = True) -> Iterator[Node]:
    if isinstance(value, Node):
        if into_queries or value.kind != "QUERY":
            yield from value.walk(into_queries=into_queries)
    elif isinstance(value, list):
        for one in value:
            yield from walk(one, into_queries=into_queries)


def parsed(tree: str) -> Node:
    tokens = iter(TOKEN.findall(tree))

    def value(token: str) -> Any:
        if token == "{":
            return node()
        if token == "(":
            results = []
            while (inner := next(tokens)) != ")":
                results.append(value(inner))
            return results
        return None if token == "<>" else token

    def node() -> Node:
        kind, name = next(tokens), ""
        fields: dict[str, Any] = {}
        while (token := next(tokens)) != "}":
            if token.startswith(":"):
                name, fields[name] = token[1:], None
                continue
            read = value(token)
            # A constant's bytes are several tokens; none of our rules reads them.
            fields[name] = read if fields[name] is None else fields[name]
        return Node(kind, fields)

    first = next(tokens)
    assert first == "{", tree[:80]
    return node()


@dataclass(frozen=True)
class Function:
    name: str
    volatility: str

    @property
    def is_immutable(self) -> bool:
        return self.volatility == "i"


@dataclass(eq=False)
class Catalogue:
    """What the trees' numbers mean in this database."""

    connection: psycopg.Connection
    tables: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    in_out: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tables = "select oid::text, relname from pg_class where relkind in ('r', 'p') and relnamespace <> 11"
        functions = "select oid::text, proname, provolatile::text from pg_proc"
        types = "select oid::text, typinput::oid::text, typoutput::oid::text from pg_type"
        self.tables = dict(self.connection.execute(tables).fetchall())
        self.functions = {oid: Function(*rest) for oid, *rest in self.connection.execute(functions)}
        self.in_out = {oid: (read, write) for oid, read, write in self.connection.execute(types)}

    @functools.cache  # noqa: B019  (as long as the test run)
    def column(self, table: str, name: str) -> str:
        query = "select attnum::text from pg_attribute where attrelid = %s::regclass and attname = %s"
        row = self.connection.execute(query, (f'"{table}"', name)).fetchone()
        return str(row[0]) if row else ""

    def function(self, oid: str) -> Function:
        if oid not in self.functions:
            query = "select proname, provolatile::text from pg_proc where oid = %s::oid"
            name, volatility = self.connection.execute(query, (oid,)).fetchone() or ("unknown", "v")
            self.functions[oid] = Function(name, volatility)
        return self.functions[oid]

    def functions_in(self, node: Node) -> Iterator[Function]:
        """The functions that this very node calls."""
        for name in ("funcid", "opfuncid", "aggfnoid", "winfnoid"):
            if node[name] and node[name] != "0":
                yield self.function(node[name])
        if node.kind == "COERCEVIAIO":
            yield self.function(self.in_out[node["resulttype"]][0])
            yield self.function(self.in_out[type_of(node["arg"])][1])
        if node.kind == "SQLVALUEFUNCTION":
            yield Function("current_timestamp", "s")


def type_of(node: Node) -> str:
    for name, value in node.fields.items():
        if name in ("vartype", "consttype", "paramtype", "resulttype") or name.endswith("resulttype"):
            return str(value)
    for name in ("casetype", "coalescetype", "minmaxtype", "aggtype", "wintype", "array_typeid"):
        if node[name]:
            return str(node[name])
    return "25"


class Reader:
    """A connection that has its statements read and never executed."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True, prepare_threshold=None)
        self.trees: list[str] = []
        self.connection.add_notice_handler(self.listen)
        self.connection.execute("set client_min_messages = log; set debug_pretty_print = off; set lock_timeout = '1s'")
        self.catalogue = Catalogue(self.connection)

    def listen(self, notice: psycopg.errors.Diagnostic) -> None:
        if (notice.message_primary or "").startswith("parse tree"):
            self.trees.append(notice.message_detail or "")

    def read(self, statement: bytes, types: list[int] | None = None) -> Node:
        """The tree of a statement with parameters $1, $2 …; a type of 0 is for Postgres to find out."""
        link = self.connection.pgconn
        link.exec_(b"set debug_print_parse = on")
        self.trees.clear()
        result = link.prepare(b"", statement, types)
        link.exec_(b"set debug_print_parse = off")
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise NotUnderstood(f"{result.error_message.decode()}\n{statement.decode()}")
        return parsed(self.trees[0])
