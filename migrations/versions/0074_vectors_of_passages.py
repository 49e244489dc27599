"""Vectors of passages, so that a question finds what means the same in other words; canned replies with buttons or a form."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BIT, JSONB

from migrations.row_security import protect

revision = "0074"
down_revision = "0073"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("canned_replies", sa.Column("sheet", sa.Text(), nullable=False, server_default=""))
    op.add_column("canned_replies", sa.Column("sheet_values", JSONB(), nullable=True))
    for name in ("embedding", "embedding_model", "embedding_problem"):
        op.add_column("assistants", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("assistants", sa.Column("embedding_due_at", MOMENT, nullable=True))
    op.create_check_constraint(op.f("ck_assistants_embedding"), "assistants", "embedding in ('', 'local', 'provider')")
    op.create_index(
        "ix_assistants_embedding_due",
        "assistants",
        ["embedding_due_at"],
        postgresql_where=sa.text("embedding_due_at is not null"),
    )
    op.create_table(
        "passage_vectors",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("code", BIT(varying=True), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=True),
        sa.Column("valid_until", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"],
            ["knowledge_passages.tenant_id", "knowledge_passages.id"],
            name=op.f("fk_passage_vectors_tenant_id_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_passage_vectors")),
    )
    op.create_index("ix_passage_vectors_source", "passage_vectors", ["tenant_id", "source_id"])
    protect("passage_vectors")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("canned_replies", "sheet_values")
    op.drop_column("canned_replies", "sheet")
    op.drop_table("passage_vectors")
    op.drop_index("ix_assistants_embedding_due", "assistants")
    op.drop_constraint(op.f("ck_assistants_embedding"), "assistants", type_="check")
    for name in ("embedding_due_at", "embedding_problem", "embedding_model", "embedding"):
        op.drop_column("assistants", name)
