"""Time zones of accounts, volume tiers, and Meta's invoices with what differs from them."""

import sqlalchemy as sa
from alembic import op

from migrations.row_security import protect

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
    make_invoices()
    make_reports()
    make_comparisons()
    make_month_totals()


def make_month_totals() -> None:
    """Filled from the totals of days; the daily job adds up anew what is written until the new program runs."""
    key = ("tenant_id", "month", "dimension", "value", "free", "currency")
    sums = ("messages", "list_micros", "charged_micros", "unpriced")
    op.create_table(
        "month_totals",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("tenant_id", "id")),
        sa.Column("month", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("dimension", "value", "free", "currency")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_month_totals")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_month_totals_tenant_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint(*key, name=op.f("uq_month_totals_key")),
    )
    protect("month_totals")
    op.execute("set local role switchboard_platform")
    op.execute("""
        insert into month_totals (tenant_id, id, month, dimension, value, free, currency, messages, list_micros,
                                  charged_micros, unpriced)
        select t.tenant_id, gen_random_uuid(), date_trunc('month', t.day)::date, d.dimension, d.value, t.free,
            t.currency, sum(t.messages), sum(t.list_micros), sum(t.charged_micros), sum(t.unpriced)
        from day_totals t
        cross join lateral (values ('day', t.day::text), ('phone_number_id', t.phone_number_id::text),
            ('country', t.country), ('category', t.category), ('sender', t.sender)) d(dimension, value)
        group by 1, 3, 4, 5, 6, 7
    """)
    op.execute("set local role none")


def make_invoices() -> None:
    op.create_table(
        "meta_invoices",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "number", "type", "currency")),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("payment_status", sa.Text(), nullable=False),
        sa.Column("fetched_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meta_invoices")),
    )
    op.create_index(op.f("ix_meta_invoices_month"), "meta_invoices", ["month"])
    op.execute("grant select, insert, update on meta_invoices to switchboard_platform")


def make_reports() -> None:
    op.create_table(
        "meta_reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("loaded_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meta_reports")),
    )
    op.create_index(op.f("ix_meta_reports_month"), "meta_reports", ["month"])
    op.create_table(
        "meta_report_lines",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("waba_id", "country", "category", "currency")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("messages", "micros")),
        sa.PrimaryKeyConstraint("report_id", "position", name=op.f("pk_meta_report_lines")),
        sa.ForeignKeyConstraint(["report_id"], ["meta_reports.id"], name=op.f("fk_meta_report_lines_report_id")),
    )
    op.create_index("ix_meta_report_lines_account", "meta_report_lines", ["report_id", "waba_id"])
    for table in ("meta_reports", "meta_report_lines"):
        op.execute(f"grant select, insert on {table} to switchboard_platform")


def make_comparisons() -> None:
    key = ("tenant_id", "waba_id", "month", "currency", "country", "category")
    op.create_table(
        "invoice_comparisons",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("tenant_id", "id", "waba_id")),
        sa.Column("month", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("currency", "country", "category", "state")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("explanation", "explained_by")),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("ours", "metas", "ours_micros", "metas_micros")
        ),
        sa.Column("compared_at", MOMENT, nullable=False),
        sa.CheckConstraint("state in ('equal', 'open', 'explained')", name=op.f("ck_invoice_comparisons_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invoice_comparisons")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "waba_id"],
            ["wabas.tenant_id", "wabas.id"],
            name=op.f("fk_invoice_comparisons_tenant_id_waba_id"),
        ),
        sa.UniqueConstraint(*key, name=op.f("uq_invoice_comparisons_key")),
    )
    op.create_index("ix_invoice_comparisons_month", "invoice_comparisons", ["month", "state"])
    protect("invoice_comparisons")


def downgrade() -> None:
    for table in ("month_totals", "invoice_comparisons", "meta_report_lines", "meta_reports", "meta_invoices"):
        op.drop_table(table)
    op.drop_table("tier_rates")
    op.drop_column("journals", "tier")
    op.drop_column("wabas", "time_zone")
