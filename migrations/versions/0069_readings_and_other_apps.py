"""What a model heard, saw and translated of messages; conversations that another app at Meta has."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect

revision = "0069"
down_revision = "0068"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("model_accesses", sa.Column("hearing_model", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "media_readings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "state", "words", "model", "problem")),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=True),
        sa.Column("asked_by", JSONB(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("kind in ('audio', 'image')", name=op.f("ck_media_readings_kind")),
        sa.CheckConstraint("state in ('waiting', 'reading', 'ready', 'failed')", name=op.f("ck_media_readings_state")),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", column],
                [f"{table}.tenant_id", f"{table}.id"],
                name=op.f(f"fk_media_readings_tenant_id_{column}"),
                ondelete="CASCADE",
            )
            for column, table in (("media_id", "media"), ("conversation_id", "conversations"))
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_media_readings")),
        sa.UniqueConstraint("tenant_id", "media_id", name=op.f("uq_media_readings_tenant_id_media_id")),
    )
    op.create_index("ix_media_readings_conversation", "media_readings", ["tenant_id", "conversation_id"])
    op.create_index(
        "ix_media_readings_due", "media_readings", ["next_at"], postgresql_where=sa.text("next_at is not null")
    )
    protect("media_readings")
    make_translations()
    allow("'person', 'assistant', 'automation', 'other_app'")


def make_translations() -> None:
    op.create_table(
        "message_translations",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("tenant_id", "id", "message_id", "conversation_id")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("language", "words")),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_message_translations_tenant_id_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_message_translations")),
        sa.UniqueConstraint(
            "tenant_id", "message_id", "language", name=op.f("uq_message_translations_tenant_id_message_id_language")
        ),
    )
    op.create_index("ix_message_translations_conversation", "message_translations", ["tenant_id", "conversation_id"])
    protect("message_translations")


def allow(words: str) -> None:
    """Who may have a conversation."""
    op.execute("alter table conversations drop constraint ck_conversations_handled_by")
    op.execute(
        f"alter table conversations add constraint ck_conversations_handled_by check (handled_by in ({words})) not valid"
    )
    # Without holding up whoever writes, in a transaction of its own.
    with op.get_context().autocommit_block():
        op.execute("alter table conversations validate constraint ck_conversations_handled_by")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role switchboard_platform")
    op.execute("update conversations set handled_by = null, handler_name = null where handled_by = 'other_app'")
    op.execute("set local role none")
    allow("'person', 'assistant', 'automation'")
    op.drop_table("message_translations")
    op.drop_table("media_readings")
    op.drop_column("model_accesses", "hearing_model")
