"""Contacts: imports read by a job, the table of them, exports with a trace, and one folding for every search."""

import pathlib

import sqlalchemy as sa
from alembic import op
from row_security import protect
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"

IS_LISTED = "merged_into_id is null and erased_at is null"
INDEXES = {
    "ix_contacts_sort_name": f"contacts (tenant_id, sort_name, id) where {IS_LISTED}",
    "ix_contacts_last_seen": f"contacts (tenant_id, last_seen_at desc, id desc) where {IS_LISTED}",
    "ix_contacts_terms_version": "contacts (tenant_id, id) where terms_version < 1",
}
# What they hold is folded by `search_fold`, so they are written anew beside the traffic.
FOLDED = ("ix_messages_search", "ix_notes_search")
SQL = pathlib.Path(__file__).parent
STATES = "('reading', 'checking', 'ready', 'importing', 'done', 'failed')"
BATCH = 5_000


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    add_contact_columns()
    change_imports()
    create_tables()
    op.execute((SQL / "0020_search_fold.sql").read_text())
    with op.get_context().autocommit_block():
        fill_last_seen()
        for name, rest in INDEXES.items():
            op.execute(f"drop index concurrently if exists {name}")
            op.execute(f"create index concurrently {name} on {rest}")
        for name in FOLDED:
            op.execute(f"reindex index concurrently {name}")


def add_contact_columns() -> None:
    """Constant defaults: no row is rewritten. The clock's sweep fills `sort_name` and the terms in batches."""
    never = sa.text("to_timestamp(0)")
    op.add_column(
        "contacts", sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=never, nullable=False)
    )
    op.add_column("contacts", sa.Column("sort_name", sa.Text(collation="C"), server_default="", nullable=False))
    op.add_column("contacts", sa.Column("terms_version", sa.BigInteger(), server_default="0", nullable=False))


