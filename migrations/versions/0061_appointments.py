"""Appointments: what was agreed, its history, what is planned to be sent about it, and what a business chose."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect

revision = "0061"
down_revision = "0060"

MOMENT = sa.DateTime(timezone=True)
MADE = ("appointments", "appointment_changes", "appointment_notices", "appointment_settings")
STATES = "'booked', 'confirmed', 'reschedule_requested', 'cancelled', 'no_show', 'done'"
ACTORS = "'agent', 'automation', 'assistant', 'campaign', 'sequence', 'api', 'phone', 'system'"
KINDS = (
    "'booked', 'moved', 'changed', 'confirmed', 'reschedule_requested', 'cancelled', 'no_show', 'done', 'unanswered'"
)


def ids() -> list[sa.Column]:
    return [sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def key(table: str) -> sa.Constraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def to(table: str, other: str, column: str, ondelete: str | None = None, target: str = "id") -> sa.Constraint:
    name = op.f(f"fk_{table}_tenant_id_{column}")
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{other}.tenant_id", f"{other}.{target}"], name=name, ondelete=ondelete
    )


def text(name: str, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def extend(table: str, constraint: str, column: str, word: str, *, removed: bool = False) -> None:
    """Adds a word to a check of a column, or takes it away, whatever other words it has by then."""
    op.execute(f"""
        do $$
        declare words text;
        begin
            select string_agg(quote_literal(m[1]), ', ') into words
            from pg_constraint c, regexp_matches(pg_get_constraintdef(c.oid), '''([a-z_]+)''', 'g') m
            where c.conname = '{constraint}' and c.conrelid = '{table}'::regclass and m[1] <> '{word}';
            words := words || {"''" if removed else f"', ' || quote_literal('{word}')"};
            execute 'alter table {table} drop constraint {constraint}';
            execute format('alter table {table} add constraint {constraint} check ({column} in (%s)) not valid', words);
        end $$
    """)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "appointments",
        *ids(),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=True),
        text("title"),
        sa.Column("starts_at", MOMENT, nullable=False),
        text("time_zone"),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        text("place", ""),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        text("state"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        text("source"),
        text("notes", ""),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("form_message_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint(f"state in ({STATES})", name=op.f("ck_appointments_state")),
        sa.CheckConstraint("source in ('api', 'agent', 'form', 'automation')", name=op.f("ck_appointments_source")),
        sa.CheckConstraint("minutes between 5 and 10080", name=op.f("ck_appointments_minutes")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_appointments_tenant_id_external_id")),
        sa.UniqueConstraint("tenant_id", "booking_id", name=op.f("uq_appointments_tenant_id_booking_id")),
        key("appointments"),
        to("appointments", "contacts", "contact_id"),
        to("appointments", "phone_numbers", "phone_number_id"),
        to("appointments", "memberships", "agent_id", target="user_id"),
        to("appointments", "flow_bookings", "booking_id"),
    )
    op.create_index("ix_appointments_starts", "appointments", ["tenant_id", "starts_at", "id"])
    op.create_index("ix_appointments_contact", "appointments", ["tenant_id", "contact_id", "starts_at"])
    op.create_index("ix_appointments_agent", "appointments", ["tenant_id", "agent_id", "starts_at"])
    op.create_index(
        "ix_appointments_form_message",
        "appointments",
        ["tenant_id", "form_message_id"],
        postgresql_where=sa.text("form_message_id is not null"),
    )
    op.create_table(
        "appointment_changes",
        *ids(),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        text("kind"),
        sa.Column("by_kind", sa.Text(), nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=True),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(f"kind in ({KINDS})", name=op.f("ck_appointment_changes_kind")),
        sa.CheckConstraint(f"by_kind in ({ACTORS})", name=op.f("ck_appointment_changes_by_kind")),
        key("appointment_changes"),
        to("appointment_changes", "appointments", "appointment_id", "CASCADE"),
    )
    op.create_index("ix_appointment_changes_appointment", "appointment_changes", ["tenant_id", "appointment_id", "id"])
    op.create_table(
        "appointment_notices",
        *ids(),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        text("purpose"),
        sa.Column("minutes_before", sa.BigInteger(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        text("state", "planned"),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("error", JSONB(), nullable=True),
        sa.Column("answer_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "purpose in ('booked', 'moved', 'cancelled', 'reminder', 'unanswered')",
            name=op.f("ck_appointment_notices_purpose"),
        ),
        sa.CheckConstraint(
            "state in ('planned', 'queued', 'raised', 'cancelled', 'expired', 'refused', 'skipped')",
            name=op.f("ck_appointment_notices_state"),
        ),
        sa.UniqueConstraint(
            *("tenant_id", "appointment_id", "version", "purpose", "minutes_before"),
            name="uq_appointment_notices_plan",
        ),
        key("appointment_notices"),
        to("appointment_notices", "appointments", "appointment_id", "CASCADE"),
    )
    planned = sa.text("state = 'planned'")
    op.create_index("ix_appointment_notices_due", "appointment_notices", ["due_at"], postgresql_where=planned)
    op.create_index(
        "ix_appointment_notices_planned", "appointment_notices", ["tenant_id", "due_at", "id"], postgresql_where=planned
    )
    op.create_index(
        "ix_appointment_notices_message",
        "appointment_notices",
        ["tenant_id", "message_id"],
        postgresql_where=sa.text("message_id is not null"),
    )
    op.create_table(
        "appointment_settings",
        *ids(),
        text("booked", ""),
        text("moved", ""),
        text("cancelled", ""),
        sa.Column("reminders", JSONB(), nullable=False),
        sa.Column("unanswered_minutes", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_appointment_settings_tenant_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_appointment_settings_tenant_id")),
        key("appointment_settings"),
    )
    for table in MADE:
        protect(table)
    extend("merge_moves", "ck_merge_moves_kind", "kind", "appointment")
    op.execute("alter table merge_moves validate constraint ck_merge_moves_kind")
    extend("activities", "ck_activities_kind", "kind", "appointment")
    take_over_bookings()
    with op.get_context().autocommit_block():
        op.execute("alter table activities validate constraint ck_activities_kind")


def take_over_bookings() -> None:
    """What customers have booked in forms and is still to come is an appointment, with the same id as its booking."""
    op.execute("set local role switchboard_platform")
    op.execute("""
        insert into appointments (tenant_id, id, contact_id, phone_number_id, title, starts_at, time_zone, minutes,
            state, version, source, booking_id, created_at, changed_at)
        select b.tenant_id, b.id, b.contact_id, null, coalesce(f.name, ''), b.starts_at,
            coalesce((select p.time_zone from service_policies p where p.tenant_id = b.tenant_id limit 1), 'UTC'),
            greatest(b.minutes, 5), 'booked', 1, 'form', b.id, b.created_at, b.created_at
        from flow_bookings b left join whatsapp_flows f on f.tenant_id = b.tenant_id and f.id = b.flow_id
        where b.starts_at > now()
        on conflict do nothing
    """)
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role switchboard_platform")
    op.execute("delete from activities where kind = 'appointment'")
    op.execute("delete from merge_moves where kind = 'appointment'")
    op.execute("reset role")
    extend("merge_moves", "ck_merge_moves_kind", "kind", "appointment", removed=True)
    extend("activities", "ck_activities_kind", "kind", "appointment", removed=True)
    for table in reversed(MADE):
        op.drop_table(table)
    with op.get_context().autocommit_block():
        op.execute("alter table activities validate constraint ck_activities_kind")
        op.execute("alter table merge_moves validate constraint ck_merge_moves_kind")
