"""How customers were served: since when they were answered, and what they said of it."""

import sqlalchemy as sa
from alembic import op
from row_security import protect

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("conversations", sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "survey_answers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("score in ('bad', 'fair', 'good')", name=op.f("ck_survey_answers_score")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["messages.tenant_id", "messages.id"],
            name=op.f("fk_survey_answers_tenant_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_survey_answers")),
        sa.UniqueConstraint("tenant_id", "message_id", name=op.f("uq_survey_answers_tenant_id_message_id")),
    )
    protect("survey_answers")


def downgrade() -> None:
    op.drop_table("survey_answers")
    op.drop_column("conversations", "answered_at")
