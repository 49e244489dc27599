"""Everything a message can carry: files, reactions, edits and deletions, quotes; and what coexistence brings."""

import sqlalchemy as sa
from alembic import op
from row_security import protect
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

TENANT_TABLES = ("media", "message_changes", "reactions")


def upgrade() -> None:
    create_tables()
    for table in TENANT_TABLES:
        protect(table)
    op.add_column("messages", sa.Column("reply_to_wamid", sa.Text(), nullable=True))
    op.add_column("contacts", sa.Column("name_is_saved", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("phone_numbers", sa.Column("history_percent", sa.BigInteger(), nullable=True))
    op.add_column("phone_numbers", sa.Column("history_refusal", sa.Text(), server_default="", nullable=False))


def create_tables() -> None:
    op.create_table(
        "media",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("is_voice", sa.Boolean(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("meta_id", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=True),
        sa.Column("height", sa.BigInteger(), nullable=True),
        sa.Column("storage_key", sa.Text(), nullable=True),
        sa.Column("thumbnail_key", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('image', 'video', 'audio', 'document', 'sticker')", name=op.f("ck_media_kind")),
        sa.CheckConstraint("state in ('waiting', 'stored', 'failed', 'gone')", name=op.f("ck_media_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["messages.tenant_id", "messages.id"],
            name=op.f("fk_media_tenant_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_media")),
        sa.UniqueConstraint("tenant_id", "message_id", name=op.f("uq_media_tenant_id_message_id")),
    )
    op.create_index(
        "ix_media_waiting",
        "media",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "reactions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        sa.Column("wamid", sa.Text(), nullable=False),
        sa.Column("target_wamid", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("emoji", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("direction in ('inbound', 'outbound')", name=op.f("ck_reactions_direction")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "phone_number_id"],
            ["phone_numbers.tenant_id", "phone_numbers.id"],
            name=op.f("fk_reactions_tenant_id_phone_number_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reactions")),
        sa.UniqueConstraint(
            "tenant_id", "phone_number_id", "wamid", name=op.f("uq_reactions_tenant_id_phone_number_id_wamid")
        ),
    )
    op.create_index("ix_reactions_target", "reactions", ["tenant_id", "phone_number_id", "target_wamid"], unique=False)
    op.create_table(
        "message_changes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        sa.Column("wamid", sa.Text(), nullable=False),
        sa.Column("target_wamid", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('edit', 'revoke')", name=op.f("ck_message_changes_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "phone_number_id"],
            ["phone_numbers.tenant_id", "phone_numbers.id"],
            name=op.f("fk_message_changes_tenant_id_phone_number_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_message_changes")),
        sa.UniqueConstraint(
            "tenant_id",
            "phone_number_id",
            "wamid",
            name=op.f("uq_message_changes_tenant_id_phone_number_id_wamid"),
        ),
    )
    op.create_index(
        "ix_message_changes_target",
        "message_changes",
        ["tenant_id", "phone_number_id", "target_wamid"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_column("phone_numbers", "history_refusal")
    op.drop_column("phone_numbers", "history_percent")
    op.drop_column("contacts", "name_is_saved")
    op.drop_column("messages", "reply_to_wamid")
    op.drop_index("ix_message_changes_target", table_name="message_changes")
    op.drop_table("message_changes")
    op.drop_index("ix_reactions_target", table_name="reactions")
    op.drop_table("reactions")
    op.drop_index("ix_media_waiting", table_name="media", postgresql_where=sa.text("state = 'waiting'"))
    op.drop_table("media")
