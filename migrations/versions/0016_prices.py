"""What a message costs: Meta's rate cards, the one that comes with the product, and what was charged."""

import sqlalchemy as sa
from alembic import op
from rate_cards import add_card
from row_security import protect

revision = "0016"
down_revision = "0015"

CARDS = ("rate_cards", "market_codes", "rates")
UNKNOWN = "'', 'no_currency', 'no_card', 'no_number', 'no_market', 'no_rate', 'untold', 'exempt'"


def upgrade() -> None:
    create_cards()
    create_usages()
    # A price that was used stays what it was: neither role may change or remove one.
    op.execute(f"grant select on {', '.join(CARDS)} to switchboard_app")
    op.execute(f"grant select, insert on {', '.join(CARDS)} to switchboard_platform")
    protect("usages", verbs="select, insert")
    add_card("USD", "2026-10-01")


def create_cards() -> None:
    op.create_table(
        "rate_cards",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_cards")),
    )
    op.create_table(
        "market_codes",
        sa.Column("rate_card_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["rate_card_id"], ["rate_cards.id"], name=op.f("fk_market_codes_rate_card_id")),
        sa.PrimaryKeyConstraint("rate_card_id", "code", name=op.f("pk_market_codes")),
    )
    op.create_table(
        "rates",
        sa.Column("rate_card_id", sa.Uuid(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["rate_card_id"], ["rate_cards.id"], name=op.f("fk_rates_rate_card_id")),
        sa.PrimaryKeyConstraint("rate_card_id", "market", "category", name=op.f("pk_rates")),
    )


def create_usages() -> None:
    op.create_table(
        "usages",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        sa.Column("wamid", sa.Text(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=True),
        sa.Column("unknown", sa.Text(), nullable=False),
        sa.Column("rate_card_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"unknown in ({UNKNOWN})", name=op.f("ck_usages_unknown")),
        sa.CheckConstraint("(micros is null) = (unknown <> '')", name=op.f("ck_usages_known_or_why_not")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "phone_number_id"],
            ["phone_numbers.tenant_id", "phone_numbers.id"],
            name=op.f("fk_usages_tenant_id_phone_number_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_usages")),
        sa.UniqueConstraint(
            "tenant_id", "phone_number_id", "wamid", name=op.f("uq_usages_tenant_id_phone_number_id_wamid")
        ),
    )
    op.create_index("ix_usages_unpriced", "usages", ["unknown"], postgresql_where=sa.text("unknown <> ''"))


def downgrade() -> None:
    for table in ("usages", "rates", "market_codes", "rate_cards"):
        op.drop_table(table)
