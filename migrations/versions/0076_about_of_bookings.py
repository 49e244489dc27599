"""What a customer chose in the form in which they booked a time: the appointment is called so."""

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0075"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("flow_bookings", sa.Column("about", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("flow_bookings", "about")
