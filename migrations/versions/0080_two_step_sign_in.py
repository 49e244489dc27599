"""Two-step sign-in of members and platform admins: secrets, sign-ins that wait for a code, changes, resets."""

import sqlalchemy as sa
from alembic import op
from row_security import share
from sqlalchemy.dialects.postgresql import JSONB

revision = "0080"
down_revision = "0078"

KINDS_BEFORE = (
    "('role', 'removal', 'invitation', 'joining', 'key_creation', 'key_name', 'key_scopes', 'key_networks',"
    " 'key_expiry', 'key_renewal', 'key_revocation')"
)
KINDS = KINDS_BEFORE[:-1] + ", 'second_step_rule', 'second_step_reset')"
CHANGES = "kind in ('on', 'off', 'reset', 'recovery_code', 'recovery_codes', 'wrong_codes')"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("users", sa.Column("second_step_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("platform_admins", sa.Column("second_step_at", sa.DateTime(timezone=True), nullable=True))
    required = sa.Column("requires_second_step", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("tenants", required)
    allow(KINDS)
    create_second_steps()
    create_pending_sign_ins()
    create_changes()
    create_resets()


def create_second_steps() -> None:
    op.create_table(
        "second_steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        *people("second_steps"),
        sa.Column("secret_ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("recovery_hashes", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_steps")),
        sa.UniqueConstraint("user_id", name=op.f("uq_second_steps_user_id")),
        sa.UniqueConstraint("platform_admin_id", name=op.f("uq_second_steps_platform_admin_id")),
    )
    hide_admins("second_steps")


def create_pending_sign_ins() -> None:
    op.create_table(
        "pending_sign_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        *people("pending_sign_ins"),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_sign_ins")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_pending_sign_ins_token_hash")),
    )
    op.create_index(op.f("ix_pending_sign_ins_user_id"), "pending_sign_ins", ["user_id"])
    hide_admins("pending_sign_ins")


def create_changes() -> None:
    op.create_table(
        "second_step_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        *people("second_step_changes"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(CHANGES, name=op.f("ck_second_step_changes_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_step_changes")),
    )
    op.create_index(op.f("ix_second_step_changes_user_id"), "second_step_changes", ["user_id"])
    hide_admins("second_step_changes")


def create_resets() -> None:
    op.create_table(
        "second_step_resets",
        sa.Column("id", sa.Uuid(), nullable=False),
        *people("second_step_resets"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("approved_by_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'done', 'withdrawn')", name=op.f("ck_second_step_resets_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_step_resets")),
    )
    op.create_index(op.f("ix_second_step_resets_user_id"), "second_step_resets", ["user_id"])
    op.create_index(
        "uq_second_step_resets_waiting",
        "second_step_resets",
        [sa.text("coalesce(user_id, platform_admin_id)")],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    share("second_step_resets", app="")


def people(table: str) -> list[sa.Column | sa.ForeignKeyConstraint]:
    """Whose it is: a user's or a platform admin's."""
    return [
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("platform_admin_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["platform_admin_id"],
            ["platform_admins.id"],
            name=op.f(f"fk_{table}_platform_admin_id"),
            ondelete="CASCADE",
        ),
    ]


def hide_admins(table: str) -> None:
    """Rows of platform admins are the platform's business."""
    share(table)
    of_users = "platform_admin_id is null"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"create policy people on {table} to switchboard_app using ({of_users}) with check ({of_users})")
    op.execute(f"create policy everybody on {table} to switchboard_platform using (true) with check (true)")


def downgrade() -> None:
    """Everybody signs in with their password alone again."""
    op.execute("set local lock_timeout = '5s'")
    for table in ("second_step_resets", "second_step_changes", "pending_sign_ins", "second_steps"):
        op.drop_table(table)
    op.execute("set local role switchboard_platform")
    op.execute("delete from team_changes where kind like 'second_step_%'")
    op.execute("set local role none")
    allow(KINDS_BEFORE)
    op.drop_column("tenants", "requires_second_step")
    op.drop_column("platform_admins", "second_step_at")
    op.drop_column("users", "second_step_at")


def allow(kinds: str) -> None:
    op.drop_constraint(op.f("ck_team_changes_kind"), "team_changes")
    op.create_check_constraint(op.f("ck_team_changes_kind"), "team_changes", f"kind in {kinds}")
