"""Addresses that wait to be confirmed: only then a business is founded."""

import sqlalchemy as sa
from alembic import op
from row_security import share

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "email_confirmations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_confirmations")),
    )
    op.create_index("ix_email_confirmations_email", "email_confirmations", ["email", "created_at"])
    op.create_index("ix_email_confirmations_network", "email_confirmations", ["network", "created_at"])
    share("email_confirmations")


def downgrade() -> None:
    op.drop_table("email_confirmations")
