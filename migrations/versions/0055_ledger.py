"""The ledger: journals and entries in a chain of postings, daily totals; plans, balances and holds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.indexes import add_index, remove_index
from migrations.row_security import protect, share

revision = "0055"
down_revision = "0054"

MOMENT = sa.DateTime(timezone=True)
# Rows are only added: nobody may change or remove one, the platform included.
APPEND_ONLY = ("postings", "journals", "entries")
OTHERS = ("day_totals", "balances", "holds", "reply_counts")

UNKNOWN = ("", "no_currency", "no_card", "no_number", "no_market", "no_rate", "unlisted", "exempt")


def ids() -> list[sa.Column]:
    return [sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def keys(table: str, column: str = "", to: str = "") -> list[sa.Constraint]:
    """The primary key, and whose it is. Of the books nothing is deleted, so a tenant that has any stays."""
    primary = sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))
    mine, theirs, name = ["tenant_id"], ["tenants.id"], f"fk_{table}_tenant_id"
    if column:
        mine, theirs, name = ["tenant_id", column], [f"{to}.tenant_id", f"{to}.id"], f"{name}_{column}"
        return [primary, sa.ForeignKeyConstraint(mine, theirs, name=op.f(name))]
    cascade = None if table in APPEND_ONLY else "CASCADE"
    return [primary, sa.ForeignKeyConstraint(mine, theirs, name=op.f(name), ondelete=cascade)]


def words(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def amounts(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def listed(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    choice = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} in ({choice})", name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("usages", sa.Column("country", sa.Text(), nullable=False, server_default=""))
    op.add_column("usages", sa.Column("is_posted", sa.Boolean(), nullable=False, server_default=sa.false()))
    make_ledger()
    make_totals()
    make_balances()
    for table in APPEND_ONLY:
        protect(table, verbs="select, insert")
        op.execute(f"revoke update, delete on {table} from switchboard_platform")
    for table in OTHERS:
        protect(table)
    protect("free_messages", verbs="select, insert")
    # What Meta said of a message is not changed; whether it is posted is.
    for table in ("usages", "free_messages"):
        op.execute(f"grant update (is_posted) on {table} to switchboard_app")
    share("plans", app="select")
    add_index("ix_usages_unposted", "usages", "tenant_id, id", "not is_posted")


def make_ledger() -> None:
    op.create_table(
        "postings",
        *ids(),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("journals", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", MOMENT, nullable=False),
        sa.UniqueConstraint("tenant_id", "position", name=op.f("uq_postings_tenant_id_position")),
        *keys("postings"),
    )
    op.create_table(
        "journals",
        *ids(),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_at", MOMENT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=True),
        *words("wamid", "category", "market", "country", "sender"),
        sa.Column("rate_card_id", sa.Uuid(), nullable=True),
        sa.Column("list_micros", sa.BigInteger(), nullable=True),
        *amounts("markup", "markup_micros", "charged_micros"),
        *words("free", "unknown"),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        *words("note", "by"),
        listed(
            "journals",
            "kind",
            ("message", "reversal", "repricing", "top_up", "fee", "tax", "adjustment", "credit"),
        ),
        listed("journals", "free", ("", "no_plan", "included")),
        listed("journals", "unknown", UNKNOWN),
        sa.CheckConstraint("(list_micros is null) = (unknown <> '')", name=op.f("ck_journals_known_or_why_not")),
        *keys("journals"),
    )
    mine = ["tenant_id", "phone_number_id", "wamid"]
    op.create_index("uq_journals_message", "journals", mine, unique=True, postgresql_where=sa.text("kind = 'message'"))
    op.create_index(
        "uq_journals_reversed",
        "journals",
        ["tenant_id", "reverses_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'reversal'"),
    )
    op.create_index("ix_journals_posting", "journals", ["tenant_id", "posting_id", "id"])
    op.create_index("ix_journals_day", "journals", ["tenant_id", "day", "id"])
    accounts = ("receivable", "revenue", "cost", "payable", "bank", "tax")
    op.create_table(
        "entries",
        *ids(),
        sa.Column("journal_id", sa.Uuid(), nullable=False),
        *words("debit", "credit"),
        *amounts("micros"),
        *words("currency"),
        listed("entries", "debit", accounts),
        listed("entries", "credit", accounts),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_entries_two_accounts")),
        sa.CheckConstraint("micros > 0", name=op.f("ck_entries_positive")),
        *keys("entries", "journal_id", "journals"),
    )
    op.create_index("ix_entries_journal", "entries", ["tenant_id", "journal_id"])


def make_totals() -> None:
    key = ("day", "phone_number_id", "category", "country", "sender", "free", "currency")
    op.create_table(
        "day_totals",
        *ids(),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        *words("category", "country", "sender", "free", "currency"),
        *amounts("messages", "list_micros", "charged_micros", "unpriced"),
        sa.UniqueConstraint("tenant_id", *key, name=op.f("uq_day_totals_key")),
        *keys("day_totals"),
    )
    op.create_table(
        "reply_counts",
        *ids(),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        *amounts("free", "charged"),
        sa.UniqueConstraint(
            "tenant_id", "phone_number_id", "month", name=op.f("uq_reply_counts_tenant_id_phone_number_id_month")
        ),
        *keys("reply_counts", "phone_number_id", "phone_numbers"),
    )
    op.create_table(
        "free_messages",
        *ids(),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        sa.Column("wamid", sa.Text(), nullable=False),
        sa.Column("arrived_at", MOMENT, nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=True),
        *words("country", "currency"),
        sa.Column("micros", sa.BigInteger(), nullable=True),
        *words("free"),
        sa.Column("is_posted", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint(
            "tenant_id", "phone_number_id", "wamid", name=op.f("uq_free_messages_tenant_id_phone_number_id_wamid")
        ),
        *keys("free_messages", "phone_number_id", "phone_numbers"),
    )
    op.create_index(
        "ix_free_messages_unposted", "free_messages", ["tenant_id", "id"], postgresql_where=sa.text("not is_posted")
    )
    op.create_index("ix_free_messages_arrived", "free_messages", ["tenant_id", "arrived_at", "id"])


def make_balances() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        *words("name", "currency"),
        *amounts("monthly_fee_micros", "seats", "included_messages"),
        sa.Column("markup", JSONB(), nullable=False),
        sa.Column("is_offered", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "monthly_fee_micros >= 0 and included_messages >= 0 and seats >= 0", name=op.f("ck_plans_not_negative")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
        sa.UniqueConstraint("name", name=op.f("uq_plans_name")),
    )
    op.create_table(
        "balances",
        *ids(),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        *words("currency", "mode"),
        *amounts("balance_micros", "held_micros", "limit_micros", "reserve_micros"),
        sa.Column("cap_micros", sa.BigInteger(), nullable=True),
        sa.Column("month", sa.Date(), nullable=False),
        *amounts("spent_micros", "included_used", "alerted", "filled_micros"),
        sa.Column("fee_month", sa.Date(), nullable=False),
        *words("stage"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_balances_tenant_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_balances_plan_id")),
        listed("balances", "mode", ("prepaid", "postpaid")),
        listed("balances", "stage", ("open", "warned", "no_marketing", "no_paid", "revoked")),
        sa.CheckConstraint("held_micros >= 0", name=op.f("ck_balances_held")),
        sa.CheckConstraint("limit_micros >= 0 and reserve_micros >= 0", name=op.f("ck_balances_limits")),
        sa.CheckConstraint("mode = 'postpaid' or limit_micros = 0", name=op.f("ck_balances_prepaid")),
        *keys("balances"),
    )
    op.create_table(
        "holds",
        *ids(),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        *words("category"),
        *amounts("micros"),
        sa.Column("held_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        *keys("holds"),
    )
    op.create_index("ix_holds_number", "holds", ["tenant_id", "phone_number_id", "category"])
    op.create_index("ix_holds_expiring", "holds", ["expires_at"])


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in ("holds", "balances", "plans", "free_messages", "reply_counts", "day_totals"):
        op.drop_table(table)
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)
    remove_index("ix_usages_unposted")
    op.execute("alter table usages drop column is_posted, drop column country")
