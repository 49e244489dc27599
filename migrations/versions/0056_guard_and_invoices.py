"""The guard of the credit line, what Meta said of the line, its volumes compared with ours; invoices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect, share

revision = "0056"
down_revision = "0055"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "guard_steps",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("stage", "before", "reason")),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("by_name", "approved_by_name", "state")),
        sa.Column("error", JSONB(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "stage in ('open', 'warned', 'no_marketing', 'no_paid', 'revoked')", name=op.f("ck_guard_steps_stage")
        ),
        sa.CheckConstraint("state in ('done', 'waiting', 'revoking', 'withdrawn')", name=op.f("ck_guard_steps_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_guard_steps")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_guard_steps_tenant_id"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_guard_steps_revoking", "guard_steps", ["id"], postgresql_where=sa.text("state = 'revoking'"))
    protect("guard_steps")
    op.create_table(
        "credit_line_readings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("used_micros", "most_micros", "held_micros", "alarmed")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_line_readings")),
    )
    op.create_index(op.f("ix_credit_line_readings_at"), "credit_line_readings", ["at"])
    share("credit_line_readings", app="")
    key = ("phone_number_id", "starts_at", "ends_at", "country", "category", "type")
    op.create_table(
        "volume_comparisons",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, MOMENT, nullable=False) for name in ("starts_at", "ends_at")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("country", "category", "type")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("ours", "metas", "other_software")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("state", "explanation", "explained_by")),
        sa.Column("compared_at", MOMENT, nullable=False),
        sa.CheckConstraint("state in ('equal', 'open', 'explained')", name=op.f("ck_volume_comparisons_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_volume_comparisons")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "phone_number_id"],
            ["phone_numbers.tenant_id", "phone_numbers.id"],
            name=op.f("fk_volume_comparisons_tenant_id_phone_number_id"),
        ),
        sa.UniqueConstraint("tenant_id", *key, name=op.f("uq_volume_comparisons_key")),
    )
    op.create_index(
        "ix_volume_comparisons_open",
        "volume_comparisons",
        ["tenant_id", "starts_at"],
        postgresql_where=sa.text("state = 'open'"),
    )
    protect("volume_comparisons")
    make_invoices()


def make_invoices() -> None:
    """What was issued is not changed: rows are only added."""
    op.create_table(
        "billing_details",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("company", "address", "country", "vat_id")),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_details")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_billing_details_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_billing_details_tenant_id"), ondelete="CASCADE"
        ),
    )
    protect("billing_details")
    op.create_table(
        "invoices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("number", "kind")),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("month", "until")),
        sa.Column("to_position", sa.BigInteger(), nullable=False),
        sa.Column("before_until", sa.Date(), nullable=False),
        sa.Column("before_position", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("net_micros", "tax_rate", "tax_micros")),
        sa.Column("tax_note", sa.Text(), nullable=False),
        *(sa.Column(name, JSONB(), nullable=False) for name in ("seller", "buyer")),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.CheckConstraint("kind in ('invoice', 'credit_note')", name=op.f("ck_invoices_kind")),
        sa.CheckConstraint("tax_note in ('', 'reverse_charge', 'outside')", name=op.f("ck_invoices_tax_note")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invoices")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_invoices_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "corrects_id"],
            ["invoices.tenant_id", "invoices.id"],
            name=op.f("fk_invoices_tenant_id_corrects_id"),
        ),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_invoices_tenant_id_number")),
    )
    op.create_index(
        "uq_invoices_corrected",
        "invoices",
        ["tenant_id", "corrects_id"],
        unique=True,
        postgresql_where=sa.text("corrects_id is not null"),
    )
    op.create_table(
        "invoice_lines",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("country", "category", "note")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("messages", "micros")),
        sa.CheckConstraint("kind in ('messages', 'fee', 'adjustment')", name=op.f("ck_invoice_lines_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invoice_lines")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoices.tenant_id", "invoices.id"],
            name=op.f("fk_invoice_lines_tenant_id_invoice_id"),
        ),
    )
    op.create_index("ix_invoice_lines_invoice", "invoice_lines", ["tenant_id", "invoice_id", "position"])
    for table in ("invoices", "invoice_lines"):
        protect(table, verbs="select, insert")
        op.execute(f"revoke update, delete on {table} from switchboard_platform")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in ("invoice_lines", "invoices", "billing_details"):
        op.drop_table(table)
    op.drop_table("volume_comparisons")
    op.drop_table("credit_line_readings")
    op.drop_table("guard_steps")
