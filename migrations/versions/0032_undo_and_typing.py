"""How long each agent may undo what they send; what a business chose for its inbox: typing shown, links previewed."""

import sqlalchemy as sa
from alembic import op

from migrations.row_security import protect

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("desk_preferences", sa.Column("undo_seconds", sa.BigInteger(), server_default="5", nullable=False))
    op.create_table(
        "inbox_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shows_typing", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("previews_links", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_inbox_settings_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_inbox_settings")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_inbox_settings_tenant_id")),
    )
    protect("inbox_settings")


def downgrade() -> None:
    op.drop_table("inbox_settings")
    op.drop_column("desk_preferences", "undo_seconds")
