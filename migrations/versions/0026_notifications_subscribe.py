"""Notifications hear of what happened, and need no columns in other tables; a closing window is recorded once."""

import sqlalchemy as sa
from alembic import op
from indexes import add_index
from row_security import protect

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    moment = sa.DateTime(timezone=True)
    op.add_column("conversations", sa.Column("closing_recorded_for", moment, nullable=True))
    # Under the policies the owner sees nothing. Whose window closes at this moment is not notified again.
    op.execute("set role switchboard_platform")
    op.execute("""
        update conversations c set closing_recorded_for = t.closing_of from told_conversations t
        where t.closing_of > now() - interval '24 h' and c.tenant_id = t.tenant_id and c.id = t.conversation_id
    """)
    op.execute("reset role")
    op.drop_table("told_conversations")
    op.drop_column("mentions", "told_at")
    op.drop_column("activities", "told_at")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    moment = sa.DateTime(timezone=True)
    op.add_column("activities", sa.Column("told_at", moment, nullable=True))
    op.add_column("mentions", sa.Column("told_at", moment, nullable=True))
    op.create_table(
        "told_conversations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("inbound_at", moment, nullable=True),
        sa.Column("unread_count", sa.BigInteger(), nullable=False),
        sa.Column("closing_of", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_told_conversations_tenant_id_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_told_conversations")),
        sa.UniqueConstraint(
            "tenant_id", "conversation_id", name=op.f("uq_told_conversations_tenant_id_conversation_id")
        ),
    )
    protect("told_conversations")
    # What was recorded counts as told, so that nobody hears of the past.
    op.execute("set role switchboard_platform")
    op.execute("update activities set told_at = now() where kind in ('assigned', 'given')")
    op.execute("update mentions set told_at = now()")
    op.execute("reset role")
    op.drop_column("conversations", "closing_recorded_for")
    add_index("ix_mentions_untold", "mentions", "tenant_id, created_at", "told_at is null")
    untold = "told_at is null and kind in ('assigned', 'given')"
    add_index("ix_activities_untold", "activities", "tenant_id, occurred_at", untold)
