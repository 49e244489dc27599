"""Indexes of the list of all conversations; apps that members sign in with; businesses' own ids of contacts."""

import sqlalchemy as sa
from alembic import op

from migrations.row_security import protect

revision = "0070"
down_revision = "0069"

INDEXES = {
    "ix_conversations_newest": "(tenant_id, last_message_at desc, id desc) where merged_into_id is null",
    "ix_conversations_created": "(tenant_id, created_at desc, id desc) where merged_into_id is null",
}
MEMBER = "fk_api_keys_tenant_id_user_id"
IDENTITIES = "'wa_id', 'bsuid', 'parent_bsuid', 'username', 'group'"
KINDS = "'live', 'team', 'test'"


def upgrade() -> None:
    """The indexes come first, and may be made again; the rest is one transaction."""
    with op.get_context().autocommit_block():
        for name, rest in INDEXES.items():
            op.execute(f"drop index concurrently if exists {name}")
            op.execute(f"create index concurrently {name} on conversations {rest}")
    op.execute("set local lock_timeout = '5s'")
    identify_by(f"{IDENTITIES}, 'external_id'")
    op.add_column("api_keys", sa.Column("user_id", sa.Uuid(), nullable=True))
    op.add_column("api_keys", sa.Column("audience", sa.Text(), nullable=True))
    op.create_foreign_key(MEMBER, "api_keys", "memberships", ["tenant_id", "user_id"], ["tenant_id", "user_id"])
    op.create_check_constraint(op.f("ck_api_keys_audience"), "api_keys", "audience in ('mcp', 'api')")
    allow(f"{KINDS}, 'app'")
    op.execute("grant delete on api_key_routes to switchboard_app")
    op.create_table(
        "app_sign_ins",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("api_key_id", sa.Uuid(), nullable=False),
        sa.Column("client_hash", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("renewal_hash", sa.Text(), nullable=True),
        sa.Column("old_renewal_hash", sa.Text(), nullable=True),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_app_sign_ins")),
        sa.UniqueConstraint("tenant_id", "api_key_id", name=op.f("uq_app_sign_ins_tenant_id_api_key_id")),
        sa.UniqueConstraint("tenant_id", "code_hash", name=op.f("uq_app_sign_ins_tenant_id_code_hash")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "api_key_id"],
            ["api_keys.tenant_id", "api_keys.id"],
            name=op.f("fk_app_sign_ins_tenant_id_api_key_id"),
            ondelete="CASCADE",
        ),
    )
    protect("app_sign_ins")


def identify_by(kinds: str) -> None:
    """Checked without a lock that anybody would wait for."""
    op.execute("alter table contact_identities drop constraint ck_contact_identities_kind")
    check = f"constraint ck_contact_identities_kind check (kind in ({kinds}))"
    op.execute(f"alter table contact_identities add {check} not valid")
    op.execute("alter table contact_identities validate constraint ck_contact_identities_kind")


def allow(kinds: str) -> None:
    op.drop_constraint(op.f("ck_api_keys_kind"), "api_keys", type_="check")
    op.create_check_constraint(op.f("ck_api_keys_kind"), "api_keys", f"kind in ({kinds})")


def downgrade() -> None:
    """Keys of apps end: nothing before knows how to check them."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("app_sign_ins")
    op.execute("revoke delete on api_key_routes from switchboard_app")
    op.execute("set local role switchboard_platform")
    op.execute("delete from api_key_routes r using api_keys k where k.id = r.api_key_id and k.kind = 'app'")
    op.execute("delete from api_keys where kind = 'app'")
    op.execute("delete from contact_identities where kind = 'external_id'")
    op.execute("set local role none")
    identify_by(IDENTITIES)
    allow(KINDS)
    op.drop_constraint(MEMBER, "api_keys", type_="foreignkey")
    op.drop_column("api_keys", "user_id")
    op.drop_column("api_keys", "audience")
    for name in INDEXES:
        op.execute(f"drop index if exists {name}")
