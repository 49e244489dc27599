"""The assistant: its versions, the key to a model, knowledge, turns, questions without an answer, golden conversations."""

import pathlib

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from migrations.row_security import protect

revision = "0053"
down_revision = "0052"

HERE = pathlib.Path(__file__).parent
MOMENT = sa.DateTime(timezone=True)
MADE = (
    "assistant_versions",
    "assistants",
    "model_accesses",
    "assistant_actions",
    "knowledge_sources",
    "knowledge_passages",
    "engagements",
    "assistant_turns",
    "unanswered_questions",
    "golden_cases",
    "golden_runs",
)
DOOR = "find_passages(text[], timestamptz, int)"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "assistant_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("created_by", JSONB(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_assistant_versions_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assistant_versions")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_assistant_versions_tenant_id_number")),
    )
    op.create_table(
        "assistants",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("mode in ('off', 'suggests', 'approval', 'alone')", name=op.f("ck_assistants_mode")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["assistant_versions.tenant_id", "assistant_versions.id"],
            name=op.f("fk_assistants_tenant_id_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_assistants_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assistants")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_assistants_tenant_id")),
    )
    op.create_table(
        "model_accesses",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("key_ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("input_price", sa.BigInteger(), nullable=True),
        sa.Column("output_price", sa.BigInteger(), nullable=True),
        sa.Column("worked_at", MOMENT, nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint("provider in ('openai', 'anthropic', 'google')", name=op.f("ck_model_accesses_provider")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_model_accesses_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_model_accesses")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_model_accesses_tenant_id")),
    )
    op.create_table(
        "assistant_actions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("parameters", JSONB(), nullable=False),
        sa.Column("secret_ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("called_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_assistant_actions_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assistant_actions")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_assistant_actions_tenant_id_name")),
    )
    op.create_table(
        "knowledge_sources",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=True),
        sa.Column("valid_until", MOMENT, nullable=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("refresh_hours", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_read_at", MOMENT, nullable=True),
        sa.Column("read_at", MOMENT, nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("created_by", JSONB(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "kind in ('question', 'text', 'file', 'page', 'canned')", name=op.f("ck_knowledge_sources_kind")
        ),
        sa.CheckConstraint(
            "state in ('waiting', 'reading', 'ready', 'failed')", name=op.f("ck_knowledge_sources_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_knowledge_sources_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_knowledge_sources")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_knowledge_sources_tenant_id_external_id")),
    )
    op.create_index(
        "ix_knowledge_sources_due",
        "knowledge_sources",
        ["next_read_at"],
        unique=False,
        postgresql_where=sa.text("next_read_at is not null"),
    )
    op.create_table(
        "knowledge_passages",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("terms", ARRAY(sa.Text()), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=True),
        sa.Column("valid_until", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "source_id"],
            ["knowledge_sources.tenant_id", "knowledge_sources.id"],
            name=op.f("fk_knowledge_passages_tenant_id_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_knowledge_passages")),
    )
    op.create_index("ix_knowledge_passages_source", "knowledge_passages", ["tenant_id", "source_id"], unique=False)
    op.create_index(
        "ix_knowledge_passages_terms", "knowledge_passages", ["terms"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "engagements",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("latest_at", MOMENT, nullable=True),
        sa.Column("turn_id", sa.Uuid(), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("disclosed_at", MOMENT, nullable=True),
        sa.Column("asked_back", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_engagements_tenant_id_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["assistant_versions.tenant_id", "assistant_versions.id"],
            name=op.f("fk_engagements_tenant_id_version_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_engagements")),
        sa.UniqueConstraint("tenant_id", "conversation_id", name=op.f("uq_engagements_tenant_id_conversation_id")),
    )
    op.create_index(
        "ix_engagements_due", "engagements", ["due_at"], unique=False, postgresql_where=sa.text("due_at is not null")
    )
    op.create_index(
        "ix_engagements_leased",
        "engagements",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("lease_until is not null"),
    )
    op.create_table(
        "assistant_turns",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("trigger_message_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("withheld", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("passages", JSONB(), nullable=False),
        sa.Column("calls", JSONB(), nullable=False),
        sa.Column("refused_calls", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("judged_by", JSONB(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "action in ('answer', 'ask', 'hand_over', 'stay_silent')", name=op.f("ck_assistant_turns_action")
        ),
        sa.CheckConstraint("kind in ('live', 'trial', 'golden', 'help')", name=op.f("ck_assistant_turns_kind")),
        sa.CheckConstraint("mode in ('off', 'suggests', 'approval', 'alone')", name=op.f("ck_assistant_turns_mode")),
        sa.CheckConstraint(
            "state in ('thinking', 'suggested', 'waiting', 'sent', 'handed_over', 'silent', 'used', 'edited', 'dismissed', 'superseded', 'withheld', 'failed', 'tried')",
            name=op.f("ck_assistant_turns_state"),
        ),
        sa.CheckConstraint("verdict in ('right', 'wrong')", name=op.f("ck_assistant_turns_verdict")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            ["conversations.tenant_id", "conversations.id"],
            name=op.f("fk_assistant_turns_tenant_id_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["assistant_versions.tenant_id", "assistant_versions.id"],
            name=op.f("fk_assistant_turns_tenant_id_version_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assistant_turns")),
    )
    op.create_index(
        "ix_assistant_turns_conversation", "assistant_turns", ["tenant_id", "conversation_id", "id"], unique=False
    )
    op.create_index(
        "ix_assistant_turns_message",
        "assistant_turns",
        ["tenant_id", "message_id"],
        unique=False,
        postgresql_where=sa.text("message_id is not null"),
    )
    op.create_index(
        "ix_assistant_turns_open",
        "assistant_turns",
        ["tenant_id", "conversation_id"],
        unique=False,
        postgresql_where=sa.text("state in ('suggested', 'waiting')"),
    )
    op.create_index("ix_assistant_turns_recent", "assistant_turns", ["tenant_id", "created_at"], unique=False)
    op.create_table(
        "unanswered_questions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("terms_hash", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.CheckConstraint("state in ('open', 'answered', 'dismissed')", name=op.f("ck_unanswered_questions_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_unanswered_questions_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_unanswered_questions")),
        sa.UniqueConstraint("tenant_id", "terms_hash", name=op.f("uq_unanswered_questions_tenant_id_terms_hash")),
    )
    op.create_index(
        "ix_unanswered_questions_open",
        "unanswered_questions",
        ["tenant_id", "count"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "golden_cases",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("messages", JSONB(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("must", JSONB(), nullable=False),
        sa.Column("must_not", JSONB(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "action in ('answer', 'ask', 'hand_over', 'stay_silent')", name=op.f("ck_golden_cases_action")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_golden_cases_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_golden_cases")),
    )
    op.create_table(
        "golden_runs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("results", JSONB(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["assistant_versions.tenant_id", "assistant_versions.id"],
            name=op.f("fk_golden_runs_tenant_id_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_golden_runs_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_golden_runs")),
    )
    for table in MADE:
        protect(table)
    # Behind this door the platform's role reads, so the function is its own; made by one role only, as in 0035.
    op.execute((HERE / "0053_find_passages.sql").read_text())
    op.execute("grant create on schema public to switchboard_platform")
    op.execute(f"alter function {DOOR} owner to switchboard_platform")
    op.execute("revoke create on schema public from switchboard_platform")
    op.execute(f"revoke all on function {DOOR} from public")
    op.execute(f"grant execute on function {DOOR} to switchboard_app")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role switchboard_platform")
    op.execute(f"drop function if exists {DOOR}")
    op.execute("set local role none")
    for table in reversed(MADE):
        op.drop_table(table)
