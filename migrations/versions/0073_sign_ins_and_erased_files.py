"""Indexes by which a token that renews a sign-in with an app is found; files that go with an erased person."""

from alembic import op

revision = "0073"
down_revision = "0072"

COLUMNS = ("renewal_hash", "old_renewal_hash")
WITH_FILES = ("template_samples", "uploaded_files")


def upgrade() -> None:
    """It may be made again: the columns come first, then the indexes beside the traffic."""
    op.execute("set local lock_timeout = '5s'")
    for table in WITH_FILES:
        op.execute(f"alter table {table} add column if not exists erasure_at timestamptz")
    with op.get_context().autocommit_block():
        for column in COLUMNS:
            op.execute(f"drop index concurrently if exists ix_app_sign_ins_{column}")
            op.execute(f"create index concurrently ix_app_sign_ins_{column} on app_sign_ins (tenant_id, {column})")
        for table in WITH_FILES:
            name, marked = f"ix_{table}_erasure_at", "where erasure_at is not null"
            op.execute(f"drop index concurrently if exists {name}")
            op.execute(f"create index concurrently {name} on {table} (erasure_at) {marked}")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in WITH_FILES:
        op.drop_column(table, "erasure_at")
    for column in COLUMNS:
        op.execute(f"drop index if exists ix_app_sign_ins_{column}")
