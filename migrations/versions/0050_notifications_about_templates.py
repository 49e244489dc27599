"""Notifications about templates have a switch of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("notification_rules", sa.Column("templates", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("notification_rules", "templates")
