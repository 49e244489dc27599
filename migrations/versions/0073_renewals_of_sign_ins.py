"""Indexes by which a token that renews a sign-in with an app is found."""

from alembic import op

revision = "0073"
down_revision = "0070"

COLUMNS = ("renewal_hash", "old_renewal_hash")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for column in COLUMNS:
            op.execute(f"drop index concurrently if exists ix_app_sign_ins_{column}")
            op.execute(f"create index concurrently ix_app_sign_ins_{column} on app_sign_ins (tenant_id, {column})")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for column in COLUMNS:
        op.execute(f"drop index if exists ix_app_sign_ins_{column}")
