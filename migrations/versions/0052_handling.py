"""Who has a conversation: a person, the assistant, an automation, or none of them; and automations. May run again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.indexes import add_index, remove_index
from migrations.row_security import protect, share

revision = "0052"
down_revision = "0051"

IS_ON = "is_on and removed_at is null"
# In the order in which they are dropped.
MADE = (
    "automation_traces",
    "automation_steps",
    "automation_runs",
    "automation_versions",
    "automation_routes",
    "automations",
    "automation_settings",
)
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
NEW_MOVES = "'stretch', 'run', 'trace'"
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
    if not sa.inspect(op.get_bind()).has_table("automations"):
        add_automations()
    allow("conversations", "handled_by", "'person', 'assistant', 'automation'")
    allow("activities", "kind", f"{ACTIVITIES}, {NEW_ACTIVITIES}")
    allow("merge_moves", "kind", f"{MOVES}, {NEW_MOVES}")
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


def table(name: str, *columns: sa.schema.SchemaItem) -> None:
    """A tenant's table with its primary key and row security."""
    ids = [sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]
    op.create_table(name, *ids, *columns, sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{name}")))
    protect(name)


def of_tenant(table: str) -> sa.Constraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"), ondelete="CASCADE"
    )


def of_row(table: str, column: str, to: str) -> sa.Constraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{to}.tenant_id", f"{to}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )


def one_of(table: str, column: str, values: str) -> sa.Constraint:
    return sa.CheckConstraint(f"{column} in ({values})", name=op.f(f"ck_{table}_{column}"))


def unique(table: str, *columns: str) -> sa.Constraint:
    return sa.UniqueConstraint("tenant_id", *columns, name=op.f("_".join(["uq", table, "tenant_id", *columns])))


def needed(name: str, type: sa.types.TypeEngine, default: object = None) -> sa.Column:
    return sa.Column(name, type, server_default=default, nullable=False)


def add_automations() -> None:
    text, count, flag, id = sa.Text(), sa.BigInteger(), sa.Boolean(), sa.Uuid()
    table(
        "automation_settings",
        needed("hourly_limit", count, "20"),
        sa.Column("secret_ciphertext", sa.LargeBinary(), nullable=True),
        of_tenant("automation_settings"),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_automation_settings_tenant_id")),
    )
    table(
        "automations",
        needed("name", text),
        needed("is_on", flag, sa.false()),
        needed("position", count),
        needed("stops", flag, sa.true()),
        needed("runs_beside_people", flag, sa.false()),
        needed("repeats", text, "always"),
        needed("repeat_days", count, "1"),
        needed("draft", JSONB()),
        needed("version_number", count),
        sa.Column("version_id", id, nullable=True),
        needed("trigger_kind", text, ""),
        sa.Column("on_since", MOMENT, nullable=True),
        needed("created_at", MOMENT),
        needed("changed_at", MOMENT),
        sa.Column("removed_at", MOMENT, nullable=True),
        one_of("automations", "repeats", "'always', 'once', 'days'"),
        of_tenant("automations"),
    )
    op.create_index("ix_automations_on", "automations", ["tenant_id", "trigger_kind"], postgresql_where=sa.text(IS_ON))
    op.create_table(
        "automation_routes",
        sa.Column("secret_hash", text, nullable=False),
        sa.Column("tenant_id", id, nullable=False),
        sa.Column("automation_id", id, nullable=False),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_automation_routes")),
        of_tenant("automation_routes"),
    )
    op.create_index("ix_automation_routes_automation_id", "automation_routes", ["automation_id"])
    share("automation_routes", "select, insert, update")
    table(
        "automation_versions",
        needed("automation_id", id),
        needed("number", count),
        needed("content", JSONB()),
        sa.Column("by_kind", text, nullable=True),
        sa.Column("by_id", id, nullable=True),
        sa.Column("by_name", text, nullable=True),
        needed("created_at", MOMENT),
        one_of("automation_versions", "by_kind", ACTORS),
        unique("automation_versions", "automation_id", "number"),
        of_row("automation_versions", "automation_id", "automations"),
    )
    table(
        "automation_runs",
        needed("automation_id", id),
        needed("version_id", id),
        needed("contact_id", id),
        needed("conversation_id", id),
        needed("key", text),
        sa.Column("message_id", id, nullable=True),
        needed("state", text),
        sa.Column("step_id", id, nullable=True),
        sa.Column("waits_for", text, nullable=True),
        sa.Column("next_at", MOMENT, nullable=True),
        needed("attempts", count),
        needed("values", JSONB()),
        sa.Column("reply_id", id, nullable=True),
        needed("reason", text),
        needed("depth", count),
        needed("started_at", MOMENT),
        sa.Column("ended_at", MOMENT, nullable=True),
        one_of("automation_runs", "state", "'running', 'waiting', 'done', 'stopped', 'failed'"),
        one_of("automation_runs", "waits_for", "'time', 'reply', 'call'"),
        unique("automation_runs", "automation_id", "key"),
        of_row("automation_runs", "automation_id", "automations"),
        of_row("automation_runs", "version_id", "automation_versions"),
        of_row("automation_runs", "conversation_id", "conversations"),
    )
    active = sa.text("state in ('running', 'waiting')")
    op.create_index("ix_automation_runs_due", "automation_runs", ["next_at"], postgresql_where=active)
    op.create_index("ix_automation_runs_conversation", "automation_runs", ["tenant_id", "conversation_id", "id"])
    op.create_index("ix_automation_runs_automation", "automation_runs", ["tenant_id", "automation_id", "id"])
    waiting = ["tenant_id", "conversation_id"]
    op.create_index("ix_automation_runs_waiting", "automation_runs", waiting, postgresql_where=active)
    table(
        "automation_steps",
        needed("run_id", id),
        needed("position", count),
        needed("step_id", id),
        needed("kind", text),
        needed("result", text),
        needed("seen", JSONB()),
        needed("words", text),
        needed("at", MOMENT),
        unique("automation_steps", "run_id", "position"),
        of_row("automation_steps", "run_id", "automation_runs"),
    )
    table(
        "automation_traces",
        needed("conversation_id", id),
        sa.Column("message_id", id, nullable=True),
        needed("key", text),
        needed("kind", text),
        needed("decisions", JSONB()),
        needed("at", MOMENT),
        unique("automation_traces", "key"),
        of_row("automation_traces", "conversation_id", "conversations"),
    )
    op.create_index("ix_automation_traces_conversation", "automation_traces", ["tenant_id", "conversation_id", "id"])
    op.create_index("ix_automation_traces_at", "automation_traces", ["at"], postgresql_using="brin")


def allow(table: str, column: str, values: str) -> None:
    op.execute(f"alter table {table} drop constraint if exists ck_{table}_{column}")
    op.execute(f"alter table {table} add constraint ck_{table}_{column} check ({column} in ({values})) not valid")


def downgrade() -> None:
    remove_index("ix_conversations_handled")
    op.execute("set local lock_timeout = '5s'")
    for name in MADE:
        op.drop_table(name)
    # Under the policies the owner sees nothing.
    op.execute("set role switchboard_platform")
    op.execute(f"delete from activities where kind in ({NEW_ACTIVITIES})")
    op.execute(f"delete from merge_moves where kind in ({NEW_MOVES})")
    op.execute("reset role")
    allow("activities", "kind", ACTIVITIES)
    allow("merge_moves", "kind", MOVES)
    op.drop_table("handling_stretches")
    op.drop_column("inbox_settings", "silence_hours")
    op.drop_column("number_desks", "automation_paused_at")
    for name in COLUMNS:
        op.drop_column("conversations", name)
