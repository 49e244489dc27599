"""Which replies of a month were free is counted from the statuses that say so."""

from indexes import add_index, remove_index

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    where = "(pricing ->> 'type') = 'free_customer_service'"
    add_index("ix_message_events_free", "message_events", "tenant_id, occurred_at", where)


def downgrade() -> None:
    remove_index("ix_message_events_free")
