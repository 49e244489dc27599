"""WhatsApp Flows: forms, their versions, what Meta reports of them, responses, keys, appointment slots and bookings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect

revision = "0054"
down_revision = "0053"

MOMENT = sa.DateTime(timezone=True)
MADE = (
    *("whatsapp_flows", "flow_versions", "flow_notices", "flow_lists", "flow_responses"),
    *("flow_keys", "flow_slots", "flow_bookings"),
)


def ids() -> list[sa.Column]:
    return [sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def key(table: str) -> sa.Constraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def to(table: str, other: str, column: str, ondelete: str | None = None) -> sa.Constraint:
    name = op.f(f"fk_{table}_tenant_id_{column}")
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{other}.tenant_id", f"{other}.id"], name=name, ondelete=ondelete
    )


def text(name: str, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


# What a merge of contacts moves; the last two are new.
MOVES = ("message", "conversation", "identity", "tag", "value", "note", "link", "consent", "team_note", "activity")
MOVES += ("mention", "stretch", "run", "trace", "flow_response", "flow_booking")


def allow_moves(kinds: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("alter table merge_moves drop constraint ck_merge_moves_kind")
    op.execute(f"alter table merge_moves add constraint ck_merge_moves_kind check (kind in ({listed})) not valid")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "whatsapp_flows",
        *ids(),
        sa.Column("waba_id", sa.Uuid(), nullable=False),
        text("name"),
        text("source"),
        sa.Column("categories", JSONB(), nullable=False),
        sa.Column("field_map", JSONB(), nullable=False),
        text("lookup_url", ""),
        sa.Column("lookup_secret_ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("is_archived", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("source in ('here', 'meta')", name=op.f("ck_whatsapp_flows_source")),
        sa.UniqueConstraint("tenant_id", "waba_id", "name", name=op.f("uq_whatsapp_flows_tenant_id_waba_id_name")),
        key("whatsapp_flows"),
        to("whatsapp_flows", "wabas", "waba_id"),
    )
    op.create_table(
        "flow_versions",
        *ids(),
        sa.Column("flow_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        text("meta_id", ""),
        text("status"),
        sa.Column("screens", JSONB(), nullable=False),
        sa.Column("flow_json", JSONB(), nullable=False),
        sa.Column("problems", JSONB(), nullable=False),
        sa.Column("error", JSONB(), nullable=True),
        text("preview_url", ""),
        sa.Column("preview_expires_at", MOMENT, nullable=True),
        text("task", ""),
        sa.Column("task_attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("task_at", MOMENT, nullable=True),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.Column("created_by", JSONB(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "task in ('', 'upload', 'publish', 'deprecate', 'delete')", name=op.f("ck_flow_versions_task")
        ),
        sa.UniqueConstraint("tenant_id", "flow_id", "number", name=op.f("uq_flow_versions_tenant_id_flow_id_number")),
        key("flow_versions"),
        to("flow_versions", "whatsapp_flows", "flow_id", "CASCADE"),
    )
    op.create_index(
        "uq_flow_versions_meta_id",
        "flow_versions",
        ["tenant_id", "meta_id"],
        unique=True,
        postgresql_where=sa.text("meta_id <> ''"),
    )
    op.create_index("ix_flow_versions_task", "flow_versions", ["task_at"], postgresql_where=sa.text("task <> ''"))
    op.create_table(
        "flow_notices",
        *ids(),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        text("event"),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.UniqueConstraint(
            "tenant_id", "version_id", "event", "at", name=op.f("uq_flow_notices_tenant_id_version_id_event_at")
        ),
        key("flow_notices"),
        to("flow_notices", "flow_versions", "version_id", "CASCADE"),
    )
    op.create_index("ix_flow_notices_version", "flow_notices", ["tenant_id", "version_id", sa.text("at desc")])
    op.create_table(
        "flow_lists",
        *ids(),
        sa.Column("fetched_at", MOMENT, nullable=True),
        sa.Column("error", JSONB(), nullable=True),
        key("flow_lists"),
        to("flow_lists", "wabas", "id", "CASCADE"),
    )
    op.create_table(
        "flow_responses",
        *ids(),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("flow_id", sa.Uuid(), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("sent_message_id", sa.Uuid(), nullable=True),
        text("token"),
        sa.Column("answers", JSONB(), nullable=False),
        sa.Column("rows", JSONB(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.UniqueConstraint("tenant_id", "message_id", name=op.f("uq_flow_responses_tenant_id_message_id")),
        key("flow_responses"),
        to("flow_responses", "contacts", "contact_id"),
        to("flow_responses", "conversations", "conversation_id"),
        to("flow_responses", "messages", "message_id", "CASCADE"),
        to("flow_responses", "whatsapp_flows", "flow_id"),
        to("flow_responses", "flow_versions", "version_id"),
    )
    newest = [sa.text("at desc"), sa.text("id desc")]
    op.create_index("ix_flow_responses_newest", "flow_responses", ["tenant_id", *newest])
    op.create_index("ix_flow_responses_flow", "flow_responses", ["tenant_id", "flow_id", *newest])
    op.create_index("ix_flow_responses_contact", "flow_responses", ["tenant_id", "contact_id"])
    op.create_index("ix_flow_responses_conversation", "flow_responses", ["tenant_id", "conversation_id"])
    op.create_table(
        "flow_keys",
        *ids(),
        sa.Column("private_key_ciphertext", sa.LargeBinary(), nullable=False),
        text("public_key"),
        sa.Column("registered_at", MOMENT, nullable=True),
        sa.Column("error", JSONB(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        key("flow_keys"),
        to("flow_keys", "phone_numbers", "id", "CASCADE"),
    )
    op.create_table(
        "flow_slots",
        *ids(),
        sa.Column("weekday", sa.BigInteger(), nullable=False),
        sa.Column("starts_minute", sa.BigInteger(), nullable=False),
        sa.Column("ends_minute", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("weekday between 0 and 6", name=op.f("ck_flow_slots_weekday")),
        sa.CheckConstraint("capacity between 1 and 100", name=op.f("ck_flow_slots_capacity")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_flow_slots_tenant_id"), ondelete="CASCADE"
        ),
        key("flow_slots"),
    )
    op.create_table(
        "flow_bookings",
        *ids(),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("seat", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("flow_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        text("token"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("tenant_id", "starts_at", "seat", name=op.f("uq_flow_bookings_tenant_id_starts_at_seat")),
        sa.UniqueConstraint("tenant_id", "token", name=op.f("uq_flow_bookings_tenant_id_token")),
        key("flow_bookings"),
        to("flow_bookings", "whatsapp_flows", "flow_id"),
        to("flow_bookings", "contacts", "contact_id"),
    )
    op.create_index("ix_flow_bookings_contact", "flow_bookings", ["tenant_id", "contact_id"])
    for table in MADE:
        protect(table)
    allow_moves(MOVES)
    op.execute("alter table merge_moves validate constraint ck_merge_moves_kind")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    allow_moves(MOVES[:-2])
    for table in reversed(MADE):
        op.drop_table(table)
