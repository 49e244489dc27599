"""Which stored files are to be deleted, so that none is forgotten; access stays with the account that was connected."""

import sqlalchemy as sa
from alembic import op

from migrations.row_security import protect

revision = "0078"
down_revision = "0076"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "file_deletions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_file_deletions_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_file_deletions")),
    )
    protect("file_deletions")
    op.execute("set local role switchboard_platform")
    op.execute(FORGET)
    op.execute("set local role none")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("file_deletions")


# Copies of tokens in attempts that have given them to their account, or that have ended.
FORGET = """
    update onboardings o set token_ciphertext = null, token_expires_at = null, token_user_id = ''
    where o.token_ciphertext is not null and (o.state = 'abandoned' or exists (
        select from onboarding_steps s
        where s.tenant_id = o.tenant_id and s.onboarding_id = o.id
          and s.name = 'assets_confirmed' and s.state in ('done', 'skipped')
    ))
"""
