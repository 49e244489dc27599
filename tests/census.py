"""Every statement that `app/` executes during the tests, whoever wrote it: by hand, or the ORM.

Each is read as a cluster would read it (`cluster_rules`), the first time it is executed; and a transaction of the
platform's that has written as a tenant must not read tenants' rows as the platform again.
"""

from __future__ import annotations

import pathlib
import sys
import threading
from typing import Any

from psycopg._queries import PostgresQuery  # what psycopg itself sends: $1, $2 …, and the parameters' types
from psycopg.adapt import Transformer
from sqlalchemy import Connection, Engine, event

from app.tenancy.cluster import kinds_of_tables
from tests.cluster_rules import Statement, refusals
from tests.query_trees import NotUnderstood, Reader
from tests.statements import QUERY

ROOT = pathlib.Path(__file__).parents[1]
ROLES = ("switchboard_app", "switchboard_platform")
OURS, TESTS = str(ROOT / "app"), str(ROOT / "tests")
BACK = (
    "'cannot perform query on placements that were modified in this transaction by a different user': read first, then"
    " one tenant per transaction"
)


class Census:
    def __init__(self, superuser_url: str) -> None:
        self.reader, self.tables = Reader(superuser_url), kinds_of_tables()
        self.existing: dict[str, Statement] = {}
        self.lock = threading.Lock()
        self.problems: list[str] = []
        event.listen(Engine, "before_cursor_execute", self.note)
        event.listen(Engine, "begin", self.forget)

    def stop(self) -> None:
        event.remove(Engine, "before_cursor_execute", self.note)
        event.remove(Engine, "begin", self.forget)
        self.reader.connection.close()

    def take(self) -> list[str]:
        problems, self.problems = self.problems, []
        return problems

    def note(
        self, connection: Connection, cursor: Any, statement: str, parameters: Any, context: object, many: bool
    ) -> None:
        if connection.engine.url.username not in ROLES:
            return
        if statement.startswith("set local role"):
            connection.info["is_tenant"] = statement.endswith("switchboard_app")
        elif QUERY.match(statement):
            read = self.read(cursor, statement, parameters[0] if isinstance(parameters, list) else parameters)
            if read and read.places:
                self.refuse_return(connection, read)

    def read(self, cursor: Any, statement: str, parameters: Any) -> Statement | None:
        if statement not in self.existing:
            if not is_ours():
                return None
            query = PostgresQuery(Transformer(cursor))
            query.convert(statement, parameters)
            # Tests of races work in several threads, and the reader has one connection.
            with self.lock:
                try:
                    tree = self.reader.read(query.query, list(query.types))
                except NotUnderstood:
                    # Wrong in itself, as the app is about to learn; or a table is locked meanwhile.
                    return None
                self.existing[statement] = read = Statement(tree, self.reader.catalogue, self.tables)
                self.problems += [f"{problem}\n{statement}" for problem in refusals(read)]
        return self.existing[statement]

    def refuse_return(self, connection: Connection, statement: Statement) -> None:
        if connection.info.get("is_tenant"):
            connection.info["has_written"] = connection.info.get("has_written") or any(statement.changes())
        elif connection.info.get("has_written"):
            self.problems.append(f"{BACK}\n{sorted(statement.of_kind('distributed'))}")

    def forget(self, connection: Connection) -> None:
        connection.info.pop("is_tenant", None)
        connection.info.pop("has_written", None)


def is_ours() -> bool:
    """Whether the app executes it, and not a test."""
    frame = sys._getframe(2)
    while frame.f_back:
        name = frame.f_code.co_filename
        if name.startswith(OURS):
            return True
        if name.startswith(TESTS) and name != __file__:
            return False
        frame = frame.f_back
    return False
