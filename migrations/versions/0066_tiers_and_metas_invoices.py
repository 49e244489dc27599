"""Time zones of accounts, volume tiers, and Meta's invoices with what differs from them."""

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0064"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table, name in (("wabas", "time_zone"), ("journals", "tier")):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "tier_rates",
        sa.Column("rate_card_id", sa.Uuid(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("after > 0 and micros >= 0", name=op.f("ck_tier_rates_amounts")),
        sa.PrimaryKeyConstraint("rate_card_id", "market", "category", "after", name=op.f("pk_tier_rates")),
        sa.ForeignKeyConstraint(["rate_card_id"], ["rate_cards.id"], name=op.f("fk_tier_rates_rate_card_id")),
    )
    op.execute("grant select on tier_rates to switchboard_app")
    op.execute("grant select, insert on tier_rates to switchboard_platform")


def downgrade() -> None:
    op.drop_table("tier_rates")
    op.drop_column("journals", "tier")
    op.drop_column("wabas", "time_zone")
