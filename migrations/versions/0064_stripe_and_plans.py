"""Payments through Stripe, automatic recharge, limits and trials of plans, and how a plan ends."""

import sqlalchemy as sa
from alembic import op

from migrations.row_security import protect, share

revision = "0064"
down_revision = "0063"

MOMENT = sa.DateTime(timezone=True)
OF_PLANS = ("numbers", "api_rate", "trial_days", "trial_micros")
OF_BALANCES = (
    ("recharge_below_micros", sa.BigInteger()),
    ("ends_on", sa.Date()),
    ("trial_until", sa.Date()),
    ("trial_reminded", sa.BigInteger()),
    ("tried_at", MOMENT),
)
COUNTED = ("trial_micros", "included_cut")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name in OF_PLANS:
        op.add_column("plans", sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.create_check_constraint(
        op.f("ck_plans_limits_not_negative"),
        "plans",
        "numbers >= 0 and api_rate >= 0 and trial_days >= 0 and trial_micros >= 0",
    )
    for name, kind in OF_BALANCES:
        op.add_column("balances", sa.Column(name, kind, nullable=True))
    for name in COUNTED:
        op.add_column("balances", sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    make_top_ups()
    make_recharges()
    make_events()


def make_top_ups() -> None:
    texts = ("kind", "currency", "state", "problem", "customer_id", "card_id", "session_id", "intent_id", "url")
    op.create_table(
        "top_ups",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("amount_micros", "credited_micros", "fence")),
        sa.Column("saves_card", sa.Boolean(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        *(sa.Column(name, MOMENT, nullable=False) for name in ("created_at", "next_check_at")),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.CheckConstraint("kind in ('checkout', 'automatic')", name=op.f("ck_top_ups_kind")),
        sa.CheckConstraint(
            "state in ('opened', 'paid', 'partly_refunded', 'refunded', 'disputed', 'expired', 'failed')",
            name=op.f("ck_top_ups_state"),
        ),
        sa.CheckConstraint(
            "problem in ('', 'currency', 'amount', 'refused', 'unreachable', 'declined', 'authentication')",
            name=op.f("ck_top_ups_problem"),
        ),
        sa.CheckConstraint("amount_micros > 0 and credited_micros >= 0", name=op.f("ck_top_ups_amounts")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_top_ups")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_top_ups_tenant_id")),
    )
    unfinished = sa.text("state = 'opened'")
    op.create_index("ix_top_ups_unfinished", "top_ups", ["next_check_at"], postgresql_where=unfinished)
    one = sa.text("kind = 'automatic' and state = 'opened'")
    op.create_index("uq_top_ups_automatic", "top_ups", ["tenant_id"], unique=True, postgresql_where=one)
    protect("top_ups", verbs="select, insert, update")


def make_recharges() -> None:
    op.create_table(
        "recharges",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("below_micros", "amount_micros", "most_micros")
        ),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("customer_id", "card_id", "brand", "last4", "stopped", "changed_by")
        ),
        sa.Column("limited_in", sa.Date(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "stopped in ('', 'declined', 'authentication', 'refused', 'unreachable')", name=op.f("ck_recharges_stopped")
        ),
        sa.CheckConstraint(
            "below_micros >= 0 and amount_micros >= 0 and most_micros >= 0", name=op.f("ck_recharges_amounts")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_recharges")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_recharges_tenant_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_recharges_tenant_id"), ondelete="CASCADE"),
    )
    protect("recharges")


def make_events() -> None:
    op.create_table(
        "stripe_events",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "type")),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in ("tenant_id", "top_up_id")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("session_id", "intent_id")),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", MOMENT, nullable=False),
        sa.Column("handled_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_events")),
    )
    op.create_index(
        "ix_stripe_events_waiting",
        "stripe_events",
        ["next_attempt_at"],
        postgresql_where=sa.text("handled_at is null"),
    )
    share("stripe_events", app="insert")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in ("stripe_events", "recharges", "top_ups"):
        op.drop_table(table)
    for name in (*COUNTED, *(name for name, _ in reversed(OF_BALANCES))):
        op.drop_column("balances", name)
    op.drop_constraint(op.f("ck_plans_limits_not_negative"), "plans")
    for name in reversed(OF_PLANS):
        op.drop_column("plans", name)
