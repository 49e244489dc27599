"""The desk: states, teams and assignment, notes, activities, read pointers, canned replies, macros, saved views."""

import sqlalchemy as sa
from alembic import op
from row_security import protect
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

TENANT_TABLES = (
    "teams",
    "canned_replies",
    "desk_preferences",
    "macros",
    "saved_views",
    "team_members",
    "activities",
    "blocks",
    "notes",
    "read_pointers",
    "mentions",
)


def upgrade() -> None:
    create_tables()
    for table in TENANT_TABLES:
        protect(table)
    op.add_column(
        "memberships", sa.Column("news_since", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)
    )
    op.add_column("memberships", sa.Column("is_away", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("phone_numbers", sa.Column("team_id", sa.Uuid(), nullable=True))
    op.add_column("phone_numbers", sa.Column("read_receipts", sa.Text(), server_default="always", nullable=False))
    op.create_check_constraint(
        op.f("ck_phone_numbers_read_receipts"), "phone_numbers", "read_receipts in ('always', 'on_reply', 'never')"
    )
    op.create_foreign_key(
        op.f("fk_phone_numbers_tenant_id_team_id"),
        "phone_numbers",
        "teams",
        ["tenant_id", "team_id"],
        ["tenant_id", "id"],
        ondelete="SET NULL (team_id)",
    )
    op.add_column("conversations", sa.Column("state", sa.Text(), server_default="open", nullable=False))
    op.add_column("conversations", sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("conversations", sa.Column("assignee_id", sa.Uuid(), nullable=True))
    op.add_column("conversations", sa.Column("team_id", sa.Uuid(), nullable=True))
    op.add_column("conversations", sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("conversations", sa.Column("news_at", sa.DateTime(timezone=True), nullable=True))
    # New columns hold nothing that could break these rules, so old rows are looked at later (0009), without a lock.
    op.create_check_constraint(
        op.f("ck_conversations_state"),
        "conversations",
        "state in ('open', 'pending', 'snoozed', 'resolved', 'archived', 'spam', 'blocked', 'merged')",
        postgresql_not_valid=True,
    )
    op.create_foreign_key(
        op.f("fk_conversations_tenant_id_assignee_id"),
        "conversations",
        "memberships",
        ["tenant_id", "assignee_id"],
        ["tenant_id", "user_id"],
        ondelete="SET NULL (assignee_id)",
        postgresql_not_valid=True,
    )
    op.create_foreign_key(
        op.f("fk_conversations_tenant_id_team_id"),
        "conversations",
        "teams",
        ["tenant_id", "team_id"],
        ["tenant_id", "id"],
        ondelete="SET NULL (team_id)",
        postgresql_not_valid=True,
    )


def create_tables() -> None:
    op.create_table(
        "teams",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("distribution", sa.Text(), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "distribution in ('manual', 'round_robin', 'least_busy')", name=op.f("ck_teams_distribution")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_teams_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_teams")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_teams_tenant_id_name")),
    )
    op.create_table(
        "canned_replies",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shortcut", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("use_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["memberships.tenant_id", "memberships.user_id"],
            name=op.f("fk_canned_replies_tenant_id_owner_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "team_id"],
            ["teams.tenant_id", "teams.id"],
            name=op.f("fk_canned_replies_tenant_id_team_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_canned_replies_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_canned_replies")),
    )
    op.create_table(
        "desk_preferences",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("keys", postgresql.JSONB(), nullable=False),
        sa.Column("first_view", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["memberships.tenant_id", "memberships.user_id"],
            name=op.f("fk_desk_preferences_tenant_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_desk_preferences")),
        sa.UniqueConstraint("tenant_id", "user_id", name=op.f("uq_desk_preferences_tenant_id_user_id")),
    )
    op.create_table(
        "macros",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("assignment", sa.Text(), nullable=False),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("ending", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("assignment in ('', 'me', 'nobody', 'person')", name=op.f("ck_macros_assignment")),
        sa.CheckConstraint(
            "ending in ('', 'open', 'pending', 'snoozed', 'resolved', 'archived')", name=op.f("ck_macros_ending")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "assignee_id"],
            ["memberships.tenant_id", "memberships.user_id"],
            name=op.f("fk_macros_tenant_id_assignee_id"),
            ondelete="SET NULL (assignee_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["memberships.tenant_id", "memberships.user_id"],
            name=op.f("fk_macros_tenant_id_owner_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "team_id"],
            ["teams.tenant_id", "teams.id"],
            name=op.f("fk_macros_tenant_id_team_id"),
            ondelete="SET NULL (team_id)",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_macros_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_macros")),
    )
    op.create_table(
        "saved_views",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["memberships.tenant_id", "memberships.user_id"],
            name=op.f("fk_saved_views_tenant_id_owner_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_saved_views")),
    )
    op.create_table(
        "team_members",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("last_given_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "team_id"],
            ["teams.tenant_id", "teams.id"],
            name=op.f("fk_team_members_tenant_id_team_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["memberships.tenant_id", "memberships.user_id"],
            name=op.f("fk_team_members_tenant_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_team_members")),
        sa.UniqueConstraint("tenant_id", "team_id", "user_id", name=op.f("uq_team_members_tenant_id_team_id_user_id")),
    )
    op.create_table(
        "activities",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("told", postgresql.JSONB(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('open', 'pending', 'snoozed', 'resolved', 'archived', 'spam', 'blocked', 'woken', 'answered', 'assigned', 'unassigned', 'given', 'team', 'no_team')",
            name=op.f("ck_activities_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_activities_tenant_id_conversation_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_activities")),
    )
    op.create_index(
        "ix_activities_thread",
        "activities",
        ["tenant_id", "conversation_id", sa.literal_column("occurred_at desc"), sa.literal_column("id desc")],
        unique=False,
    )
    op.create_table(
        "blocks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason in ('spam', 'abuse', 'fraud', 'asked', 'other')", name=op.f("ck_blocks_reason")),
        sa.CheckConstraint("state in ('blocking', 'blocked', 'unblocking', 'refused')", name=op.f("ck_blocks_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_blocks_tenant_id_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_blocks")),
        sa.UniqueConstraint("tenant_id", "conversation_id", name=op.f("uq_blocks_tenant_id_conversation_id")),
    )
    op.create_index(
        "ix_blocks_waiting",
        "blocks",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("next_attempt_at is not null"),
    )
    op.create_table(
        "notes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_notes_tenant_id_conversation_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notes")),
        sa.UniqueConstraint(
            "tenant_id", "conversation_id", "client_id", name=op.f("uq_notes_tenant_id_conversation_id_client_id")
        ),
    )
    op.create_index(
        "ix_notes_thread",
        "notes",
        ["tenant_id", "conversation_id", sa.literal_column("occurred_at desc"), sa.literal_column("id desc")],
        unique=False,
    )
    op.create_table(
        "read_pointers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_read_pointers_tenant_id_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["memberships.tenant_id", "memberships.user_id"],
            name=op.f("fk_read_pointers_tenant_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_read_pointers")),
        sa.UniqueConstraint(
            "tenant_id", "user_id", "conversation_id", name=op.f("uq_read_pointers_tenant_id_user_id_conversation_id")
        ),
    )
    op.create_table(
        "mentions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_mentions_tenant_id_conversation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "note_id"],
            ["notes.tenant_id", "notes.id"],
            name=op.f("fk_mentions_tenant_id_note_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["memberships.tenant_id", "memberships.user_id"],
            name=op.f("fk_mentions_tenant_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_mentions")),
        sa.UniqueConstraint("tenant_id", "note_id", "user_id", name=op.f("uq_mentions_tenant_id_note_id_user_id")),
    )
    op.create_index(
        "ix_mentions_of", "mentions", ["tenant_id", "user_id", sa.literal_column("created_at desc")], unique=False
    )


def downgrade() -> None:
    for column in ("news_at", "waiting_since", "team_id", "assignee_id", "snoozed_until", "state"):
        op.drop_column("conversations", column)
    op.drop_column("phone_numbers", "read_receipts")
    op.drop_column("phone_numbers", "team_id")
    op.drop_column("memberships", "is_away")
    op.drop_column("memberships", "news_since")
    for table in reversed(TENANT_TABLES):
        op.drop_table(table)
