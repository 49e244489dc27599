"""Drafts, files of canned replies, what macros send and tag, questions by template, free entry points."""

import sqlalchemy as sa
from alembic import op
from row_security import protect

revision = "0014"
down_revision = "0013"

TENANT_TABLES = ("drafts", "canned_files", "macro_tags")
ACTIVITIES = [
    "open",
    "pending",
    "snoozed",
    "resolved",
    "archived",
    "spam",
    "blocked",
    "woken",
    "answered",
    "assigned",
    "unassigned",
    "given",
    "team",
    "no_team",
]
MACRO_WORDS = ("canned_shortcut", "template_name", "template_language")
FILE_KINDS = ("audio", "document", "image", "sticker", "video")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name in ("entry_at", "free_until"):
        op.add_column("conversations", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in ("survey_template_name", "survey_template_language"):
        op.add_column("service_policies", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column(
        "service_policies", sa.Column("survey_reopens", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    for name in MACRO_WORDS:
        op.add_column("macros", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("macros", sa.Column("canned_reply_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_macros_tenant_id_canned_reply_id"),
        "macros",
        "canned_replies",
        ["tenant_id", "canned_reply_id"],
        ["tenant_id", "id"],
        ondelete="SET NULL (canned_reply_id)",
    )
    create_drafts()
    create_canned_files()
    create_macro_tags()
    for table in TENANT_TABLES:
        protect(table)
    allow_activities([*ACTIVITIES, "unhappy"])


def create_drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("typed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('reply', 'note')", name=op.f("ck_drafts_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_drafts_tenant_id_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["memberships.tenant_id", "memberships.user_id"],
            name=op.f("fk_drafts_tenant_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_drafts")),
        sa.UniqueConstraint(
            "tenant_id",
            "conversation_id",
            "user_id",
            "kind",
            name=op.f("uq_drafts_tenant_id_conversation_id_user_id_kind"),
        ),
    )
    op.create_index("ix_drafts_typed", "drafts", ["typed_at"])


def create_canned_files() -> None:
    op.create_table(
        "canned_files",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("canned_reply_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("thumbnail_key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            f"kind in ({', '.join(repr(kind) for kind in FILE_KINDS)})", name=op.f("ck_canned_files_kind")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_canned_files_tenant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "canned_reply_id"],
            ["canned_replies.tenant_id", "canned_replies.id"],
            name=op.f("fk_canned_files_tenant_id_canned_reply_id"),
            ondelete="SET NULL (canned_reply_id)",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_canned_files")),
        sa.UniqueConstraint("tenant_id", "canned_reply_id", name=op.f("uq_canned_files_tenant_id_canned_reply_id")),
    )
    op.create_index(
        "ix_canned_files_left", "canned_files", ["created_at"], postgresql_where=sa.text("canned_reply_id is null")
    )


def create_macro_tags() -> None:
    op.create_table(
        "macro_tags",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("macro_id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column("is_added", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "macro_id"],
            ["macros.tenant_id", "macros.id"],
            name=op.f("fk_macro_tags_tenant_id_macro_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tag_id"],
            ["tags.tenant_id", "tags.id"],
            name=op.f("fk_macro_tags_tenant_id_tag_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_macro_tags")),
        sa.UniqueConstraint("tenant_id", "macro_id", "tag_id", name=op.f("uq_macro_tags_tenant_id_macro_id_tag_id")),
    )


def allow_activities(kinds: list[str]) -> None:
    """The rows are checked after the commit, holding up nobody."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("alter table activities drop constraint ck_activities_kind")
    op.execute(f"alter table activities add constraint ck_activities_kind check (kind in ({listed})) not valid")
    with op.get_context().autocommit_block():
        op.execute("alter table activities validate constraint ck_activities_kind")


def downgrade() -> None:
    op.execute("set role switchboard_platform")
    op.execute("delete from activities where kind = 'unhappy'")
    op.execute("reset role")
    for table in reversed(TENANT_TABLES):
        op.drop_table(table)
    op.drop_constraint("fk_macros_tenant_id_canned_reply_id", "macros")
    for name in ("canned_reply_id", *MACRO_WORDS):
        op.drop_column("macros", name)
    for name in ("survey_reopens", "survey_template_language", "survey_template_name"):
        op.drop_column("service_policies", name)
    for name in ("free_until", "entry_at"):
        op.drop_column("conversations", name)
    allow_activities([*ACTIVITIES])
