"""Sandboxes: tenants in which test keys pretend, and what is still to come there of Meta's webhooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("tenants", sa.Column("is_sandbox", sa.Boolean(), nullable=False, server_default=sa.false()))
    # Those that a downgrade left.
    op.execute("set role switchboard_platform")
    op.execute("update tenants set is_sandbox = true where substr(id::text, 15, 1) = '5'")
    op.execute("reset role")
    is_version_5 = "is_sandbox = (substr(id::text, 15, 1) = '5')"
    op.create_check_constraint(op.f("ck_tenants_is_sandbox"), "tenants", is_version_5)
    # A test key is a row of the business; its requests are rows of the sandbox.
    op.drop_constraint("fk_idempotent_requests_tenant_id_api_key_id", "idempotent_requests", type_="foreignkey")
    op.create_foreign_key(
        op.f("fk_idempotent_requests_tenant_id"),
        "idempotent_requests",
        "tenants",
        ["tenant_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_table(
        "pretended_webhooks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("changes", JSONB(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_pretended_webhooks")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_pretended_webhooks_tenant_id"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_pretended_webhooks_due_at", "pretended_webhooks", ["due_at"])
    protect("pretended_webhooks")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("pretended_webhooks")
    # The release before would carry these tokens to Meta, and knows no key of a sandbox's requests.
    op.execute("set role switchboard_platform")
    op.execute("update wabas set token_ciphertext = null where tenant_id in (select id from tenants where is_sandbox)")
    op.execute("delete from idempotent_requests where tenant_id in (select id from tenants where is_sandbox)")
    op.execute("reset role")
    op.drop_constraint("fk_idempotent_requests_tenant_id", "idempotent_requests", type_="foreignkey")
    op.create_foreign_key(
        op.f("fk_idempotent_requests_tenant_id_api_key_id"),
        "idempotent_requests",
        "api_keys",
        ["tenant_id", "api_key_id"],
        ["tenant_id", "id"],
        ondelete="CASCADE",
    )
    op.drop_constraint(op.f("ck_tenants_is_sandbox"), "tenants", type_="check")
    op.drop_column("tenants", "is_sandbox")
