"""The house: tenants and people, numbers, onboarding, conversations, and what Meta posts."""

import sqlalchemy as sa
from alembic import op
from row_security import protect, share
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

TENANT_TABLES = (
    "contact_identities",
    "contacts",
    "conversations",
    "credit_line_shares",
    "invitations",
    "memberships",
    "message_events",
    "messages",
    "onboarding_steps",
    "onboardings",
    "orphan_statuses",
    "phone_numbers",
    "send_attempts",
    "wabas",
)

# What is found before a tenant is known, and people, who may belong to several.
SHARED_TABLES = (
    "invitation_routes",
    "password_resets",
    "phone_number_routes",
    "sign_in_attempts",
    "tenant_slugs",
    "user_sessions",
    "user_tenants",
    "users",
    "waba_routes",
)


def upgrade() -> None:
    create_tables()
    for table in TENANT_TABLES:
        protect(table)
    protect("tenants", column="id")
    for table in SHARED_TABLES:
        share(table)
    share("platform_admins", app="select")
    # The web process may add what Meta posted and never read it: the bodies are of every tenant.
    share("webhook_events", app="insert")
    share("held_changes", app="")
    # Bodies are read once and whole: compressing them costs more than it saves.
    op.execute("alter table webhook_events alter column body set storage external")


