"""Contacts as people: tags, fields, notes, links, consents, search, merges, imports."""

import json
import unicodedata
import uuid

import sqlalchemy as sa
from alembic import op
from row_security import protect
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

TENANT_TABLES = (
    "contact_events",
    "contact_field_values",
    "contact_fields",
    "contact_imports",
    "contact_links",
    "contact_merges",
    "contact_notes",
    "contact_tags",
    "contact_terms",
    "merge_moves",
    "merge_suggestions",
    "tags",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_conversations_contact",
            "conversations",
            ["tenant_id", "contact_id"],
            if_not_exists=True,
            postgresql_concurrently=True,
        )
    add_columns()
    create_tables()
    for table in TENANT_TABLES:
        protect(table)
    # A history that is added to. A merge may give it to another contact, an erasure may take it away.
    protect("consents", verbs="select, insert, delete")
    op.execute("grant update (contact_id) on consents to switchboard_app")
    make_findable()


def add_columns() -> None:
    """Where two contacts, or their conversations, became one; the keys are checked without holding up writers."""
    op.add_column("contacts", sa.Column("merged_into_id", sa.Uuid(), nullable=True))
    op.add_column("contacts", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("conversations", sa.Column("merged_into_id", sa.Uuid(), nullable=True))
    for table in ("contacts", "conversations"):
        op.create_foreign_key(
            f"fk_{table}_tenant_id_merged_into_id",
            table,
            table,
            ["tenant_id", "merged_into_id"],
            ["tenant_id", "id"],
            postgresql_not_valid=True,
        )


def create_tables() -> None:
    op.create_table(
        "contact_fields",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("choices", postgresql.JSONB(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('text', 'number', 'date', 'yes_no', 'choice', 'link')", name=op.f("ck_contact_fields_kind")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_contact_fields_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_fields")),
    )
    op.create_index(
        "uq_contact_fields_name", "contact_fields", ["tenant_id", sa.literal_column("lower(name)")], unique=True
    )
    op.create_table(
        "contact_imports",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("mapping", postgresql.JSONB(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", postgresql.JSONB(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('draft', 'done')", name=op.f("ck_contact_imports_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_contact_imports_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_imports")),
    )
    op.create_table(
        "tags",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "color in ('grey', 'green', 'blue', 'violet', 'pink', 'red', 'amber', 'teal')", name=op.f("ck_tags_color")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_tags_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tags")),
    )
    op.create_index("uq_tags_name", "tags", ["tenant_id", sa.literal_column("lower(name)")], unique=True)
    op.create_table(
        "consents",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("is_granted", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("purpose in ('marketing', 'utility')", name=op.f("ck_consents_purpose")),
        sa.CheckConstraint(
            "source in ('message', 'phone', 'form', 'paper', 'import', 'other')", name=op.f("ck_consents_source")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_consents_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_consents")),
    )
    op.create_index(
        "ix_consents_contact",
        "consents",
        ["tenant_id", "contact_id", sa.literal_column("occurred_at desc"), sa.literal_column("id desc")],
        unique=False,
    )
    op.create_table(
        "contact_events",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('created', 'imported', 'renamed', 'exported', 'erased')", name=op.f("ck_contact_events_kind")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_contact_events_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_events")),
    )
    op.create_index(
        "ix_contact_events_contact",
        "contact_events",
        ["tenant_id", "contact_id", sa.literal_column("id desc")],
        unique=False,
    )
    op.create_table(
        "contact_field_values",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("field_id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_contact_field_values_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "field_id"],
            ["contact_fields.tenant_id", "contact_fields.id"],
            name=op.f("fk_contact_field_values_tenant_id_field_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_field_values")),
        sa.UniqueConstraint(
            "tenant_id", "contact_id", "field_id", name=op.f("uq_contact_field_values_tenant_id_contact_id_field_id")
        ),
    )
    op.create_index("ix_contact_field_values_field", "contact_field_values", ["tenant_id", "field_id"], unique=False)
    op.create_table(
        "contact_links",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('property', 'order', 'deal', 'other')", name=op.f("ck_contact_links_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_contact_links_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_links")),
    )
    op.create_index("ix_contact_links_contact", "contact_links", ["tenant_id", "contact_id"], unique=False)
    op.create_table(
        "contact_merges",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_contact_merges_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "other_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_contact_merges_tenant_id_other_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_merges")),
    )
    op.create_index("ix_contact_merges_contact", "contact_merges", ["tenant_id", "contact_id"], unique=False)
    op.create_index("ix_contact_merges_other", "contact_merges", ["tenant_id", "other_id"], unique=False)
    op.create_table(
        "contact_notes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_contact_notes_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_notes")),
    )
    op.create_index(
        "ix_contact_notes_contact",
        "contact_notes",
        ["tenant_id", "contact_id", sa.literal_column("id desc")],
        unique=False,
    )
    op.create_table(
        "contact_tags",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_contact_tags_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tag_id"],
            ["tags.tenant_id", "tags.id"],
            name=op.f("fk_contact_tags_tenant_id_tag_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_tags")),
        sa.UniqueConstraint(
            "tenant_id", "contact_id", "tag_id", name=op.f("uq_contact_tags_tenant_id_contact_id_tag_id")
        ),
    )
    op.create_index(
        "ix_contact_tags_tag",
        "contact_tags",
        ["tenant_id", "tag_id", sa.literal_column("contact_id desc")],
        unique=False,
    )
    op.create_table(
        "contact_terms",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("term", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_contact_terms_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact_terms")),
    )
    op.create_index("ix_contact_terms_term", "contact_terms", ["tenant_id", "term", "contact_id"], unique=False)
    op.create_index("uq_contact_terms_contact", "contact_terms", ["tenant_id", "contact_id", "term"], unique=True)
    op.create_table(
        "merge_suggestions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reason in ('told', 'spelling', 'username', 'card', 'name')", name=op.f("ck_merge_suggestions_reason")
        ),
        sa.CheckConstraint("state in ('open', 'accepted', 'dismissed')", name=op.f("ck_merge_suggestions_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_merge_suggestions_tenant_id_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "other_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("fk_merge_suggestions_tenant_id_other_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_merge_suggestions")),
        sa.UniqueConstraint(
            "tenant_id", "contact_id", "other_id", name=op.f("uq_merge_suggestions_tenant_id_contact_id_other_id")
        ),
    )
    op.create_index("ix_merge_suggestions_other", "merge_suggestions", ["tenant_id", "other_id"], unique=False)
    op.create_table(
        "merge_moves",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merge_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind in ('message', 'conversation', 'identity', 'tag', 'value', 'note', 'link', 'consent', 'team_note', 'activity', 'mention')",
            name=op.f("ck_merge_moves_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "merge_id"],
            ["contact_merges.tenant_id", "contact_merges.id"],
            name=op.f("fk_merge_moves_tenant_id_merge_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_merge_moves")),
    )
    op.create_index("ix_merge_moves_merge", "merge_moves", ["tenant_id", "merge_id", "kind"], unique=False)


def make_findable() -> None:
    """What the contacts of before are found by; as `app/contacts/search.py` did it at this time, in short."""
    op.execute("set local role switchboard_platform")
    connection = op.get_bind()
    last = uuid.UUID(int=0)
    while rows := connection.execute(KNOWN, {"last": last}).all():
        terms = [
            {"tenant": str(row.tenant_id), "id": str(uuid.uuid4()), "contact": str(row.id), "term": term}
            for row in rows
            for term in sorted(terms_of(row.name, row.numbers or []))
        ]
        connection.execute(NEW_TERMS, {"rows": json.dumps(terms)})
        last = rows[-1].id
    op.execute("set local role none")


def terms_of(name: str, numbers: list[str]) -> set[str]:
    apart = unicodedata.normalize("NFKD", name.casefold())
    words = "".join(each for each in apart if unicodedata.category(each) not in ("Mn", "Cf")).split()[:8]
    found = {" ".join(words[start:])[:60] for start in range(len(words))}
    return found | set(numbers) | {f"~{number[::-1]}" for number in numbers}


KNOWN = sa.text("""
    select c.tenant_id, c.id, c.name,
        (select array_agg(i.value) from contact_identities i
         where i.tenant_id = c.tenant_id and i.contact_id = c.id and i.kind = 'wa_id') as numbers
    from contacts c where c.id > :last order by c.id limit 5000
""")
NEW_TERMS = sa.text("""
    insert into contact_terms (tenant_id, id, contact_id, term)
    select tenant, id, contact, term
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(tenant uuid, id uuid, contact uuid, term text)
""")


def downgrade() -> None:
    for table in ("conversations", "contacts"):
        op.drop_constraint(f"fk_{table}_tenant_id_merged_into_id", table, type_="foreignkey")
    op.drop_column("conversations", "merged_into_id")
    op.drop_column("contacts", "erased_at")
    op.drop_column("contacts", "merged_into_id")
    op.drop_index("ix_merge_moves_merge", table_name="merge_moves")
    op.drop_table("merge_moves")
    op.drop_index("ix_merge_suggestions_other", table_name="merge_suggestions")
    op.drop_table("merge_suggestions")
    op.drop_index("uq_contact_terms_contact", table_name="contact_terms")
    op.drop_index("ix_contact_terms_term", table_name="contact_terms")
    op.drop_table("contact_terms")
    op.drop_index("ix_contact_tags_tag", table_name="contact_tags")
    op.drop_table("contact_tags")
    op.drop_index("ix_contact_notes_contact", table_name="contact_notes")
    op.drop_table("contact_notes")
    op.drop_index("ix_contact_merges_other", table_name="contact_merges")
    op.drop_index("ix_contact_merges_contact", table_name="contact_merges")
    op.drop_table("contact_merges")
    op.drop_index("ix_contact_links_contact", table_name="contact_links")
    op.drop_table("contact_links")
    op.drop_index("ix_contact_field_values_field", table_name="contact_field_values")
    op.drop_table("contact_field_values")
    op.drop_index("ix_contact_events_contact", table_name="contact_events")
    op.drop_table("contact_events")
    op.drop_index("ix_consents_contact", table_name="consents")
    op.drop_table("consents")
    op.drop_index("uq_tags_name", table_name="tags")
    op.drop_table("tags")
    op.drop_table("contact_imports")
    op.drop_index("uq_contact_fields_name", table_name="contact_fields")
    op.drop_table("contact_fields")
    op.drop_index("ix_conversations_contact", table_name="conversations")
