"""Outgoing webhooks: where events go, the events, their deliveries, and what came back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from migrations.row_security import protect

revision = "0051"
down_revision = "0050"

MOMENT = sa.DateTime(timezone=True)
MADE = ("webhook_endpoints", "outgoing_events", "event_sequences", "webhook_deliveries", "delivery_attempts")


def ids() -> list[sa.Column]:
    return [sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def keys(table: str, column: str = "", to: str = "") -> list[sa.Constraint]:
    """The primary key, and whose it is: the tenant's, or another row's."""
    primary = sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))
    mine, theirs, name = ["tenant_id"], ["tenants.id"], f"fk_{table}_tenant_id"
    if column:
        mine, theirs, name = ["tenant_id", column], [f"{to}.tenant_id", f"{to}.id"], f"{name}_{column}"
    return [primary, sa.ForeignKeyConstraint(mine, theirs, name=op.f(name), ondelete="CASCADE")]


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "webhook_endpoints",
        *ids(),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("types", JSONB(), nullable=True),
        sa.Column("phone_number_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("disabled_at", MOMENT, nullable=True),
        sa.Column("is_mail_due", sa.Boolean(), nullable=False),
        sa.Column("is_ordered", sa.Boolean(), nullable=False),
        sa.Column("batch_seconds", sa.BigInteger(), nullable=False),
        sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("secret_ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("previous_secret_ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("previous_secret_expires_at", MOMENT, nullable=True),
        sa.Column("failing_since", MOMENT, nullable=True),
        sa.Column("rests_until", MOMENT, nullable=True),
        sa.Column("created_by", JSONB(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("state in ('active', 'disabled', 'removed')", name=op.f("ck_webhook_endpoints_state")),
        sa.CheckConstraint("reason in ('', 'member', 'gone', 'failing')", name=op.f("ck_webhook_endpoints_reason")),
        *keys("webhook_endpoints"),
    )
    op.create_table(
        "outgoing_events",
        *ids(),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("phone_number_id", sa.Uuid(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("actor", JSONB(), nullable=True),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        *keys("outgoing_events"),
    )
    op.create_table(
        "event_sequences",
        *ids(),
        sa.Column("last", sa.BigInteger(), nullable=False),
        *keys("event_sequences"),
    )
    op.create_table(
        "webhook_deliveries",
        *ids(),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event_ids", ARRAY(sa.Uuid()), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("is_ordered", sa.Boolean(), nullable=False),
        sa.Column("is_collecting", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", MOMENT, nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "state in ('waiting', 'delivered', 'failed', 'cancelled')", name=op.f("ck_webhook_deliveries_state")
        ),
        sa.UniqueConstraint(
            "tenant_id", "endpoint_id", "event_id", name=op.f("uq_webhook_deliveries_tenant_id_endpoint_id_event_id")
        ),
        *keys("webhook_deliveries", "endpoint_id", "webhook_endpoints"),
    )
    op.create_table(
        "delivery_attempts",
        *ids(),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("headers", JSONB(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        *keys("delivery_attempts", "delivery_id", "webhook_deliveries"),
    )
    op.create_index("ix_delivery_attempts_delivery", "delivery_attempts", ["tenant_id", "delivery_id", "id"])
    mine = ["tenant_id", "endpoint_id"]
    for name, columns, where in (
        ("ix_webhook_deliveries_log", [*mine, "id"], None),
        ("ix_webhook_deliveries_type", [*mine, "type", "id"], None),
        ("ix_webhook_deliveries_due", [*mine, "next_attempt_at"], "state = 'waiting'"),
        ("ix_webhook_deliveries_open", [*mine, "state", "id"], "state <> 'delivered'"),
        (
            "ix_webhook_deliveries_ordered",
            [*mine, "conversation_id", "sequence"],
            "state = 'waiting' and is_ordered",
        ),
    ):
        options = {"postgresql_where": sa.text(where)} if where else {}
        op.create_index(name, "webhook_deliveries", columns, **options)
    op.create_index(
        "uq_webhook_deliveries_collecting",
        "webhook_deliveries",
        [*mine, "conversation_id"],
        unique=True,
        postgresql_where=sa.text("is_collecting"),
    )
    for table in MADE:
        protect(table)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in reversed(MADE):
        op.drop_table(table)
