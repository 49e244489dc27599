"""What one agent changed in many conversations at once, so that it can be undone."""

import sqlalchemy as sa
from alembic import op
from row_security import protect
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "bulk_changes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("rows", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("field in ('state', 'assignee', 'team', 'tag')", name=op.f("ck_bulk_changes_field")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "by_id"],
            ["memberships.tenant_id", "memberships.user_id"],
            name=op.f("fk_bulk_changes_tenant_id_by_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_bulk_changes")),
    )
    op.create_index("ix_bulk_changes_created", "bulk_changes", ["created_at"])
    protect("bulk_changes")


def downgrade() -> None:
    op.drop_table("bulk_changes")
