"""The pictures and videos of templates as files at Meta, once for each number that sends them."""

import sqlalchemy as sa
from alembic import op

from migrations.row_security import protect

revision = "0067"
down_revision = "0066"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "sample_uploads",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("tenant_id", "id", "sample_id", "phone_number_id")),
        sa.Column("meta_id", sa.Text(), server_default="", nullable=False),
        sa.Column("uploaded_at", MOMENT, nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_attempt_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sample_uploads")),
        sa.UniqueConstraint(
            "tenant_id",
            "sample_id",
            "phone_number_id",
            name=op.f("uq_sample_uploads_tenant_id_sample_id_phone_number_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sample_id"],
            ["template_samples.tenant_id", "template_samples.id"],
            name=op.f("fk_sample_uploads_tenant_id_sample_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "phone_number_id"],
            ["phone_numbers.tenant_id", "phone_numbers.id"],
            name=op.f("fk_sample_uploads_tenant_id_phone_number_id"),
            ondelete="CASCADE",
        ),
    )
    due = sa.text("next_attempt_at is not null")
    op.create_index("ix_sample_uploads_due", "sample_uploads", ["next_attempt_at"], postgresql_where=due)
    protect("sample_uploads")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("sample_uploads")
