"""Previews of the pages behind links, fetched by us and cached."""

import sqlalchemy as sa
from alembic import op

from migrations.row_security import protect

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "link_previews",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url_hash", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("image_key", sa.Text(), nullable=True),
        sa.Column("image_width", sa.BigInteger(), nullable=True),
        sa.Column("image_height", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('asked', 'shown', 'empty')", name=op.f("ck_link_previews_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_link_previews_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_link_previews")),
        sa.UniqueConstraint("tenant_id", "url_hash", name=op.f("uq_link_previews_tenant_id_url_hash")),
    )
    op.create_index("ix_link_previews_asked", "link_previews", ["asked_at"])
    protect("link_previews")


def downgrade() -> None:
    op.drop_table("link_previews")
