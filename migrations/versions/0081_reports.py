"""Reports: facts about conversations, counts of messages, what has to be counted again, and who gets them by email."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

from migrations.row_security import protect

revision = "0081"
down_revision = "0080"

MOMENT = sa.DateTime(timezone=True)
MADE = (
    "report_facts",
    "report_message_counts",
    "report_stale_conversations",
    "report_stale_quarters",
    "report_progress",
    "report_subscriptions",
)
ACTORS = "'agent', 'automation', 'assistant', 'campaign', 'sequence', 'api', 'phone', 'system'"
KINDS = (
    "'opened', 'reopened', 'resolved', 'answer', 'first_response', 'next_response', 'promise', 'survey', 'responsible'"
)
COUNTS = ("messages", "accepted", "sent", "delivered", "read", "replied", "failed", "unsettled")
HELD = ("phone_number_id", "team_id", "actor_kind", "actor_id", "seconds", "open_seconds", "is_met", "score")


def ids() -> list[sa.Column]:
    return [sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def key(table: str) -> sa.Constraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def of_tenant(table: str) -> sa.Constraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"), ondelete="CASCADE"
    )


def to(table: str, other: str, column: str) -> sa.Constraint:
    name = op.f(f"fk_{table}_tenant_id_{column}")
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{other}.tenant_id", f"{other}.id"], name=name, ondelete="CASCADE"
    )


def once(table: str, *columns: str) -> sa.Constraint:
    names = ("tenant_id", *columns)
    return sa.UniqueConstraint(*names, name=op.f(f"uq_{table}_{'_'.join(names)}"))


def columns(kind: object, names: Iterable[str], *, nullable: bool = False) -> list[sa.Column]:
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def upgrade() -> None:
    """The index on messages comes first, and may be made again; the rest is one transaction."""
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists ix_messages_occurred")
        op.execute("create index concurrently ix_messages_occurred on messages (tenant_id, occurred_at)")
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "report_facts",
        *ids(),
        *columns(sa.Uuid(), ["conversation_id"]),
        *columns(sa.Text(), ["kind"]),
        *columns(MOMENT, ["at", "began_at"]),
        *columns(sa.Uuid(), ["message_id"], nullable=True),
        *columns(sa.Uuid(), ["phone_number_id"]),
        *columns(sa.Uuid(), ["team_id"], nullable=True),
        *columns(sa.Text(), ["actor_kind"], nullable=True),
        *columns(sa.Uuid(), ["actor_id"], nullable=True),
        *columns(sa.BigInteger(), ["seconds", "open_seconds"], nullable=True),
        *columns(sa.Boolean(), ["is_met"], nullable=True),
        *columns(sa.Text(), ["score"], nullable=True),
        sa.CheckConstraint(f"kind in ({KINDS})", name=op.f("ck_report_facts_kind")),
        sa.CheckConstraint(f"actor_kind in ({ACTORS})", name=op.f("ck_report_facts_actor_kind")),
        sa.CheckConstraint("score in ('bad', 'fair', 'good')", name=op.f("ck_report_facts_score")),
        key("report_facts"),
        to("report_facts", "conversations", "conversation_id"),
    )
    op.create_index(
        "ix_report_facts_kind",
        "report_facts",
        ["tenant_id", "kind", "at", "id"],
        postgresql_include=[*HELD, "conversation_id"],
    )
    op.create_index("ix_report_facts_conversation", "report_facts", ["tenant_id", "conversation_id", "began_at"])
    op.create_table(
        "report_message_counts",
        *ids(),
        *columns(MOMENT, ["quarter"]),
        *columns(sa.Uuid(), ["phone_number_id"]),
        *columns(sa.Text(), ["sender"]),
        *columns(sa.Uuid(), ["author_id", "template_id"], nullable=True),
        *columns(sa.BigInteger(), COUNTS),
        sa.CheckConstraint(f"sender in ('customer', {ACTORS})", name=op.f("ck_report_message_counts_sender")),
        key("report_message_counts"),
        of_tenant("report_message_counts"),
    )
    op.create_index("ix_report_message_counts_quarter", "report_message_counts", ["tenant_id", "quarter"])
    op.create_table(
        "report_stale_conversations",
        *ids(),
        *columns(sa.Uuid(), ["conversation_id"]),
        *columns(MOMENT, ["since"]),
        once("report_stale_conversations", "conversation_id"),
        key("report_stale_conversations"),
        to("report_stale_conversations", "conversations", "conversation_id"),
    )
    op.create_table(
        "report_stale_quarters",
        *ids(),
        *columns(MOMENT, ["quarter"]),
        once("report_stale_quarters", "quarter"),
        key("report_stale_quarters"),
        of_tenant("report_stale_quarters"),
    )
    op.create_table(
        "report_progress",
        *ids(),
        *columns(MOMENT, ["counted_at", "back_to_quarter"], nullable=True),
        *columns(sa.Uuid(), ["after_conversation_id"], nullable=True),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_report_progress_tenant_id")),
        key("report_progress"),
        of_tenant("report_progress"),
    )
    op.create_table(
        "report_subscriptions",
        *ids(),
        *columns(sa.Uuid(), ["membership_id"]),
        *columns(sa.Text(), ["time_zone", "language"]),
        *columns(MOMENT, ["next_at"]),
        once("report_subscriptions", "membership_id"),
        key("report_subscriptions"),
        to("report_subscriptions", "memberships", "membership_id"),
    )
    op.create_index("ix_report_subscriptions_next", "report_subscriptions", ["next_at"])
    for table in MADE:
        protect(table)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in reversed(MADE):
        op.drop_table(table)
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists ix_messages_occurred")
