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

ID = re.compile(r'(?<=")[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?=")')
TIME = re.compile(r'(?<=")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*\+00:00(?=")')


class Worlds:
    """`another()` is the world of one test."""

    def __init__(self, emptying: Emptying) -> None:
        self.emptying, self.connection = emptying, emptying.connection
        # On a cluster each row is written where its tenant is, as the product does it.
        if not emptying.is_cluster:
            emptying.run()
            self.first = World.create()
            self.rows = self.read()
            self.connection.execute(FILL.format(sql.SQL(" ").join(map(filled, self.rows))))
            self.text = json.dumps(self.rows)
            self.ids = sorted({*ID.findall(self.text)})
            self.times = sorted({*TIME.findall(self.text)})

    def read(self) -> dict[str, list[dict[str, Any]]]:
        """Every row there is, by its table."""
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
        text = TIME.sub(lambda match: new[match[0]].isoformat(), ID.sub(lambda match: str(new[match[0]]), self.text))
        self.connection.execute("select pg_temp.fill(%s)", (text,))
        return World(**{field.name: copy(getattr(self.first, field.name), new) for field in fields(World)})

    def new_values(self) -> dict[str, Any]:
        """An id of its kind for each id, and a moment of just now for each time; in the order that they were in."""
        moment = now()
        count = len(self.times)
        times = {time: moment - dt.timedelta(microseconds=count - n) for n, time in enumerate(self.times)}
        return times | {id: uuid7() if uuid.UUID(id).version == 7 else uuid.uuid4() for id in self.ids}


def copy(row: Any, new: dict[str, Any]) -> Any:
    """A model's object, as one that was committed and let go."""
    values = {name: value for name, value in vars(row).items() if name in row.__mapper__.columns}
    ids = {name: new[str(value)] for name, value in values.items() if isinstance(value, uuid.UUID)}
    times = {name: new[value.isoformat()] for name, value in values.items() if isinstance(value, dt.datetime)}
    made = type(row)(**values | ids | times)
    make_transient_to_detached(made)
    return made


def filled(table: str) -> sql.Composed:
    rows = sql.SQL("jsonb_populate_recordset(null::{}, given -> {})").format(sql.Identifier(table), table)
    return sql.SQL("insert into {} overriding system value select * from {};").format(sql.Identifier(table), rows)


FILL = sql.SQL("create function pg_temp.fill(given jsonb) returns void language plpgsql as $$ begin {} end $$")
