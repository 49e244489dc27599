"""What happened, for whoever subscribes; and how far each subscriber has read.

The partitions stand in a schema of their own, which no role of ours may look into: rows are reached through the table
with the policies. The platform's role may empty them, and does so in turn.
"""

import sqlalchemy as sa
from alembic import op
from row_security import protect

revision = "0025"
down_revision = "0024"

SLOTS, WEEK = 7, 604800


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(f"""
        create table happenings (
            tenant_id uuid not null,
            id uuid not null,
            kind text not null,
            subject_id uuid not null,
            actor jsonb,
            facts jsonb not null,
            at timestamptz not null,
            xact bigint not null default (pg_current_xact_id()::text::bigint),
            slot smallint not null default (extract(epoch from now())::bigint / {WEEK} % {SLOTS}),
            constraint pk_happenings primary key (tenant_id, xact, id, slot)
        ) partition by list (slot)
    """)
    op.execute("create index ix_happenings_at on happenings using brin (at)")
    op.execute("create schema happening_slots")
    for slot in range(SLOTS):
        table = f"happening_slots.slot_{slot}"
        op.execute(f"create table {table} partition of happenings for values in ({slot})")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"grant truncate on {table} to switchboard_platform")
    op.execute("grant usage on schema happening_slots to switchboard_platform")
    protect("happenings", verbs="select, insert")
    op.execute("revoke update on happenings from switchboard_platform")
    op.create_table(
        "happening_cursors",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=True),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("after_id", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("passed_over", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_happening_cursors_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_happening_cursors")),
        sa.UniqueConstraint("tenant_id", "subscriber", name=op.f("uq_happening_cursors_tenant_id_subscriber")),
    )
    protect("happening_cursors")


def downgrade() -> None:
    op.drop_table("happening_cursors")
    op.drop_table("happenings")
    op.execute("drop schema happening_slots")
