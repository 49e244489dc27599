"""How each agent writes: whether Enter sends; and when a template was last sent, for what to offer first."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("desk_preferences", sa.Column("enter_sends", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("message_templates", sa.Column("used_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("message_templates", "used_at")
    op.drop_column("desk_preferences", "enter_sends")
