"""Facebook's own sign-up page: whose an account is that comes without a browser. And how long a number may wait."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"

MOMENTS = {
    "onboardings": ("hosted_at", "signed_up_at"),
    "phone_numbers": ("register_by",),
    "partner_wabas": ("looked_at", "next_look_at"),
}
WORDS = {"onboardings": ("hosted_number", "hosted_word"), "partner_wabas": ("name", "owner_name", "trouble")}


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table, names in MOMENTS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for table, names in WORDS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("phone_numbers", sa.Column("register_warned_days", sa.BigInteger(), nullable=True))
    op.add_column(
        "partner_wabas", sa.Column("numbers", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    )
    op.create_index(
        "ix_onboardings_hosted",
        "onboardings",
        ["hosted_word"],
        postgresql_where=sa.text("hosted_at is not null and state in ('started', 'cancelled')"),
    )
    op.create_index(
        "ix_phone_numbers_to_register",
        "phone_numbers",
        ["register_by"],
        postgresql_where=sa.text("register_by is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_phone_numbers_to_register", table_name="phone_numbers")
    op.drop_index("ix_onboardings_hosted", table_name="onboardings")
    op.drop_column("partner_wabas", "numbers")
    op.drop_column("phone_numbers", "register_warned_days")
    for columns in (WORDS, MOMENTS):
        for table, names in columns.items():
            for name in names:
                op.drop_column(table, name)
