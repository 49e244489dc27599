"""Templates: approval within the business, which messages went out with one, and notifications about them."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"

WHAT, WHAT_BEFORE = "('status', 'category', 'quality', 'version')", "('status', 'category', 'quality')"
KINDS_BEFORE = "('message', 'mention', 'assignment', 'closing', 'test')"
KINDS = "('message', 'mention', 'assignment', 'closing', 'template', 'test')"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("template_versions", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.add_column("messages", sa.Column("template_id", sa.Uuid(), nullable=True))
    op.add_column("notifications", sa.Column("template_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_notifications_tenant_id_template_id"),
        "notifications",
        "message_templates",
        ["tenant_id", "template_id"],
        ["tenant_id", "id"],
        ondelete="CASCADE",
    )
    op.create_unique_constraint(
        op.f("uq_notifications_tenant_id_subscription_id_template_id"),
        "notifications",
        ["tenant_id", "subscription_id", "template_id"],
    )
    allow("template_changes", "what", WHAT)
    allow("notifications", "kind", KINDS)
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists ix_messages_template")
        op.execute(
            "create index concurrently ix_messages_template on messages (tenant_id, template_id, occurred_at)"
            " where template_id is not null"
        )


def allow(table: str, column: str, values: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{column}"), table)
    op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} in {values}")


def downgrade() -> None:
    """Notifications about templates go: before this they could not be stored."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role switchboard_platform")
    op.execute("delete from notifications where kind = 'template'")
    op.execute("delete from template_changes where what = 'version'")
    op.execute("set local role none")
    allow("notifications", "kind", KINDS_BEFORE)
    allow("template_changes", "what", WHAT_BEFORE)
    op.drop_column("notifications", "template_id")
    op.drop_index("ix_messages_template", "messages")
    op.drop_column("messages", "template_id")
    op.drop_column("template_versions", "note")
