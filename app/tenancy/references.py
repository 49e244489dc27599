"""Nulled keys: a column that refers to a deleted row is set to null.

Postgres would do it with ON DELETE SET NULL, which a cluster refuses for a key that contains the tenant. So the key is
declared `nulled` (`belongs_to`), takes no action itself, and the session writes the nulls (`transactions.py`).
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, ForeignKeyConstraint, Table, and_, select, update


def clear_references(connection: Connection, tenant_id: uuid.UUID, table: Table, which: ColumnElement[bool]) -> None:
    """Nulls what refers to these rows of a tenant, and to those that are deleted with them."""
    rows = and_(table.c.tenant_id == tenant_id, which)
    keys = list(keys_to_clear(table))
    if any(is_nulled(key) for key in keys):
        # Locked until they are deleted, so that no new row can refer to them.
        connection.execute(select(table.c.id).where(rows).with_for_update())
    for key in keys:
        (element,) = (element for element in key.elements if element.parent.name != "tenant_id")
        child, column = key.table, element.parent
        referring = column.in_(select(element.column).where(rows))
        if is_nulled(key):
            cleared = update(child).where(child.c.tenant_id == tenant_id, referring).values({column.name: None})
            connection.execute(cleared)
        else:
            clear_references(connection, tenant_id, child, referring)


@functools.cache
def keys_to_clear(table: Table, seen: tuple[Table, ...] = ()) -> tuple[ForeignKeyConstraint, ...]:
    """The nulled keys to a table, and those by which rows are deleted to which in turn such keys lead."""
    return tuple(key for key in keys_to(table) if is_nulled(key) or leads_on(key, (*seen, table)))


def leads_on(key: ForeignKeyConstraint, seen: tuple[Table, ...]) -> bool:
    return key.ondelete == "CASCADE" and key.table not in seen and bool(keys_to_clear(key.table, seen))


def keys_to(table: Table) -> Iterator[ForeignKeyConstraint]:
    for other in table.metadata.sorted_tables:
        for key in sorted(other.foreign_key_constraints, key=lambda key: str(key.name)):
            if key.referred_table is table and "tenant_id" in key.column_keys and len(key.elements) > 1:
                yield key


def is_nulled(key: ForeignKeyConstraint) -> bool:
    return bool(key.info.get("nulled"))
