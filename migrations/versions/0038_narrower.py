"""Who changed the team; each call of Facebook's once; and of what belongs to no tenant, the app's role changes its own."""

import sqlalchemy as sa
from alembic import op
from row_security import TENANT, protect

revision = "0038"
down_revision = "0037"

# Anybody finds a tenant by them; only that tenant adds to them, or takes away.
ROUTES = ("tenant_slugs", "user_tenants", "waba_routes", "phone_number_routes", "invitation_routes")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "team_changes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('role', 'removal', 'invitation', 'joining')", name=op.f("ck_team_changes_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_team_changes_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_team_changes")),
    )
    protect("team_changes", verbs="select, insert")
    for table in ROUTES:
        narrow(table)
    call_once()
    hide_admins()


def narrow(table: str) -> None:
    mine = f"tenant_id = {TENANT}"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"create policy anybody_finds on {table} for select to switchboard_app using (true)")
    op.execute(f"create policy tenant_adds on {table} for insert to switchboard_app with check ({mine})")
    op.execute(
        f"create policy tenant_changes on {table} for update to switchboard_app using ({mine}) with check ({mine})"
    )
    op.execute(f"create policy tenant_removes on {table} for delete to switchboard_app using ({mine})")
    op.execute(f"create policy every_tenant on {table} to switchboard_platform using (true) with check (true)")


def call_once() -> None:
    """The same call has one effect. What was repeated before goes, but for the first."""
    op.execute("set local role switchboard_platform")
    op.execute(
        "delete from meta_callbacks again using meta_callbacks first where first.kind = again.kind"
        " and first.meta_user_id = again.meta_user_id and first.issued_at is not distinct from again.issued_at"
        " and (first.received_at, first.id) < (again.received_at, again.id)"
    )
    op.execute("reset role")
    op.create_index(
        "uq_meta_callbacks_call",
        "meta_callbacks",
        ["kind", "meta_user_id", "issued_at"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )


def hide_admins() -> None:
    """Sessions of platform admins, and the admins, are the platform's business."""
    op.execute("alter table user_sessions enable row level security")
    people = "platform_admin_id is null"
    op.execute(f"create policy people on user_sessions to switchboard_app using ({people}) with check ({people})")
    op.execute("create policy everybody on user_sessions to switchboard_platform using (true) with check (true)")
    op.execute("revoke all on platform_admins from switchboard_app")


def downgrade() -> None:
    op.execute("grant select on platform_admins to switchboard_app")
    for policy in ("people", "everybody"):
        op.execute(f"drop policy {policy} on user_sessions")
    op.execute("alter table user_sessions disable row level security")
    op.drop_index("uq_meta_callbacks_call", table_name="meta_callbacks")
    for table in ROUTES:
        for policy in ("anybody_finds", "tenant_adds", "tenant_changes", "tenant_removes", "every_tenant"):
            op.execute(f"drop policy {policy} on {table}")
        op.execute(f"alter table {table} disable row level security")
    op.drop_table("team_changes")
