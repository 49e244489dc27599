"""Notifications: browsers to notify, what each member wants to be notified about, and what waits to be sent."""

import sqlalchemy as sa
from alembic import op
from indexes import add_index
from row_security import protect
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"

TABLES = ("told_conversations", "notifications", "push_subscriptions", "notification_rules")


def upgrade() -> None:
    op.add_column("mentions", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("activities", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "notification_rules",
        *ids(),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("mentions", sa.Boolean(), nullable=False),
        sa.Column("closing", sa.Boolean(), nullable=False),
        sa.Column("muted_numbers", postgresql.JSONB(), nullable=False),
        sa.Column("preview", sa.Boolean(), nullable=False),
        sa.Column("sound", sa.Boolean(), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("digest_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_digest_at", sa.DateTime(timezone=True), nullable=True),
        belongs_to("notification_rules", "memberships", "membership_id"),
        sa.CheckConstraint(
            "about in ('all', 'mine_and_unassigned', 'mine', 'none')", name=op.f("ck_notification_rules_about")
        ),
        sa.CheckConstraint("digest in ('off', 'hourly', 'daily')", name=op.f("ck_notification_rules_digest")),
        unique("notification_rules", "membership_id"),
    )
    op.create_index(
        "ix_notification_rules_digest",
        "notification_rules",
        ["next_digest_at"],
        postgresql_where=sa.text("digest <> 'off'"),
    )
    op.create_table(
        "push_subscriptions",
        *ids(),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("endpoint_hash", sa.Text(), nullable=False),
        sa.Column("target_ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device", sa.Text(), nullable=False),
        belongs_to("push_subscriptions", "memberships", "membership_id"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["user_sessions.id"], name=op.f("fk_push_subscriptions_session_id"), ondelete="SET NULL"
        ),
        unique("push_subscriptions", "membership_id", "endpoint_hash"),
    )
    op.create_index("ix_push_subscriptions_session", "push_subscriptions", ["session_id"])
    op.create_table(
        "notifications",
        *ids(),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        belongs_to("notifications", "push_subscriptions", "subscription_id"),
        belongs_to("notifications", "conversations", "conversation_id"),
        sa.CheckConstraint(
            "kind in ('message', 'mention', 'assignment', 'closing', 'test')", name=op.f("ck_notifications_kind")
        ),
        unique("notifications", "subscription_id", "conversation_id", "kind"),
    )
    op.create_index("ix_notifications_due", "notifications", ["next_attempt_at"])
    op.create_table(
        "told_conversations",
        *ids(),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("inbound_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unread_count", sa.BigInteger(), nullable=False),
        sa.Column("closing_of", sa.DateTime(timezone=True), nullable=True),
        belongs_to("told_conversations", "conversations", "conversation_id"),
        unique("told_conversations", "conversation_id"),
    )
    for table in TABLES:
        protect(table)
    add_index("ix_mentions_untold", "mentions", "tenant_id, created_at", "told_at is null")
    untold = "told_at is null and kind in ('assigned', 'given')"
    add_index("ix_activities_untold", "activities", "tenant_id, occurred_at", untold)


def ids() -> tuple[sa.schema.SchemaItem, ...]:
    columns = sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)
    return *columns, sa.PrimaryKeyConstraint("tenant_id", "id")


def belongs_to(table: str, parent: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{parent}.tenant_id", f"{parent}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint("tenant_id", *columns, name=op.f("_".join(("uq", table, "tenant_id", *columns))))


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_index("ix_activities_untold", table_name="activities")
    op.drop_index("ix_mentions_untold", table_name="mentions")
    op.drop_column("activities", "told_at")
    op.drop_column("mentions", "told_at")
