"""Notifications: messages that are sent by name, and which messages are one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect

revision = "0058"
down_revision = "0057"

MOMENT = sa.DateTime(timezone=True)


def ids() -> list[sa.Column]:
    return [sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def to(table: str, other: str, column: str, ondelete: str | None = None) -> sa.Constraint:
    name = op.f(f"fk_{table}_tenant_id_{column}")
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{other}.tenant_id", f"{other}.id"], name=name, ondelete=ondelete
    )


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "notifications",
        *ids(),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "title", "template", "language")),
        sa.Column("language_field_id", sa.Uuid(), nullable=True),
        sa.Column("phone_number_id", sa.Uuid(), nullable=True),
        sa.Column("mapping", JSONB(), nullable=False),
        sa.Column("access", sa.Text(), server_default="any", nullable=False),
        sa.Column("api_key_ids", JSONB(), nullable=False),
        sa.Column("pause_minutes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paused_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("access in ('any', 'chosen', 'none')", name=op.f("ck_notifications_access")),
        sa.CheckConstraint("pause_minutes between 0 and 43200", name=op.f("ck_notifications_pause_minutes")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_notifications_tenant_id_name")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notifications")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_notifications_tenant_id"), ondelete="CASCADE"
        ),
        to("notifications", "phone_numbers", "phone_number_id"),
        to("notifications", "contact_fields", "language_field_id"),
    )
    for name, column in (("template", "template"), ("number", "phone_number_id"), ("field", "language_field_id")):
        op.create_index(f"ix_notifications_{name}", "notifications", ["tenant_id", column])
    op.create_table(
        "sent_notifications",
        *ids(),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("by_kind", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.UniqueConstraint("tenant_id", "message_id", name=op.f("uq_sent_notifications_tenant_id_message_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sent_notifications")),
        to("sent_notifications", "notifications", "notification_id", "CASCADE"),
        to("sent_notifications", "messages", "message_id", "CASCADE"),
    )
    newest = sa.text("at desc")
    op.create_index("ix_sent_notifications_at", "sent_notifications", ["tenant_id", "notification_id", newest])
    its = ["tenant_id", "conversation_id", "notification_id", newest]
    op.create_index("ix_sent_notifications_conversation", "sent_notifications", its)
    for table in ("notifications", "sent_notifications"):
        protect(table)


def downgrade() -> None:
    op.drop_table("sent_notifications")
    op.drop_table("notifications")
