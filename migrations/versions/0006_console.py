"""The console: held changes that can be replayed and discarded, messages in trouble, who opened a tenant's messages."""

import sqlalchemy as sa
from alembic import op
from row_security import protect, share
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

IN_TROUBLE = sa.text("state in ('failed', 'unknown', 'expired')")
STILL_HELD = sa.text("released_at is null and discarded_at is null")


def upgrade() -> None:
    index_messages()
    create_tables()
    op.add_column("webhook_events", sa.Column("drains", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("held_changes", sa.Column("position", sa.BigInteger(), nullable=True))
    op.add_column("held_changes", sa.Column("tries", sa.BigInteger(), server_default="1", nullable=False))
    op.add_column("held_changes", sa.Column("replay_id", sa.Uuid(), nullable=True))
    op.add_column("held_changes", sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("held_changes", sa.Column("discarded_by", sa.Text(), server_default="", nullable=False))
    op.add_column("held_changes", sa.Column("discard_reason", sa.Text(), server_default="", nullable=False))
    op.create_unique_constraint(
        op.f("uq_held_changes_webhook_event_id_position"), "held_changes", ["webhook_event_id", "position"]
    )
    op.create_foreign_key(
        op.f("fk_held_changes_replay_id"), "held_changes", "replays", ["replay_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index("ix_held_changes_reason", "held_changes", ["kind", "reason", "id"], postgresql_where=STILL_HELD)
    op.create_index(
        "ix_held_changes_replay", "held_changes", ["replay_id"], postgresql_where=sa.text("replay_id is not null")
    )


def index_messages() -> None:
    """While messages come and go: no lock that stops them, and after a failure again from the beginning."""
    with op.get_context().autocommit_block():
        op.execute("set lock_timeout = 0")
        for name, columns in (("ix_messages_trouble", ["tenant_id", "id"]), ("ix_messages_troubles", ["id"])):
            op.execute(f"drop index if exists {name}")
            op.create_index(name, "messages", columns, postgresql_where=IN_TROUBLE, postgresql_concurrently=True)
        op.execute("set lock_timeout = '2s'")


def create_tables() -> None:
    op.create_table(
        "replays",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("criteria", postgresql.JSONB(), nullable=False),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        sa.Column("webhook_event_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('collecting', 'draining', 'done')", name=op.f("ck_replays_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replays")),
    )
    op.create_index("ix_replays_unfinished", "replays", ["id"], postgresql_where=sa.text("state <> 'done'"))
    share("replays", app="")
    op.create_table(
        "looks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform_admin_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('message', 'post')", name=op.f("ck_looks_kind")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_looks_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_looks")),
    )
    # A tenant reads who looked and can change nothing about it.
    protect("looks", verbs="select")


def downgrade() -> None:
    op.drop_table("looks")
    op.drop_index("ix_held_changes_replay", table_name="held_changes")
    op.drop_index("ix_held_changes_reason", table_name="held_changes")
    op.drop_constraint(op.f("fk_held_changes_replay_id"), "held_changes")
    op.drop_constraint(op.f("uq_held_changes_webhook_event_id_position"), "held_changes")
    for column in ("discard_reason", "discarded_by", "discarded_at", "replay_id", "tries", "position"):
        op.drop_column("held_changes", column)
    op.drop_column("webhook_events", "drains")
    op.drop_table("replays")
    op.drop_index("ix_messages_troubles", table_name="messages")
    op.drop_index("ix_messages_trouble", table_name="messages")
