"""Plain names: a price that the list leaves out is `unlisted`."""

from alembic import op

revision = "0040"
down_revision = "0039"

CHECK = "ck_usages_unknown"
OTHERS = "'', 'no_currency', 'no_card', 'no_number', 'no_market', 'no_rate', 'exempt'"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    rename("untold", "unlisted")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    rename("unlisted", "untold")


def rename(old: str, new: str) -> None:
    op.execute(f"alter table usages drop constraint if exists {CHECK}")
    # Row security hides the rows from their owner. Index: ix_usages_unpriced.
    op.execute("set role switchboard_platform")
    op.execute(f"update usages set unknown = '{new}' where unknown = '{old}'")
    op.execute("reset role")
    op.execute(f"alter table usages add constraint {CHECK} check (unknown in ({OTHERS}, '{new}')) not valid")
    # Reads the whole table, but lets it be written meanwhile.
    with op.get_context().autocommit_block():
        op.execute(f"alter table usages validate constraint {CHECK}")
