"""In which language a person reads: the one they chose, and what their browser says, also before they have an account."""

import sqlalchemy as sa
from alembic import op

revision = "0083"
down_revision = "0082"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("users", sa.Column("language", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("browser_language", sa.Text(), nullable=True))
    op.add_column("email_confirmations", sa.Column("language", sa.Text(), nullable=True))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("email_confirmations", "language")
    op.drop_column("users", "browser_language")
    op.drop_column("users", "language")