def create_tables() -> None:
    op.create_table(
        "held_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("webhook_event_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("phone_number_meta_id", sa.Text(), nullable=False),
        sa.Column("waba_meta_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('unreadable', 'unrouted', 'failed')", name=op.f("ck_held_changes_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_changes")),
    )
    op.create_index(
        "ix_held_changes_unrouted",
        "held_changes",
        ["phone_number_meta_id"],
        unique=False,
        postgresql_where=sa.text("released_at is null"),
    )
    op.create_table(
        "platform_admins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_admins")),
        sa.UniqueConstraint("email", name=op.f("uq_platform_admins_email")),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
    )
    op.create_index("ix_sign_in_attempts_email", "sign_in_attempts", ["email", "attempted_at"], unique=False)
    op.create_index("ix_sign_in_attempts_ip", "sign_in_attempts", ["ip", "attempted_at"], unique=False)
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenants_slug")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("drained_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_events")),
    )
    op.create_index(
        "ix_webhook_events_waiting",
        "webhook_events",
        ["id"],
        unique=False,
        postgresql_where=sa.text("drained_at is null"),
    )
    op.create_table(
        "contacts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_contacts_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contacts")),
    )
    op.create_table(
        "invitation_routes",
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_invitation_routes_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("invitation_id", name=op.f("pk_invitation_routes")),
    )
    op.create_table(
        "invitations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("invited_by_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role in ('owner', 'admin', 'agent')", name=op.f("ck_invitations_role")),
        sa.ForeignKeyConstraint(["invited_by_id"], ["users.id"], name=op.f("fk_invitations_invited_by_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_invitations_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("tenant_id", "email", name=op.f("uq_invitations_tenant_id_email")),
    )
    op.create_table(
        "memberships",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role in ('owner', 'admin', 'agent')", name=op.f("ck_memberships_role")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_memberships_tenant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_memberships")),
        sa.UniqueConstraint("tenant_id", "user_id", name=op.f("uq_memberships_tenant_id_user_id")),
    )
    op.create_table(
        "password_resets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_password_resets_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_resets")),
    )
    op.create_table(
        "phone_number_routes",
        sa.Column("meta_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_phone_number_routes_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("meta_id", name=op.f("pk_phone_number_routes")),
    )
    op.create_table(
        "tenant_slugs",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_tenant_slugs_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_tenant_slugs")),
    )
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("platform_admin_id", sa.Uuid(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_admin_id"],
            ["platform_admins.id"],
            name=op.f("fk_user_sessions_platform_admin_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_sessions_token_hash")),
    )
    op.create_index(op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"], unique=False)
    op.create_table(
        "user_tenants",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_user_tenants_tenant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_tenants_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "tenant_id", name=op.f("pk_user_tenants")),
    )
    op.create_table(
        "waba_routes",
        sa.Column("meta_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_waba_routes_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("meta_id", name=op.f("pk_waba_routes")),
    )
    op.create_table(
        "wabas",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("meta_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_business_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("token_ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subscribed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_wabas_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_wabas")),
        sa.UniqueConstraint("tenant_id", "meta_id", name=op.f("uq_wabas_tenant_id_meta_id")),
    )
    op.create_table(
        "contact_identities",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('wa_id', 'bsuid', 'parent_bsuid', 'username')", name=op.f("ck_contact_identities_kind")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_contact_identities_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_identities")),
        sa.UniqueConstraint("tenant_id", "kind", "value", name=op.f("uq_contact_identities_tenant_id_kind_value")),
    )
    op.create_index("ix_contact_identities_contact", "contact_identities", ["tenant_id", "contact_id"], unique=False)
    op.create_table(
        "credit_line_shares",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("waba_id", sa.Uuid(), nullable=False),
        sa.Column("credit_line_id", sa.Text(), nullable=False),
        sa.Column("allocation_config_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "waba_id"],
            ["wabas.tenant_id", "wabas.id"],
            name=op.f("fk_credit_line_shares_tenant_id_waba_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_credit_line_shares")),
        sa.UniqueConstraint("tenant_id", "waba_id", name=op.f("uq_credit_line_shares_tenant_id_waba_id")),
    )
    op.create_table(
        "phone_numbers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("waba_id", sa.Uuid(), nullable=False),
        sa.Column("meta_id", sa.Text(), nullable=False),
        sa.Column("display_number", sa.Text(), nullable=False),
        sa.Column("verified_name", sa.Text(), nullable=False),
        sa.Column("quality_rating", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("pause_reason", sa.Text(), nullable=False),
        sa.Column("pause_fix", sa.Text(), nullable=False),
        sa.Column("pin_ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("messages_per_second", sa.BigInteger(), nullable=False),
        sa.Column("sending_tat", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slowdown", sa.Float(), nullable=False),
        sa.Column("slowed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("probed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("registrations", postgresql.JSONB(), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hello_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('connecting', 'connected', 'paused', 'disconnected')",
            name=op.f("ck_phone_numbers_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "waba_id"],
            ["wabas.tenant_id", "wabas.id"],
            name=op.f("fk_phone_numbers_tenant_id_waba_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_phone_numbers")),
        sa.UniqueConstraint("tenant_id", "meta_id", name=op.f("uq_phone_numbers_tenant_id_meta_id")),
    )
    op.create_table(
        "conversations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("unread_count", sa.BigInteger(), nullable=False),
        sa.Column("last_message_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_message_preview", sa.Text(), nullable=False),
        sa.Column("last_message_state", sa.Text(), nullable=False),
        sa.Column("last_message_id", sa.Uuid(), nullable=True),
        sa.Column("last_inbound_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pair_tat", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_conversations_tenant_id_contact_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "phone_number_id"],
            ["phone_numbers.tenant_id", "phone_numbers.id"],
            name=op.f("fk_conversations_tenant_id_phone_number_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_conversations")),
        sa.UniqueConstraint(
            "tenant_id",
            "phone_number_id",
            "contact_id",
            name=op.f("uq_conversations_tenant_id_phone_number_id_contact_id"),
        ),
    )
    op.create_index(
        "ix_conversations_newest",
        "conversations",
        ["tenant_id", sa.literal_column("last_message_at desc"), sa.literal_column("id desc")],
        unique=False,
    )
    op.create_index(
        "ix_conversations_unread",
        "conversations",
        ["tenant_id", sa.literal_column("last_message_at desc"), sa.literal_column("id desc")],
        unique=False,
        postgresql_where=sa.text("unread_count > 0"),
    )
    op.create_table(
        "onboardings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_by_id", sa.Uuid(), nullable=True),
        sa.Column("claims", postgresql.JSONB(), nullable=False),
        sa.Column("granted", postgresql.JSONB(), nullable=True),
        sa.Column("token_ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waba_id", sa.Uuid(), nullable=True),
        sa.Column("phone_number_id", sa.Uuid(), nullable=True),
        sa.Column("stopped_at", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('started', 'running', 'waiting', 'failed', 'cancelled', 'abandoned', 'connected')",
            name=op.f("ck_onboardings_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "phone_number_id"],
            ["phone_numbers.tenant_id", "phone_numbers.id"],
            name=op.f("fk_onboardings_tenant_id_phone_number_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "waba_id"],
            ["wabas.tenant_id", "wabas.id"],
            name=op.f("fk_onboardings_tenant_id_waba_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_onboardings_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_onboardings")),
    )
    op.create_index(
        "ix_onboardings_running",
        "onboardings",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "orphan_statuses",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        sa.Column("wamid", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pricing", postgresql.JSONB(), nullable=True),
        sa.Column("errors", postgresql.JSONB(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "phone_number_id"],
            ["phone_numbers.tenant_id", "phone_numbers.id"],
            name=op.f("fk_orphan_statuses_tenant_id_phone_number_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_orphan_statuses")),
        sa.UniqueConstraint(
            "tenant_id",
            "phone_number_id",
            "wamid",
            "status",
            "occurred_at",
            name=op.f("uq_orphan_statuses_tenant_id_phone_number_id_wamid_status_occurred_at"),
        ),
    )
    op.create_table(
        "messages",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wamid", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("direction in ('inbound', 'outbound')", name=op.f("ck_messages_direction")),
        sa.CheckConstraint(
            "state in ('received', 'queued', 'dispatching', 'unknown', 'accepted', 'sent', 'failed', 'delivered', 'read', 'played', 'cancelled', 'expired')",
            name=op.f("ck_messages_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_messages_tenant_id_conversation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "phone_number_id"],
            ["phone_numbers.tenant_id", "phone_numbers.id"],
            name=op.f("fk_messages_tenant_id_phone_number_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_messages")),
        sa.UniqueConstraint(
            "tenant_id",
            "conversation_id",
            "client_id",
            name=op.f("uq_messages_tenant_id_conversation_id_client_id"),
        ),
        sa.UniqueConstraint(
            "tenant_id", "phone_number_id", "wamid", name=op.f("uq_messages_tenant_id_phone_number_id_wamid")
        ),
    )
    op.create_index(
        "ix_messages_outbox",
        "messages",
        ["tenant_id", "phone_number_id", "id"],
        unique=False,
        postgresql_where=sa.text("state in ('queued', 'dispatching')"),
    )
    op.create_index(
        "ix_messages_thread",
        "messages",
        ["tenant_id", "conversation_id", sa.literal_column("occurred_at desc"), sa.literal_column("id desc")],
        unique=False,
    )
    op.create_table(
        "onboarding_steps",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("onboarding_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("outcome", postgresql.JSONB(), nullable=True),
        sa.Column("retried_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('pending', 'running', 'waiting', 'done', 'skipped', 'failed')",
            name=op.f("ck_onboarding_steps_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "onboarding_id"],
            ["onboardings.tenant_id", "onboardings.id"],
            name=op.f("fk_onboarding_steps_tenant_id_onboarding_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_onboarding_steps")),
        sa.UniqueConstraint(
            "tenant_id",
            "onboarding_id",
            "name",
            name=op.f("uq_onboarding_steps_tenant_id_onboarding_id_name"),
        ),
    )
    op.create_index(
        "ix_onboarding_steps_waiting",
        "onboarding_steps",
        ["name"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "message_events",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pricing", postgresql.JSONB(), nullable=True),
        sa.Column("errors", postgresql.JSONB(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["messages.tenant_id", "messages.id"],
            name=op.f("fk_message_events_tenant_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_message_events")),
        sa.UniqueConstraint(
            "tenant_id",
            "message_id",
            "status",
            "occurred_at",
            name=op.f("uq_message_events_tenant_id_message_id_status_occurred_at"),
        ),
    )
    op.create_table(
        "send_attempts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["messages.tenant_id", "messages.id"],
            name=op.f("fk_send_attempts_tenant_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_send_attempts")),
    )
    op.create_index("ix_send_attempts_message", "send_attempts", ["tenant_id", "message_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_send_attempts_message", table_name="send_attempts")
    op.drop_table("send_attempts")
    op.drop_table("message_events")
    op.drop_table("onboarding_steps")
    op.drop_index("ix_messages_thread", table_name="messages")
    op.drop_index(
        "ix_messages_outbox",
        table_name="messages",
        postgresql_where=sa.text("state in ('queued', 'dispatching')"),
    )
    op.drop_table("messages")
    op.drop_table("orphan_statuses")
    op.drop_table("onboardings")
    op.drop_index("ix_conversations_unread", table_name="conversations", postgresql_where=sa.text("unread_count > 0"))
    op.drop_index("ix_conversations_newest", table_name="conversations")
    op.drop_table("conversations")
    op.drop_table("phone_numbers")
    op.drop_table("credit_line_shares")
    op.drop_index("ix_contact_identities_contact", table_name="contact_identities")
    op.drop_table("contact_identities")
    op.drop_table("wabas")
    op.drop_table("waba_routes")
    op.drop_table("user_tenants")
    op.drop_index(op.f("ix_user_sessions_user_id"), table_name="user_sessions")
    op.drop_table("user_sessions")
    op.drop_table("tenant_slugs")
    op.drop_table("phone_number_routes")
    op.drop_table("password_resets")
    op.drop_table("memberships")
    op.drop_table("invitations")
    op.drop_table("invitation_routes")
    op.drop_table("contacts")
    op.drop_index(
        "ix_webhook_events_waiting",
        table_name="webhook_events",
        postgresql_where=sa.text("drained_at is null"),
    )
    op.drop_table("webhook_events")
    op.drop_table("users")
    op.drop_table("tenants")
    op.drop_index("ix_sign_in_attempts_ip", table_name="sign_in_attempts")
    op.drop_index("ix_sign_in_attempts_email", table_name="sign_in_attempts")
    op.drop_table("sign_in_attempts")
    op.drop_table("platform_admins")
    op.drop_index(
        "ix_held_changes_unrouted", table_name="held_changes", postgresql_where=sa.text("released_at is null")
    )
    op.drop_table("held_changes")
