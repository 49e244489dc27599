"""What the assistant could learn from resolved conversations, for a person to accept, edit or reject."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect

revision = "0068"
down_revision = "0067"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("assistants", sa.Column("learns", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "knowledge_proposals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("terms_hash", "question", "answer", "language")),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("unanswered_id", sa.Uuid(), nullable=True),
        sa.Column("source_id", sa.Uuid(), nullable=True),
        sa.Column("settled_by", JSONB(), nullable=True),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("state in ('open', 'accepted', 'rejected')", name=op.f("ck_knowledge_proposals_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_knowledge_proposals_tenant_id_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_knowledge_proposals")),
        sa.UniqueConstraint("tenant_id", "terms_hash", name=op.f("uq_knowledge_proposals_tenant_id_terms_hash")),
    )
    op.create_index("ix_knowledge_proposals_conversation", "knowledge_proposals", ["tenant_id", "conversation_id"])
    op.create_index(
        "ix_knowledge_proposals_open",
        "knowledge_proposals",
        ["tenant_id", "count"],
        postgresql_where=sa.text("state = 'open'"),
    )
    protect("knowledge_proposals")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("knowledge_proposals")
    op.drop_column("assistants", "learns")
