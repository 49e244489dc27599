"""Every kind of message goes out: uploads of files, reactions of ours, the templates of each WABA."""

import sqlalchemy as sa
from alembic import op
from row_security import protect
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

TENANT_TABLES = ("template_lists", "message_templates")


def upgrade() -> None:
    op.add_column("media", sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("media", sa.Column("seconds", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_media_to_upload", "media", ["next_attempt_at"], unique=False, postgresql_where=sa.text("state = 'stored'")
    )
    op.add_column("reactions", sa.Column("message_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_reactions_tenant_id_message_id"),
        "reactions",
        "messages",
        ["tenant_id", "message_id"],
        ["tenant_id", "id"],
        ondelete="CASCADE",
        postgresql_not_valid=True,
    )
    op.execute("alter table reactions validate constraint fk_reactions_tenant_id_message_id")
    create_tables()
    for table in TENANT_TABLES:
        protect(table)


def create_tables() -> None:
    op.create_table(
        "template_lists",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("waba_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "waba_id"],
            ["wabas.tenant_id", "wabas.id"],
            name=op.f("fk_template_lists_tenant_id_waba_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_template_lists")),
        sa.UniqueConstraint("tenant_id", "waba_id", name=op.f("uq_template_lists_tenant_id_waba_id")),
    )
    op.create_table(
        "message_templates",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("waba_id", sa.Uuid(), nullable=False),
        sa.Column("meta_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("parameter_format", sa.Text(), nullable=False),
        sa.Column("components", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "waba_id"],
            ["wabas.tenant_id", "wabas.id"],
            name=op.f("fk_message_templates_tenant_id_waba_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_message_templates")),
        sa.UniqueConstraint(
            "tenant_id",
            "waba_id",
            "name",
            "language",
            name=op.f("uq_message_templates_tenant_id_waba_id_name_language"),
        ),
    )


def downgrade() -> None:
    op.drop_table("message_templates")
    op.drop_table("template_lists")
    op.drop_constraint(op.f("fk_reactions_tenant_id_message_id"), "reactions", type_="foreignkey")
    op.drop_column("reactions", "message_id")
    op.drop_index("ix_media_to_upload", table_name="media", postgresql_where=sa.text("state = 'stored'"))
    op.drop_column("media", "seconds")
    op.drop_column("media", "uploaded_at")
