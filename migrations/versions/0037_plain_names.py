"""Plain names for what was called “told”: an activity's facts, when a browser was notified, ids seen together."""

from alembic import op

revision = "0037"
down_revision = "0036"

RENAMED = (("activities", "told", "facts"), ("push_subscriptions", "told_at", "notified_at"))
CHECK = "ck_merge_suggestions_reason"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table, old, new in RENAMED:
        op.alter_column(table, old, new_column_name=new)
    change_reason("told", "identity")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table, old, new in RENAMED:
        op.alter_column(table, new, new_column_name=old)
    change_reason("identity", "told")


def change_reason(old: str, new: str) -> None:
    op.execute(f"alter table merge_suggestions drop constraint {CHECK}")
    # Row security hides the rows from their owner.
    op.execute("set role switchboard_platform")
    op.execute(f"update merge_suggestions set reason = '{new}' where reason = '{old}'")
    op.execute("reset role")
    reasons = f"'{new}', 'spelling', 'username', 'card', 'name'"
    op.execute(f"alter table merge_suggestions add constraint {CHECK} check (reason in ({reasons}))")
