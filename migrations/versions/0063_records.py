"""Records of other systems, their links and stages; connections to CRMs, what is looked up there, and notes written."""

import re

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect

revision = "0063"
down_revision = "0062"

MOMENT = sa.DateTime(timezone=True)
MADE = (
    *("records", "record_links", "record_changes", "record_terms", "record_stages"),
    *("crm_connections", "crm_lookups", "crm_notes"),
)
# What a merge of contacts moves from now on.
MOVES = ("record_link", "record_talk", "crm_note", "crm_note_talk")


def ids() -> list[sa.Column]:
    return [sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def key(table: str) -> sa.Constraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def to(table: str, other: str, column: str) -> sa.Constraint:
    name = op.f(f"fk_{table}_tenant_id_{column}")
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{other}.tenant_id", f"{other}.id"], name=name, ondelete="CASCADE"
    )


def of_tenant(table: str) -> sa.Constraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"), ondelete="CASCADE"
    )


def text(name: str, default: str | None = None, **more: str) -> sa.Column:
    return sa.Column(name, sa.Text(**more), nullable=False, server_default=default)


def uuid(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, MOMENT, nullable=nullable)


def flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)


def actor(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    kinds = "'agent', 'automation', 'assistant', 'campaign', 'sequence', 'api', 'phone', 'system'"
    columns = sa.Column("by_kind", sa.Text()), sa.Column("by_id", sa.Uuid()), sa.Column("by_name", sa.Text())
    return *columns, sa.CheckConstraint(f"by_kind in ({kinds})", name=op.f(f"ck_{table}_by_kind"))


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    types = "'lead', 'deal', 'property', 'order', 'appointment', 'contact', 'other'"
    op.create_table(
        "records",
        *ids(),
        text("type"),
        text("source"),
        text("external_id"),
        text("title"),
        text("url", ""),
        sa.Column("attributes", JSONB(), nullable=False),
        text("stage", ""),
        text("stage_key", ""),
        sa.Column("amount_micros", sa.BigInteger(), nullable=True),
        text("currency", ""),
        text("owner_name", ""),
        flag("is_mirrored"),
        moment("staged_at"),
        moment("seen_at"),
        moment("gone_at", nullable=True),
        moment("updated_at"),
        moment("created_at"),
        sa.CheckConstraint(f"type in ({types})", name=op.f("ck_records_type")),
        sa.UniqueConstraint("tenant_id", "source", "type", "external_id", name=op.f("uq_records_external")),
        key("records"),
        of_tenant("records"),
    )
    stages = ["tenant_id", "type", "stage_key", sa.text("staged_at desc"), sa.text("id desc")]
    op.create_index("ix_records_stage", "records", stages)
    op.create_table(
        "record_links",
        *ids(),
        uuid("record_id"),
        uuid("contact_id"),
        uuid("conversation_id", nullable=True),
        *actor("record_links"),
        moment("removed_at", nullable=True),
        moment("created_at"),
        sa.UniqueConstraint("tenant_id", "record_id", "contact_id", name=op.f("uq_record_links_record")),
        key("record_links"),
        to("record_links", "records", "record_id"),
        to("record_links", "contacts", "contact_id"),
        to("record_links", "conversations", "conversation_id"),
    )
    op.create_index("ix_record_links_contact", "record_links", ["tenant_id", "contact_id"])
    op.create_index("ix_record_links_conversation", "record_links", ["tenant_id", "conversation_id"])
    op.create_table(
        "record_changes",
        *ids(),
        uuid("record_id"),
        text("kind"),
        sa.Column("facts", JSONB(), nullable=False),
        *actor("record_changes"),
        moment("at"),
        sa.CheckConstraint("kind in ('created', 'stage', 'linked', 'unlinked')", name=op.f("ck_record_changes_kind")),
        key("record_changes"),
        to("record_changes", "records", "record_id"),
    )
    op.create_index("ix_record_changes_record", "record_changes", ["tenant_id", "record_id", sa.text("id desc")])
    op.create_table(
        "record_terms",
        *ids(),
        uuid("record_id"),
        text("term", collation="C"),
        key("record_terms"),
        to("record_terms", "records", "record_id"),
    )
    op.create_index("uq_record_terms_record", "record_terms", ["tenant_id", "record_id", "term"], unique=True)
    op.create_index("ix_record_terms_term", "record_terms", ["tenant_id", "term", "record_id"])
    op.create_table(
        "record_stages",
        *ids(),
        text("type"),
        text("name"),
        text("key"),
        text("outcome"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(f"type in ({types})", name=op.f("ck_record_stages_type")),
        sa.CheckConstraint("outcome in ('open', 'won', 'lost')", name=op.f("ck_record_stages_outcome")),
        sa.UniqueConstraint("tenant_id", "type", "key", name=op.f("uq_record_stages_key")),
        key("record_stages"),
        of_tenant("record_stages"),
    )
    op.create_table(
        "crm_connections",
        *ids(),
        text("provider"),
        text("state"),
        sa.Column("token_ciphertext", sa.LargeBinary(), nullable=True),
        text("account_id", ""),
        text("account_name", ""),
        text("link_base", ""),
        text("currency", ""),
        sa.Column("directory", JSONB(), nullable=False),
        moment("directory_at", nullable=True),
        flag("writes_notes"),
        flag("quotes_messages"),
        text("problem", ""),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        moment("rests_until", nullable=True),
        flag("is_mail_due"),
        moment("checked_at", nullable=True),
        sa.Column("created_by", JSONB(), nullable=True),
        moment("created_at"),
        sa.CheckConstraint("provider in ('hubspot', 'pipedrive')", name=op.f("ck_crm_connections_provider")),
        sa.CheckConstraint("state in ('connected', 'needs_token')", name=op.f("ck_crm_connections_state")),
        sa.UniqueConstraint("tenant_id", "provider", name=op.f("uq_crm_connections_tenant_id_provider")),
        key("crm_connections"),
        of_tenant("crm_connections"),
    )
    op.create_table(
        "crm_lookups",
        *ids(),
        uuid("connection_id"),
        uuid("contact_id"),
        moment("due_at", nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        moment("fetched_at", nullable=True),
        sa.Column("people", sa.BigInteger(), server_default="0", nullable=False),
        text("problem", ""),
        sa.UniqueConstraint("tenant_id", "connection_id", "contact_id", name=op.f("uq_crm_lookups_contact")),
        key("crm_lookups"),
        to("crm_lookups", "crm_connections", "connection_id"),
        to("crm_lookups", "contacts", "contact_id"),
    )
    due = sa.text("due_at is not null")
    op.create_index("ix_crm_lookups_due", "crm_lookups", ["tenant_id", "connection_id", "due_at"], postgresql_where=due)
    op.create_index("ix_crm_lookups_contact", "crm_lookups", ["tenant_id", "contact_id"])
    op.create_table(
        "crm_notes",
        *ids(),
        uuid("connection_id"),
        uuid("happening_id"),
        uuid("contact_id"),
        uuid("conversation_id"),
        text("state"),
        text("external_id", ""),
        moment("due_at", nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        text("problem", ""),
        text("resolved_by", ""),
        moment("resolved_at"),
        moment("written_at", nullable=True),
        sa.CheckConstraint(
            "state in ('waiting', 'writing', 'written', 'nobody', 'failed')", name=op.f("ck_crm_notes_state")
        ),
        sa.UniqueConstraint("tenant_id", "connection_id", "happening_id", name=op.f("uq_crm_notes_happening")),
        key("crm_notes"),
        to("crm_notes", "crm_connections", "connection_id"),
        to("crm_notes", "contacts", "contact_id"),
        to("crm_notes", "conversations", "conversation_id"),
    )
    op.create_index("ix_crm_notes_due", "crm_notes", ["tenant_id", "connection_id", "due_at"], postgresql_where=due)
    op.create_index("ix_crm_notes_contact", "crm_notes", ["tenant_id", "contact_id"])
    op.create_index("ix_crm_notes_conversation", "crm_notes", ["tenant_id", "conversation_id"])
    for table in MADE:
        protect(table)
    allow_moves([*moves(), *MOVES])
    op.execute("alter table merge_moves validate constraint ck_merge_moves_kind")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role switchboard_platform")
    listed = ", ".join(f"'{kind}'" for kind in MOVES)
    op.execute(f"delete from merge_moves where kind in ({listed})")
    op.execute("reset role")
    allow_moves([kind for kind in moves() if kind not in MOVES])
    for table in reversed(MADE):
        op.drop_table(table)


def moves() -> list[str]:
    """The kinds of rows that a merge may move so far."""
    check = op.get_bind().scalar(
        sa.text("select pg_get_constraintdef(oid) from pg_constraint where conname = 'ck_merge_moves_kind'")
    )
    return re.findall(r"'(\w+)'", check)


def allow_moves(kinds: list[str]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("alter table merge_moves drop constraint ck_merge_moves_kind")
    op.execute(f"alter table merge_moves add constraint ck_merge_moves_kind check (kind in ({listed})) not valid")
