import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parent / "schema"
Row = sqlite3.Row


class Store:
    """SQLite with one writer at a time. Calls inside `transaction()` on the same thread join it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.Lock()
        self._thread = threading.local()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._migrate()

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        with self._connection() as db:
            return db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> Row | None:
        """The first row, or None."""
        return next(iter(self.rows(sql, *values)), None)

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        result = self.row(sql, *values)
        return result[0] if result else None

    def text(self, sql: str, *values: Any) -> str | None:
        """Like `value`, for text columns."""
        result: str | None = self.value(sql, *values)
        return result

    def write(self, sql: str, *values: Any) -> int:
        """Executes a statement in a transaction and returns the last row id."""
        with self.transaction() as db:
            return db.execute(sql, values).lastrowid or 0

    def insert(self, table: str, *, replace: bool = False, **columns: Any) -> int:
        """Inserts a row and returns its id."""
        names = ", ".join(f'"{name}"' for name in columns)
        verb, marks = "insert or replace" if replace else "insert", ", ".join("?" * len(columns))
        return self.write(f"{verb} into {table} ({names}) values ({marks})", *columns.values())

    def insert_row(self, table: str, **columns: Any) -> Row:
        """Inserts a row and returns it with its defaults."""
        names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
        sql = f"insert into {table} ({names}) values ({marks}) returning *"  # noqa: S608 - tables and columns are this program's
        with self.transaction() as db:
            row: Row = db.execute(sql, tuple(columns.values())).fetchall()[0]
        return row

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Opens a write transaction, or joins the thread's open one."""
        if joined := getattr(self._thread, "db", None):
            yield joined
            return
        self._thread.callbacks = []
        with self._writing, self._borrow() as db, self._begin(db):
            yield db
        for callback in self._thread.callbacks:
            callback()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Calls back after the commit, or at once outside a transaction."""
        if getattr(self._thread, "db", None):
            self._thread.callbacks.append(callback)
        else:
            callback()

    def reset(self) -> None:
        """Drops every table and creates the schema again."""
        with self._writing, self._borrow() as db:
            sql = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
            drops = [f'drop table "{name}";' for (name,) in db.execute(sql).fetchall()]
            db.executescript(f"begin immediate; {''.join(drops)} {schema_after(0)} commit;")

    def close(self) -> None:
        """Closes all idle connections."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _begin(self, db: sqlite3.Connection) -> Iterator[None]:
        db.execute("begin immediate")
        self._thread.db = db
        try:
            yield
            db.execute("commit")
        except BaseException:
            db.execute("rollback")
            raise
        finally:
            self._thread.db = None

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if joined := getattr(self._thread, "db", None):
            yield joined
        else:
            with self._borrow() as db:
                yield db

    @contextmanager
    def _borrow(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._idle.pop()
        except IndexError:
            db = self._open()
        try:
            yield db
        finally:
            db.close() if self._closed else self._idle.append(db)

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=10)
        db.row_factory = sqlite3.Row
        # What is committed outlives a killed process. A power cut may take the last moments of a simulation.
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = normal")
        return db

    def _migrate(self) -> None:
        with self._borrow() as db:
            done = db.execute("pragma user_version").fetchone()[0]
            db.executescript(f"begin immediate; {schema_after(done)} commit;")


def schema_after(done: int) -> str:
    """The SQL scripts that are not applied yet."""
    scripts = sorted(SCHEMA.glob("*.sql"))
    return "".join(script.read_text() for script in scripts[done:]) + f"pragma user_version = {len(scripts)};"
