"""What the sender counts for a number and how the desk treats it leave the number's own row, which everybody reads."""

import sqlalchemy as sa
from alembic import op
from row_security import protect

revision = "0019"
down_revision = "0018"

PACES = "sending_tat, campaigns_tat, slowdown, slowed_at"
MOVED = ("messages_per_second", "sending_tat", "campaigns_tat", "slowdown", "slowed_at", "read_receipts", "team_id")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    # Nobody counts on a row that has been copied already; a sender waits, or is tried again.
    op.execute("lock table phone_numbers in access exclusive mode")
    op.create_table(
        "number_paces",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sending_tat", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("campaigns_tat", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("slowdown", sa.Float(), server_default="1", nullable=False),
        sa.Column("slowed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        of_number("number_paces"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_number_paces")),
    )
    op.create_table(
        "number_desks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("read_receipts", sa.Text(), server_default="always", nullable=False),
        of_number("number_desks"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "team_id"],
            ["teams.tenant_id", "teams.id"],
            name=op.f("fk_number_desks_tenant_id_team_id"),
            ondelete="SET NULL (team_id)",
        ),
        sa.CheckConstraint(
            "read_receipts in ('always', 'on_reply', 'never')", name=op.f("ck_number_desks_read_receipts")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_number_desks")),
    )
    protect("number_paces")
    protect("number_desks")
    op.execute("set local role switchboard_platform")
    op.execute(f"insert into number_paces (tenant_id, id, {PACES}) select tenant_id, id, {PACES} from phone_numbers")
    op.execute("""
        insert into number_desks (tenant_id, id, team_id, read_receipts)
        select tenant_id, id, team_id, read_receipts from phone_numbers
        where team_id is not null or read_receipts <> 'always'
    """)
    op.execute("set local role none")
    for column in MOVED:
        op.drop_column("phone_numbers", column)


def of_number(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "id"],
        ["phone_numbers.tenant_id", "phone_numbers.id"],
        name=op.f(f"fk_{table}_tenant_id_id"),
        ondelete="CASCADE",
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("lock table phone_numbers in access exclusive mode")
    for name, kind, default in (
        ("messages_per_second", sa.BigInteger(), "80"),
        ("sending_tat", sa.DateTime(timezone=True), sa.func.now()),
        ("campaigns_tat", sa.DateTime(timezone=True), sa.func.now()),
        ("slowdown", sa.Float(), "1"),
        ("slowed_at", sa.DateTime(timezone=True), sa.func.now()),
        ("read_receipts", sa.Text(), "always"),
    ):
        op.add_column("phone_numbers", sa.Column(name, kind, server_default=default, nullable=False))
    op.add_column("phone_numbers", sa.Column("team_id", sa.Uuid(), nullable=True))
    op.execute("set local role switchboard_platform")
    op.execute("""
        update phone_numbers n set messages_per_second =
            case when is_on_biz_app then 20 when throughput = 'HIGH' then 1000 else 80 end
    """)
    op.execute(f"""
        update phone_numbers n set ({PACES}) = (p.sending_tat, p.campaigns_tat, p.slowdown, p.slowed_at)
        from number_paces p where p.tenant_id = n.tenant_id and p.id = n.id
    """)
    op.execute("""
        update phone_numbers n set team_id = d.team_id, read_receipts = d.read_receipts
        from number_desks d where d.tenant_id = n.tenant_id and d.id = n.id
    """)
    op.execute("set local role none")
    for name in ("messages_per_second", "sending_tat", "slowdown", "slowed_at"):
        op.alter_column("phone_numbers", name, server_default=None)
    op.create_check_constraint(
        op.f("ck_phone_numbers_read_receipts"), "phone_numbers", "read_receipts in ('always', 'on_reply', 'never')"
    )
    op.create_foreign_key(
        op.f("fk_phone_numbers_tenant_id_team_id"),
        "phone_numbers",
        "teams",
        ["tenant_id", "team_id"],
        ["tenant_id", "id"],
        ondelete="SET NULL (team_id)",
    )
    op.drop_table("number_desks")
    op.drop_table("number_paces")
