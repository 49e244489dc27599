"""The life of templates: versions, changes, samples, figures, and what a business chose for them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect

revision = "0041"
down_revision = "0040"

ADDED = (
    ("ttl_seconds", sa.BigInteger(), {}),
    ("status_at", sa.DateTime(timezone=True), {}),
    ("status_facts", JSONB(), {}),
    ("quality_score", sa.Text(), {}),
    ("correct_category", sa.Text(), {}),
    ("previous_category", sa.Text(), {}),
    ("source", sa.Text(), {"server_default": "", "nullable": False}),
    ("folder", sa.Text(), {"server_default": "", "nullable": False}),
    ("is_hidden", sa.Boolean(), {"server_default": sa.false(), "nullable": False}),
)
MADE = (
    "template_settings",
    "template_figures",
    "template_samples",
    "template_changes",
    "template_versions",
)


def keys(table: str, *, to_template: bool) -> list[sa.Constraint]:
    """The primary key, and whose it is."""
    primary = sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))
    if not to_template:
        name = op.f(f"fk_{table}_tenant_id")
        return [primary, sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=name, ondelete="CASCADE")]
    mine = sa.ForeignKeyConstraint(
        ["tenant_id", "template_id"],
        ["message_templates.tenant_id", "message_templates.id"],
        name=op.f(f"fk_{table}_tenant_id_template_id"),
        ondelete="CASCADE",
    )
    return [primary, mine]


def ids() -> list[sa.Column]:
    return [sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name, type, options in ADDED:
        op.add_column("message_templates", sa.Column(name, type, **options))
    op.alter_column("message_templates", "meta_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_message_templates_draft_has_no_meta_id"),
        "message_templates",
        "(status = 'DRAFT') = (meta_id is null)",
    )
    op.create_table(
        "template_versions",
        *ids(),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("parameter_format", sa.Text(), nullable=False),
        sa.Column("components", JSONB(), nullable=False),
        sa.Column("ttl_seconds", sa.BigInteger(), nullable=True),
        sa.Column("edited_by", JSONB(), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", JSONB(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_edit", sa.Boolean(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("error", JSONB(), nullable=True),
        sa.CheckConstraint(
            "state in ('draft', 'awaiting', 'submitting', 'submitted', 'approved', 'rejected')",
            name=op.f("ck_template_versions_state"),
        ),
        sa.UniqueConstraint(
            "tenant_id", "template_id", "number", name=op.f("uq_template_versions_tenant_id_template_id_number")
        ),
        *keys("template_versions", to_template=True),
    )
    op.create_index(
        "uq_template_versions_open",
        "template_versions",
        ["tenant_id", "template_id"],
        unique=True,
        postgresql_where=sa.text("state in ('draft', 'awaiting', 'submitting')"),
    )
    op.create_index(
        "ix_template_versions_leased",
        "template_versions",
        ["lease_until"],
        postgresql_where=sa.text("state = 'submitting'"),
    )
    op.create_table(
        "template_changes",
        *ids(),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("actor", JSONB(), nullable=True),
        sa.Column("facts", JSONB(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("what in ('status', 'category', 'quality')", name=op.f("ck_template_changes_what")),
        sa.CheckConstraint(
            "source in ('webhook', 'sync', 'submission', 'member')", name=op.f("ck_template_changes_source")
        ),
        *keys("template_changes", to_template=True),
    )
    op.create_index("ix_template_changes_life", "template_changes", ["tenant_id", "template_id", "at"])
    op.create_table(
        "template_samples",
        *ids(),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=True),
        sa.Column("handle_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("tenant_id", "sha256", "format", name=op.f("uq_template_samples_tenant_id_sha256_format")),
        *keys("template_samples", to_template=False),
    )
    op.create_table(
        "template_figures",
        *ids(),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("read", sa.BigInteger(), nullable=False),
        sa.Column("clicked", JSONB(), nullable=False),
        sa.UniqueConstraint(
            "tenant_id", "template_id", "day", name=op.f("uq_template_figures_tenant_id_template_id_day")
        ),
        *keys("template_figures", to_template=True),
    )
    op.create_table(
        "template_settings",
        *ids(),
        sa.Column("needs_approval", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_template_settings_tenant_id")),
        *keys("template_settings", to_template=False),
    )
    for table in MADE:
        protect(table)


def downgrade() -> None:
    """Drafts that never were at Meta go: before this, a template without Meta's id could not be stored."""
    op.execute("set local lock_timeout = '5s'")
    for table in MADE:
        op.drop_table(table)
    op.drop_constraint("ck_message_templates_draft_has_no_meta_id", "message_templates")
    op.execute("set local role switchboard_platform")
    op.execute("delete from message_templates where meta_id is null")
    op.execute("set local role none")
    op.alter_column("message_templates", "meta_id", nullable=False)
    for name, _type, _options in ADDED:
        op.drop_column("message_templates", name)
