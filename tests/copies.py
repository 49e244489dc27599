"""Worlds as copies: what the product wrote for one of them, with ids and times of their own.

Most tests begin with a world. To make it through the product takes 20 ms, a copy takes 2.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from dataclasses import fields
from typing import Any

from psycopg import sql
from sqlalchemy.orm import make_transient_to_detached

from app.tenancy import now, uuid7
from tests.databases import Emptying
from tests.world import World

# What differs from copy to copy in rows written as JSON: ids, and times of UTC.
OWN = re.compile(r"(?<=\")([0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[\d:.]+\+00:00)(?=\")")
Own = uuid.UUID | dt.datetime


class Worlds:
    """`another()` is the world of one test."""

    def __init__(self, emptying: Emptying) -> None:
        self.emptying, self.connection = emptying, emptying.connection
        # On a cluster each row is written where its tenant is, as the product does it.
        if not emptying.is_cluster:
            emptying.run()
            self.first = World.create()
            rows = self.read()
            self.connection.execute(FILL.format(sql.SQL(" ").join(map(filled, rows))))
            # Every second part is an id or a time.
            parts = OWN.split(json.dumps(rows))
            self.parts: list[str | Own] = [value if n % 2 == 0 else read(value) for n, value in enumerate(parts)]
            self.ids = sorted({part for part in self.parts if isinstance(part, uuid.UUID)})
            self.times = sorted({part for part in self.parts if isinstance(part, dt.datetime)})

    def read(self) -> dict[str, list[dict[str, Any]]]:
        """Every row there is, by its table."""
        self.connection.execute("set timezone = 'UTC'")
        results = {}
        for table in self.emptying.tables():
            query = sql.SQL("select coalesce(jsonb_agg(to_jsonb(t)), '[]') from {} t").format(sql.Identifier(table))
            row = self.connection.execute(query).fetchone()
            results[table] = row[0] if row else []
        return {table: rows for table, rows in results.items() if rows}

    def another(self) -> World:
        if self.emptying.is_cluster:
            return World.create()
        new = self.new_values()
        text = "".join(part if isinstance(part, str) else written(new[part]) for part in self.parts)
        self.connection.execute("select pg_temp.fill(%s)", (text,))
        return World(**{field.name: copy(getattr(self.first, field.name), new) for field in fields(World)})

    def new_values(self) -> dict[Own, Own]:
        """An id of its kind for each id, and a moment of just now for each time; in the order that they were in."""
        ids: dict[Own, Own] = {id: uuid7() if id.version == 7 else uuid.uuid4() for id in self.ids}
        moment, count = now(), len(self.times)
        return ids | {time: moment - dt.timedelta(microseconds=count - n) for n, time in enumerate(self.times)}


def read(value: str) -> Own:
    return dt.datetime.fromisoformat(value) if "T" in value else uuid.UUID(value)


def written(value: Own) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)


def copy(row: Any, new: dict[Own, Own]) -> Any:
    """A model's object, as one that was committed and let go."""
    values = {name: value for name, value in vars(row).items() if name in row.__mapper__.columns}
    own = {name: new[value] for name, value in values.items() if isinstance(value, Own)}
    made = type(row)(**values | own)
    make_transient_to_detached(made)
    return made


def filled(table: str) -> sql.Composed:
    rows = sql.SQL("jsonb_populate_recordset(null::{}, given -> {})").format(sql.Identifier(table), table)
    return sql.SQL("insert into {} overriding system value select * from {};").format(sql.Identifier(table), rows)


FILL = sql.SQL("create function pg_temp.fill(given jsonb) returns void language plpgsql as $$ begin {} end $$")
