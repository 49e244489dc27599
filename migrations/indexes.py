"""Indexes on tables in use: made without holding up whoever writes. What an aborted try left is made anew."""

from alembic import op


def add_index(name: str, table: str, columns: str, where: str = "") -> None:
    condition = f" where {where}" if where else ""
    with op.get_context().autocommit_block():
        # It waits for running transactions, and holds up nobody meanwhile.
        op.execute("set lock_timeout = 0")
        op.execute(f"drop index concurrently if exists {name}")
        op.execute(f"create index concurrently {name} on {table} ({columns}){condition}")
        op.execute("set lock_timeout = '2s'")


def remove_index(name: str) -> None:
    with op.get_context().autocommit_block():
        op.execute("set lock_timeout = 0")
        op.execute(f"drop index concurrently if exists {name}")
        op.execute("set lock_timeout = '2s'")
