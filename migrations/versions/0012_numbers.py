"""The life of a number: what Meta says of it and how that changed, setup links, offboarding, Meta's callbacks."""

import sqlalchemy as sa
from alembic import op
from row_security import protect, share
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"

TENANT_TABLES = ("number_changes", "offboardings", "setup_links")
WORDS = {
    "phone_numbers": (
        "status",
        "name_status",
        "requested_name",
        "throughput",
        "username",
        "can_send",
    ),
    "wabas": ("token_user_id", "status", "review_status", "verification_status"),
    "onboardings": ("token_user_id",),
}
MOMENTS = {"wabas": ("checked_at",), "onboardings": ("code_lost_at", "cancelled_at", "nudged_at")}


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table, names in WORDS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), server_default="", nullable=False))
    for table, names in MOMENTS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("wabas", sa.Column("token_warned_days", sa.BigInteger(), nullable=True))
    op.add_column("phone_numbers", sa.Column("is_on_biz_app", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("phone_numbers", sa.Column("health", postgresql.JSONB(), server_default="[]", nullable=False))
    op.add_column("onboardings", sa.Column("source", sa.Text(), server_default="facebook", nullable=False))
    op.execute(
        "alter table onboardings add constraint ck_onboardings_source"
        " check (source in ('facebook', 'token', 'partner')) not valid"
    )
    op.execute("alter table onboardings validate constraint ck_onboardings_source")
    op.create_index(
        "ix_onboardings_cancelled", "onboardings", ["cancelled_at"], postgresql_where=sa.text("state = 'cancelled'")
    )
    create_tables()
    for table in TENANT_TABLES:
        protect(table)
    # Accounts of every client, read by the platform alone.
    share("partner_wabas", app="")
    share("meta_callbacks", app="select, insert")


def create_tables() -> None:
    op.create_table(
        "number_changes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "phone_number_id"],
            ["phone_numbers.tenant_id", "phone_numbers.id"],
            name=op.f("fk_number_changes_tenant_id_phone_number_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_number_changes")),
        sa.UniqueConstraint(
            "tenant_id",
            "phone_number_id",
            "kind",
            "new",
            "occurred_at",
            name=op.f("uq_number_changes_once"),
        ),
    )
    op.create_index("ix_number_changes_recent", "number_changes", ["tenant_id", "phone_number_id", "occurred_at"])
    op.create_table(
        "setup_links",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("onboarding_id", sa.Uuid(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_setup_links_tenant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "onboarding_id"],
            ["onboardings.tenant_id", "onboardings.id"],
            name=op.f("fk_setup_links_tenant_id_onboarding_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_setup_links")),
    )
    op.create_table(
        "offboardings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("waba_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("done", postgresql.JSONB(), nullable=False),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('running', 'failed', 'done')", name=op.f("ck_offboardings_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "waba_id"], ["wabas.tenant_id", "wabas.id"], name=op.f("fk_offboardings_tenant_id_waba_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_offboardings")),
    )
    op.create_index(
        "ix_offboardings_running",
        "offboardings",
        ["next_attempt_at"],
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "partner_wabas",
        sa.Column("meta_id", sa.Text(), nullable=False),
        sa.Column("owner_business_id", sa.Text(), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("meta_id", name=op.f("pk_partner_wabas")),
    )
    op.create_table(
        "meta_callbacks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("meta_user_id", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('deauthorize', 'data_deletion')", name=op.f("ck_meta_callbacks_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meta_callbacks")),
    )
    op.create_index(
        "ix_meta_callbacks_waiting", "meta_callbacks", ["received_at"], postgresql_where=sa.text("handled_at is null")
    )


def downgrade() -> None:
    for table in ("meta_callbacks", "partner_wabas", "offboardings", "setup_links", "number_changes"):
        op.drop_table(table)
    op.drop_index("ix_onboardings_cancelled", table_name="onboardings")
    op.drop_column("onboardings", "source")
    op.drop_column("phone_numbers", "health")
    op.drop_column("phone_numbers", "is_on_biz_app")
    op.drop_column("wabas", "token_warned_days")
    for table, names in MOMENTS.items():
        for name in names:
            op.drop_column(table, name)
    for table, names in WORDS.items():
        for name in names:
            op.drop_column(table, name)
