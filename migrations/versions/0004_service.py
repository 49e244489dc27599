"""What a business promises: opening hours, an out-of-office reply, response times, a survey."""

import sqlalchemy as sa
from alembic import op
from row_security import protect
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "service_policies",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("week", postgresql.JSONB(), nullable=False),
        sa.Column("holidays", postgresql.JSONB(), nullable=False),
        sa.Column("away_text", sa.Text(), nullable=False),
        sa.Column("first_response_minutes", sa.BigInteger(), nullable=True),
        sa.Column("next_response_minutes", sa.BigInteger(), nullable=True),
        sa.Column("targets_run_always", sa.Boolean(), nullable=False),
        sa.Column("survey_question", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_service_policies_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_service_policies")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_service_policies_tenant_id")),
    )
    protect("service_policies")


def downgrade() -> None:
    op.drop_table("service_policies")