def change_imports() -> None:
    """Files that were only looked at so far have to be chosen again."""
    op.execute("set role switchboard_platform")
    op.execute("delete from contact_imports where state = 'draft'")
    op.execute("reset role")
    op.drop_constraint("ck_contact_imports_state", "contact_imports")
    op.drop_column("contact_imports", "body")
    for column in (
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("options", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("format", sa.Text(), server_default="", nullable=False),
        sa.Column("encoding", sa.Text(), server_default="", nullable=False),
        sa.Column("guessed_encoding", sa.Text(), server_default="", nullable=False),
        sa.Column("delimiter", sa.Text(), server_default="", nullable=False),
        sa.Column("sheet", sa.Text(), server_default="", nullable=False),
        sa.Column("sheets", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("has_header", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("header", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("number_choice", sa.Text(), server_default="first", nullable=False),
        sa.Column("failure", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("counts", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("is_cleared", sa.Boolean(), server_default=sa.false(), nullable=False),
    ):
        op.add_column("contact_imports", column)
    for name, condition in (
        ("state", f"state in {STATES}"),
        ("format", "format in ('', 'csv', 'xlsx', 'vcard')"),
        ("number_choice", "number_choice in ('first', 'refuse')"),
    ):
        op.create_check_constraint(op.f(f"ck_contact_imports_{name}"), "contact_imports", condition)
    busy = sa.text("state in ('reading', 'checking', 'importing')")
    op.create_index("ix_contact_imports_busy", "contact_imports", ["created_at"], postgresql_where=busy)
    op.create_index(
        "ix_contact_imports_old", "contact_imports", ["created_at"], postgresql_where=sa.text("not is_cleared")
    )


def create_tables() -> None:
    op.create_table(
        "contact_import_rows",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("cells", postgresql.JSONB(), nullable=False),
        sa.Column("damage", postgresql.JSONB(), nullable=False),
        sa.Column("wa_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tags", postgresql.JSONB(), nullable=False),
        sa.Column("marketing", sa.Boolean(), nullable=True),
        sa.Column("field_values", postgresql.JSONB(), nullable=False),
        sa.Column("problems", postgresql.JSONB(), nullable=False),
        of("contact_import_rows", "import_id", "contact_imports"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_import_rows")),
        sa.UniqueConstraint(
            "tenant_id", "import_id", "number", name=op.f("uq_contact_import_rows_tenant_id_import_id_number")
        ),
    )
    op.create_index(
        "ix_contact_import_rows_bad",
        "contact_import_rows",
        ["tenant_id", "import_id", "number"],
        postgresql_where=sa.text("problems <> '[]'::jsonb"),
    )
    op.create_table(
        "contact_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        of_tenant("contact_settings"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_settings")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_contact_settings_tenant_id")),
    )
    op.create_table(
        "contact_tables",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("columns", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["memberships.tenant_id", "memberships.user_id"],
            name=op.f("fk_contact_tables_tenant_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_tables")),
        sa.UniqueConstraint("tenant_id", "user_id", name=op.f("uq_contact_tables_tenant_id_user_id")),
    )
    op.create_table(
        "contact_taggings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column("is_added", sa.Boolean(), nullable=False),
        sa.Column("contact_ids", postgresql.JSONB(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        of("contact_taggings", "tag_id", "tags"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_taggings")),
    )
    op.create_table(
        "contact_exports",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("contact_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        of_tenant("contact_exports"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_exports")),
    )
    op.create_index("ix_contact_exports_newest", "contact_exports", ["tenant_id", sa.literal_column("id desc")])
    for table in ("contact_import_rows", "contact_settings", "contact_tables", "contact_taggings"):
        protect(table)
    protect("contact_exports", verbs="select, insert")


def of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{other}.tenant_id", f"{other}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )


def of_tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"), ondelete="CASCADE"
    )


def fill_last_seen() -> None:
    """From the conversations, a batch of contacts per transaction; may run again."""
    op.execute("set role switchboard_platform")
    connection, last = op.get_bind(), None
    while True:
        rows = connection.execute(
            sa.text("""
                with batch as (
                    select tenant_id, id from contacts
                    where cast(:tenant as uuid) is null or (tenant_id, id) > (cast(:tenant as uuid), cast(:id as uuid))
                    order by tenant_id, id limit :batch
                ), seen as (
                    select b.tenant_id, b.id, max(c.last_inbound_at) as at
                    from batch b join conversations c on c.tenant_id = b.tenant_id and c.contact_id = b.id
                    group by 1, 2
                ), filled as (
                    update contacts c set last_seen_at = s.at from seen s
                    where c.tenant_id = s.tenant_id and c.id = s.id and s.at > c.last_seen_at
                )
                select tenant_id, id from batch order by 1, 2
            """),
            {"tenant": last and last[0], "id": last and last[1], "batch": BATCH},
        ).all()
        if not rows:
            break
        last = rows[-1]
    op.execute("reset role")


def downgrade() -> None:
    op.execute((SQL / "0020_search_fold_before.sql").read_text())
    for table in ("contact_exports", "contact_taggings", "contact_tables", "contact_settings", "contact_import_rows"):
        op.drop_table(table)
    for name in INDEXES:
        op.drop_index(name, "contacts")
    for column in ("terms_version", "sort_name", "last_seen_at"):
        op.drop_column("contacts", column)
    op.execute("set role switchboard_platform")
    op.execute("delete from contact_imports where state <> 'done'")
    op.execute("reset role")
    for name in ("ix_contact_imports_busy", "ix_contact_imports_old"):
        op.drop_index(name, "contact_imports")
    for name in ("state", "format", "number_choice"):
        op.drop_constraint(f"ck_contact_imports_{name}", "contact_imports")
    for column in [
        "is_cleared",
        "attempts",
        "counts",
        "failure",
        "number_choice",
        "country",
        "header",
        "has_header",
        "sheets",
        "sheet",
        "delimiter",
        "guessed_encoding",
        "encoding",
        "format",
        "options",
        "data",
    ]:
        op.drop_column("contact_imports", column)
    op.add_column("contact_imports", sa.Column("body", sa.Text(), server_default="", nullable=False))
    op.alter_column("contact_imports", "body", server_default=None)
    op.create_check_constraint(op.f("ck_contact_imports_state"), "contact_imports", "state in ('draft', 'done')")
