"""Push notifications are called so: a notification is what a business sends by name."""

from alembic import op
from sqlalchemy import text

revision = "0057"
down_revision = "0056"

OLD, NEW = "notifications", "push_notifications"
INDEXES = ("ix_{}_due",)
# The usual name of the new one would be longer than Postgres allows.
LONG = {
    "uq_notifications_tenant_id_subscription_id_conversation_id_kind": "uq_push_notifications_newest",
}
SUBSCRIBERS = {"notifications": "push", "notifications of templates": "push of templates"}


def upgrade() -> None:
    rename(OLD, NEW)
    for before, after in SUBSCRIBERS.items():
        call_subscriber(before, after)


def downgrade() -> None:
    for before, after in SUBSCRIBERS.items():
        call_subscriber(after, before)
    rename(NEW, OLD)


def rename(before: str, after: str) -> None:
    """Until the new release runs, the old one's subscriber fails; it takes the same happenings again afterwards."""
    op.execute("set local lock_timeout = '5s'")
    connection = op.get_bind()
    names = connection.scalars(CONSTRAINTS, {"table": before}).all()
    op.rename_table(before, after)
    special = LONG | {new: old for old, new in LONG.items()}
    for name in names:
        new = special.get(name) or name.replace(f"_{before}", f"_{after}", 1)
        op.execute(f'alter table {after} rename constraint "{name}" to "{new}"')
    for name in INDEXES:
        op.execute(f"alter index {name.format(before)} rename to {name.format(after)}")


# The constraints that are named after their table, without those that Postgres names itself.
CONSTRAINTS = text("""
    select conname from pg_constraint
    where conrelid = to_regclass(:table) and conname like '%\\_' || :table || '%' and contype <> 'n'
""")


def call_subscriber(before: str, after: str) -> None:
    op.execute("set local role switchboard_platform")
    values = {"before": before, "after": after}
    op.get_bind().execute(text("update happening_cursors set subscriber = :after where subscriber = :before"), values)
    op.execute("reset role")
