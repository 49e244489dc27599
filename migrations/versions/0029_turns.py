"""Whose turn a webhook is: the number it is for, so that no business waits behind the backlog of another."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("webhook_events", sa.Column("address", sa.Text(), server_default="", nullable=False))
    replace_index("ix_webhook_events_waiting", "ix_webhook_events_turns", "address, id")


def downgrade() -> None:
    replace_index("ix_webhook_events_turns", "ix_webhook_events_waiting", "id")
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("webhook_events", "address")


def replace_index(old: str, new: str, columns: str) -> None:
    with op.get_context().autocommit_block():
        op.execute(f"drop index concurrently if exists {new}")
        op.execute(f"create index concurrently {new} on webhook_events ({columns}) where drained_at is null")
        op.execute(f"drop index concurrently if exists {old}")
