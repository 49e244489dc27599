"""Search words of texts with thousands of marks on one letter are found in milliseconds. Other texts have the same words."""

import pathlib

from alembic import op

revision = "0075"
down_revision = "0074"

SQL = pathlib.Path(__file__).parent


def upgrade() -> None:
    op.execute((SQL / "0075_search_in_time.sql").read_text())


def downgrade() -> None:
    op.execute((SQL / "0075_search_in_time_before.sql").read_text())
