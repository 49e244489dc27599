"""Files that programs upload, to send them in messages."""

import sqlalchemy as sa
from alembic import op

from migrations.row_security import protect

revision = "0047"
down_revision = "0046"

KINDS = ("image", "audio", "video", "document", "sticker")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "uploaded_files",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"kind in ({', '.join(repr(kind) for kind in KINDS)})", name=op.f("ck_uploaded_files_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_uploaded_files")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_uploaded_files_tenant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "team_id"], ["teams.tenant_id", "teams.id"], name=op.f("fk_uploaded_files_tenant_id_team_id")
        ),
    )
    op.create_index("ix_uploaded_files_expires_at", "uploaded_files", ["expires_at"])
    protect("uploaded_files")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("uploaded_files")
