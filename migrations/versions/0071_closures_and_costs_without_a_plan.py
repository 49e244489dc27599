"""What messages cost that were sent without a plan; and how a business is closed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.row_security import protect

revision = "0071"
down_revision = "0070"

TABLES = ("day_totals", "month_totals")
MOMENT = sa.DateTime(timezone=True)
STAGES = "'open', 'warned', 'no_marketing', 'no_paid', 'revoked'"
REASONS = "'', 'member', 'gone', 'failing'"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("template_lists", sa.Column("counts_since", MOMENT, nullable=True))
    op.add_column("tenants", sa.Column("closed_at", MOMENT, nullable=True))
    allow("balances", "stage", f"{STAGES}, 'closed'")
    allow("webhook_endpoints", "reason", f"{REASONS}, 'closed'")
    allow("looks", "kind", "'message', 'post', 'journal'")
    make_closures()
    count_costs_without_a_plan()


def allow(table: str, column: str, words: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{column}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} in ({words})")


def make_closures() -> None:
    states = "'requested', 'waiting', 'running', 'done', 'withdrawn', 'reopened'"
    op.create_table(
        "closures",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("tenant_id", "id")),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("state", "wish", "wished_by_name", "reason", "by_name", "approved_by_name")
        ),
        *(sa.Column(name, MOMENT, nullable=False) for name in ("next_attempt_at", "created_at")),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.CheckConstraint(f"state in ({states})", name=op.f("ck_closures_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_closures")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_closures_tenant_id"), ondelete="CASCADE"),
    )
    is_open = sa.text("state in ('requested', 'waiting', 'running')")
    op.create_index("uq_closures_open", "closures", ["tenant_id"], unique=True, postgresql_where=is_open)
    is_running = sa.text("state = 'running'")
    op.create_index("ix_closures_running", "closures", ["next_attempt_at"], postgresql_where=is_running)
    op.create_table(
        "closure_steps",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("tenant_id", "id", "closure_id")),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_closure_steps")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "closure_id"],
            ["closures.tenant_id", "closures.id"],
            name=op.f("fk_closure_steps_tenant_id_closure_id"),
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "tenant_id", "closure_id", "position", name=op.f("uq_closure_steps_tenant_id_closure_id_position")
        ),
    )
    protect("closures")
    protect("closure_steps")


def count_costs_without_a_plan() -> None:
    """Filled from the journals; the daily job counts what is written until the new program runs."""
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
    """A closed business is one whose credit line is revoked, as far as the program before can say it."""
    op.execute("set local lock_timeout = '5s'")
    for table in TABLES:
        op.drop_column(table, "no_plan_micros")
    op.drop_table("closure_steps")
    op.drop_table("closures")
    op.execute("set local role switchboard_platform")
    op.execute("update balances set stage = 'revoked' where stage = 'closed'")
    op.execute("update webhook_endpoints set reason = 'member' where reason = 'closed'")
    op.execute("delete from looks where kind = 'journal'")
    op.execute("set local role none")
    allow("looks", "kind", "'message', 'post'")
    allow("balances", "stage", STAGES)
    allow("webhook_endpoints", "reason", REASONS)
    op.drop_column("tenants", "closed_at")
    op.drop_column("template_lists", "counts_since")
