"""Changes of API keys are in the log of who changed the team."""

from alembic import op

revision = "0049"
down_revision = "0048"

KINDS_BEFORE = "('role', 'removal', 'invitation', 'joining')"
KINDS = (
    "('role', 'removal', 'invitation', 'joining', 'key_creation', 'key_name', 'key_scopes', 'key_networks',"
    " 'key_expiry', 'key_renewal', 'key_revocation')"
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    allow(KINDS)


def downgrade() -> None:
    """What happened to keys goes: before this it could not be stored."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local role switchboard_platform")
    op.execute("delete from team_changes where kind like 'key_%'")
    op.execute("set local role none")
    allow(KINDS_BEFORE)


def allow(kinds: str) -> None:
    op.drop_constraint(op.f("ck_team_changes_kind"), "team_changes")
    op.create_check_constraint(op.f("ck_team_changes_kind"), "team_changes", f"kind in {kinds}")
