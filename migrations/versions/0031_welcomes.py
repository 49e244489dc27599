"""The first hour of a business: whether its checklist is dismissed, its sample conversations, and a number's photo."""

import sqlalchemy as sa
from alembic import op
from row_security import protect
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("phone_numbers", sa.Column("has_photo", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "welcomes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("samples", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("samples_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_welcomes_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_welcomes")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_welcomes_tenant_id")),
    )
    protect("welcomes")
    op.execute("set local role switchboard_platform")
    op.execute(PAST_THEIR_FIRST_HOUR)
    op.execute("set local role none")


# Businesses that exist already are not new.
PAST_THEIR_FIRST_HOUR = """
insert into welcomes (tenant_id, id, dismissed_at, samples_removed_at, created_at)
select id, gen_random_uuid(), now(), now(), now() from tenants
"""


def downgrade() -> None:
    op.drop_table("welcomes")
    op.drop_column("phone_numbers", "has_photo")
