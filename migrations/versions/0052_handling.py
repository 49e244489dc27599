"""Who has a conversation: a person, the assistant, an automation, or nobody. May run again."""

import sqlalchemy as sa
from alembic import op

from migrations.indexes import add_index, remove_index
from migrations.row_security import protect

revision = "0052"
down_revision = "0051"

MOMENT = sa.DateTime(timezone=True)
ACTORS = "'agent', 'automation', 'assistant', 'campaign', 'sequence', 'api', 'phone', 'system'"
ACTIVITIES = (
    "'open', 'pending', 'snoozed', 'resolved', 'archived', 'spam', 'blocked', 'woken', 'answered', 'assigned', "
    "'unassigned', 'given', 'team', 'no_team', 'unhappy'"
)
NEW_ACTIVITIES = "'taken', 'handed_over', 'released', 'automation_paused', 'automation_resumed', 'automation_stopped'"
MOVES = (
    "'message', 'conversation', 'identity', 'tag', 'value', 'note', 'link', 'consent', 'team_note', 'activity', "
    "'mention'"
)
COLUMNS = {
    "handled_by": sa.Text(),
    "handler_kind": sa.Text(),
    "handler_id": sa.Uuid(),
    "handler_name": sa.Text(),
    "handled_since": MOMENT,
    "handled_until": MOMENT,
    "automation_paused_at": MOMENT,
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name, type in COLUMNS.items():
        op.add_column("conversations", sa.Column(name, type, nullable=True), if_not_exists=True)
    op.add_column("number_desks", sa.Column("automation_paused_at", MOMENT, nullable=True), if_not_exists=True)
    hours = sa.Column("silence_hours", sa.BigInteger(), server_default="12", nullable=False)
    op.add_column("inbox_settings", hours, if_not_exists=True)
    if not sa.inspect(op.get_bind()).has_table("handling_stretches"):
        add_stretches()
    allow("conversations", "handled_by", "'person', 'assistant', 'automation'")
    allow("activities", "kind", f"{ACTIVITIES}, {NEW_ACTIVITIES}")
    allow("merge_moves", "kind", f"{MOVES}, 'stretch'")
    # Validated without holding up whoever writes: each in a transaction of its own.
    with op.get_context().autocommit_block():
        op.execute("set lock_timeout = 0")
        for table, column in (("conversations", "handled_by"), ("activities", "kind"), ("merge_moves", "kind")):
            op.execute(f"alter table {table} validate constraint ck_{table}_{column}")
        op.execute("set lock_timeout = '2s'")
    add_index("ix_conversations_handled", "conversations", "handled_until", "handled_until is not null")


def add_stretches() -> None:
    op.create_table(
        "handling_stretches",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("by_kind", sa.Text(), nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.CheckConstraint(f"by_kind in ({ACTORS})", name=op.f("ck_handling_stretches_by_kind")),
        sa.CheckConstraint("ending in ('resolved', 'released', 'expired')", name=op.f("ck_handling_stretches_ending")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_handling_stretches")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_handling_stretches_tenant_id_conversation_id"),
            ondelete="CASCADE",
        ),
    )
    columns = ["tenant_id", "conversation_id", "started_at"]
    op.create_index("ix_handling_stretches_conversation", "handling_stretches", columns)
    protect("handling_stretches")


def allow(table: str, column: str, values: str) -> None:
    op.execute(f"alter table {table} drop constraint if exists ck_{table}_{column}")
    op.execute(f"alter table {table} add constraint ck_{table}_{column} check ({column} in ({values})) not valid")


def downgrade() -> None:
    remove_index("ix_conversations_handled")
    op.execute("set local lock_timeout = '5s'")
    # Under the policies the owner sees nothing.
    op.execute("set role switchboard_platform")
    op.execute(f"delete from activities where kind in ({NEW_ACTIVITIES})")
    op.execute("delete from merge_moves where kind = 'stretch'")
    op.execute("reset role")
    allow("activities", "kind", ACTIVITIES)
    allow("merge_moves", "kind", MOVES)
    op.drop_table("handling_stretches")
    op.drop_column("inbox_settings", "silence_hours")
    op.drop_column("number_desks", "automation_paused_at")
    for name in COLUMNS:
        op.drop_column("conversations", name)
