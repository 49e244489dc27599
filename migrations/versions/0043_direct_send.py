"""Direct Send: whether a business uses it, and what each account may do."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect

revision = "0043"
down_revision = "0042"

TABLE = "direct_send_access"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "template_settings",
        sa.Column("uses_direct_send", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        TABLE,
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("waba_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("learnt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("try_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", JSONB(), nullable=True),
        sa.Column("misused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("misused_template", sa.Text(), server_default="", nullable=False),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('unknown', 'on', 'off', 'blocked')", name=op.f(f"ck_{TABLE}_state")),
        sa.UniqueConstraint("tenant_id", "waba_id", name=op.f(f"uq_{TABLE}_tenant_id_waba_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{TABLE}")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "waba_id"],
            ["wabas.tenant_id", "wabas.id"],
            name=op.f(f"fk_{TABLE}_tenant_id_waba_id"),
        ),
    )
    protect(TABLE)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table(TABLE)
    op.drop_column("template_settings", "uses_direct_send")
