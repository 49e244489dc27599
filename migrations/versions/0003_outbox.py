"""The outbox whole: lanes, sending later, the portfolio's limit, what may be sent twice."""

import sqlalchemy as sa
from alembic import op
from indexes import add_index, remove_index
from row_security import protect
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

STATES_BEFORE = (
    "received", "queued", "dispatching", "unknown", "accepted", "sent", "failed", "delivered", "read", "played",
    "cancelled", "expired",
)  # fmt: skip
STATES = (*STATES_BEFORE, "scheduled")
QUEUED = "state = 'queued'"
UNDER_WAY = "state in ('queued', 'dispatching')"


def upgrade() -> None:
    op.create_table(
        "reached_people",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portfolio_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_reached_people_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reached_people")),
        sa.UniqueConstraint(
            "tenant_id", "portfolio_id", "contact_id", name=op.f("uq_reached_people_tenant_id_portfolio_id_contact_id")
        ),
    )
    op.create_index("ix_reached_people_lately", "reached_people", ["tenant_id", "portfolio_id", "reached_at"])
    protect("reached_people")
    op.add_column(
        "phone_numbers",
        sa.Column("campaigns_tat", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.add_column("phone_numbers", sa.Column("messaging_limit", sa.Text(), server_default="", nullable=False))
    op.add_column("messages", sa.Column("lane", sa.Text(), server_default="replies", nullable=False))
    op.add_column("messages", sa.Column("may_repeat", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("messages", sa.Column("send_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("instead", postgresql.JSONB(), nullable=True))
    allow_states(STATES)
    op.execute(
        "alter table messages add constraint ck_messages_lane check (lane in ('replies', 'campaigns')) not valid"
    )
    op.execute("alter table messages validate constraint ck_messages_lane")
    add_index("ix_messages_lane", "messages", "tenant_id, phone_number_id, lane, id", QUEUED)
    add_index("ix_messages_due", "messages", "tenant_id, phone_number_id, next_attempt_at", QUEUED)
    add_index("ix_messages_pair", "messages", "tenant_id, conversation_id, id", UNDER_WAY)
    add_index("ix_messages_leased", "messages", "lease_until", "state = 'dispatching'")
    add_index("ix_messages_expiring", "messages", "expires_at", QUEUED)
    add_index("ix_messages_scheduled", "messages", "send_at", "state = 'scheduled'")
    add_index("ix_messages_unknown", "messages", "tenant_id, id", "state = 'unknown' and may_repeat")
    add_index("ix_webhook_events_received", "webhook_events", "received_at")
    remove_index("ix_messages_outbox")


def allow_states(states: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{state}'" for state in states)
    op.execute("alter table messages drop constraint ck_messages_state")
    op.execute(f"alter table messages add constraint ck_messages_state check (state in ({listed})) not valid")
    op.execute("alter table messages validate constraint ck_messages_state")


def downgrade() -> None:
    add_index("ix_messages_outbox", "messages", "tenant_id, phone_number_id, id", UNDER_WAY)
    for name in ("lane", "due", "pair", "leased", "expiring", "scheduled", "unknown"):
        remove_index(f"ix_messages_{name}")
    remove_index("ix_webhook_events_received")
    op.execute("set role switchboard_platform")
    op.execute("update messages set state = 'cancelled' where state = 'scheduled'")
    op.execute("reset role")
    allow_states(STATES_BEFORE)
    op.execute("alter table messages drop constraint ck_messages_lane")
    for column in ("instead", "send_at", "may_repeat", "lane"):
        op.drop_column("messages", column)
    op.drop_column("phone_numbers", "messaging_limit")
    op.drop_column("phone_numbers", "campaigns_tat")
    op.drop_index("ix_reached_people_lately", table_name="reached_people")
    op.drop_table("reached_people")
