"""Payments and subscriptions that other systems report, and the reminders around the end of a subscription."""

import re

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect

revision = "0059"
down_revision = "0058"

MOMENT = sa.DateTime(timezone=True)
TABLES = ("payments", "payment_settings", "subscriptions", "subscription_reminders", "subscription_settings")
MOVES = ("payment", "subscription")


def ids() -> list[sa.Column]:
    return [sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def key(table: str) -> sa.Constraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def to(table: str, other: str, column: str, ondelete: str | None = None) -> sa.Constraint:
    name = op.f(f"fk_{table}_tenant_id_{column}")
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{other}.tenant_id", f"{other}.id"], name=name, ondelete=ondelete
    )


def of_tenant(table: str) -> sa.Constraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"), ondelete="CASCADE"
    )


def column(name: str, kind: sa.types.TypeEngine, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, kind, nullable=nullable)


def allow_moves(*, also: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> None:
    """Which kinds of rows a merge of contacts moves. The others that are allowed stay."""
    defined = sa.text("select pg_get_constraintdef(oid) from pg_constraint where conname = 'ck_merge_moves_kind'")
    kinds = re.findall(r"'(\w+)'", op.get_bind().scalar(defined))
    listed = ", ".join(f"'{kind}'" for kind in dict.fromkeys([*kinds, *also]) if kind not in without)
    op.execute("alter table merge_moves drop constraint ck_merge_moves_kind")
    op.execute(f"alter table merge_moves add constraint ck_merge_moves_kind check (kind in ({listed})) not valid")
    op.execute("alter table merge_moves validate constraint ck_merge_moves_kind")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    newest = [sa.text("paid_at desc"), sa.text("id desc")]
    op.create_table(
        "payments",
        *ids(),
        column("external_id", sa.Text()),
        column("contact_id", sa.Uuid(), nullable=True),
        column("amount_micros", sa.BigInteger()),
        column("currency", sa.Text()),
        column("title", sa.Text()),
        column("reference", sa.Text()),
        column("paid_at", MOMENT),
        column("status", sa.Text()),
        column("received_at", MOMENT, nullable=True),
        column("message_id", sa.Uuid(), nullable=True),
        column("problem", JSONB(), nullable=True),
        column("created_at", MOMENT),
        column("updated_at", MOMENT),
        sa.CheckConstraint("status in ('received', 'refunded', 'failed')", name=op.f("ck_payments_status")),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_payments_amount_micros")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_payments_tenant_id_external_id")),
        key("payments"),
        to("payments", "contacts", "contact_id"),
        to("payments", "messages", "message_id"),
    )
    op.create_index("ix_payments_newest", "payments", ["tenant_id", *newest])
    op.create_index("ix_payments_contact", "payments", ["tenant_id", "contact_id", *newest])
    with_message = sa.text("message_id is not null")
    op.create_index("ix_payments_message", "payments", ["tenant_id", "message_id"], postgresql_where=with_message)
    op.create_table(
        "payment_settings",
        *ids(),
        column("notification_id", sa.Uuid(), nullable=True),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_payment_settings_tenant_id")),
        key("payment_settings"),
        of_tenant("payment_settings"),
        to("payment_settings", "notifications", "notification_id"),
    )
    op.create_table(
        "subscriptions",
        *ids(),
        column("external_id", sa.Text()),
        column("contact_id", sa.Uuid(), nullable=True),
        column("title", sa.Text()),
        column("ends_on", sa.Date()),
        column("ends_at", MOMENT),
        column("zone", sa.Text()),
        column("renews", sa.Boolean()),
        column("price_micros", sa.BigInteger(), nullable=True),
        column("currency", sa.Text()),
        column("status", sa.Text()),
        column("version", sa.BigInteger()),
        column("created_at", MOMENT),
        column("updated_at", MOMENT),
        sa.CheckConstraint("status in ('active', 'cancelled', 'ended')", name=op.f("ck_subscriptions_status")),
        sa.CheckConstraint("price_micros >= 0", name=op.f("ck_subscriptions_price_micros")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_subscriptions_tenant_id_external_id")),
        key("subscriptions"),
        to("subscriptions", "contacts", "contact_id"),
    )
    op.create_index("ix_subscriptions_ending", "subscriptions", ["tenant_id", "status", "ends_on", "id"])
    op.create_index("ix_subscriptions_contact", "subscriptions", ["tenant_id", "contact_id", "ends_on"])
    is_active = sa.text("status = 'active' and not renews")
    op.create_index("ix_subscriptions_over", "subscriptions", ["ends_at"], postgresql_where=is_active)
    op.create_table(
        "subscription_reminders",
        *ids(),
        column("subscription_id", sa.Uuid()),
        column("version", sa.BigInteger()),
        column("days", sa.BigInteger()),
        column("due_at", MOMENT),
        column("state", sa.Text()),
        column("problem", JSONB(), nullable=True),
        column("message_id", sa.Uuid(), nullable=True),
        column("settled_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "state in ('waiting', 'sent', 'skipped', 'cancelled')", name=op.f("ck_subscription_reminders_state")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "subscription_id",
            "version",
            "days",
            name=op.f("uq_subscription_reminders_tenant_id_subscription_id_version_days"),
        ),
        key("subscription_reminders"),
        to("subscription_reminders", "subscriptions", "subscription_id", "CASCADE"),
        to("subscription_reminders", "messages", "message_id"),
    )
    reminders, waits = "subscription_reminders", sa.text("state = 'waiting'")
    op.create_index("ix_subscription_reminders_due", reminders, ["due_at"], postgresql_where=waits)
    op.create_index("ix_subscription_reminders_tenant", reminders, ["tenant_id", "due_at"], postgresql_where=waits)
    op.create_index(
        "ix_subscription_reminders_message", reminders, ["tenant_id", "message_id"], postgresql_where=with_message
    )
    chosen = ("before_14_id", "before_3_id", "on_day_id", "after_3_id")
    op.create_table(
        "subscription_settings",
        *ids(),
        column("hour", sa.BigInteger()),
        *(column(name, sa.Uuid(), nullable=True) for name in chosen),
        sa.CheckConstraint("hour between 0 and 23", name=op.f("ck_subscription_settings_hour")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_subscription_settings_tenant_id")),
        key("subscription_settings"),
        of_tenant("subscription_settings"),
        *(to("subscription_settings", "notifications", name) for name in chosen),
    )
    for table in TABLES:
        protect(table)
    allow_moves(also=MOVES)


def downgrade() -> None:
    # What a merge moved of these is gone with their tables.
    op.execute("set local role switchboard_platform")
    op.execute("delete from merge_moves where kind in ('payment', 'subscription')")
    op.execute("reset role")
    allow_moves(without=MOVES)
    for table in reversed(TABLES):
        op.drop_table(table)
