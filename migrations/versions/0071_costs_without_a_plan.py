"""What messages cost that were sent without a plan, in the totals of days and months."""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"

TABLES = ("day_totals", "month_totals")


def upgrade() -> None:
    """Filled from the journals; the daily job counts what is written until the new program runs."""
    op.execute("set local lock_timeout = '5s'")
    for table in TABLES:
        zero = sa.Column("no_plan_micros", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
        op.add_column(table, zero)
    op.execute("set local role switchboard_platform")
    op.execute("""
        with sums as (
            select tenant_id, day, phone_number_id, category, country, sender, currency,
                sum(case kind when 'reversal' then -1 else 1 end * coalesce(list_micros, 0)) as micros
            from journals where free = 'no_plan' and kind in ('message', 'reversal', 'repricing')
            group by 1, 2, 3, 4, 5, 6, 7
        )
        update day_totals t set no_plan_micros = s.micros from sums s
        where t.tenant_id = s.tenant_id and t.day = s.day and t.phone_number_id = s.phone_number_id
          and t.category = s.category and t.country = s.country and t.sender = s.sender and t.free = ''
          and t.currency = s.currency
    """)
    op.execute("""
        with sums as (
            select t.tenant_id, date_trunc('month', t.day)::date as month, d.dimension, d.value, t.currency,
                sum(t.no_plan_micros) as micros
            from day_totals t
            cross join lateral (values ('day', t.day::text), ('phone_number_id', t.phone_number_id::text),
                ('country', t.country), ('category', t.category), ('sender', t.sender)) d(dimension, value)
            where t.free = '' and t.no_plan_micros <> 0
            group by 1, 2, 3, 4, 5
        )
        update month_totals t set no_plan_micros = s.micros from sums s
        where t.tenant_id = s.tenant_id and t.month = s.month and t.dimension = s.dimension and t.value = s.value
          and t.free = '' and t.currency = s.currency
    """)
    op.execute("set local role none")


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "no_plan_micros")
