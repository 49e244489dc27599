"""Keys and search as a Citus cluster takes them.

A key that contains the tenant sets nothing to null: the app writes the nulls before it deletes. Browsers know their
session without a foreign key, as sessions stay on one machine. Search names the tenant in each of its parts; the two
ways of asking it that no release since 0024 uses are gone. It may run again.
"""

import pathlib

from alembic import op

revision = "0035"
down_revision = "0034"

HERE = pathlib.Path(__file__).parent
# Table, column, and what it refers to.
NULLED = (
    ("conversations", "assignee_id", "memberships", "user_id"),
    ("conversations", "team_id", "teams", "id"),
    ("number_desks", "team_id", "teams", "id"),
    ("macros", "assignee_id", "memberships", "user_id"),
    ("macros", "team_id", "teams", "id"),
    ("macros", "canned_reply_id", "canned_replies", "id"),
    ("canned_files", "canned_reply_id", "canned_replies", "id"),
)
SESSION = "fk_push_subscriptions_session_id"
BY_TYPE = "search_entries(text, uuid, uuid, uuid, text, timestamptz, timestamptz, uuid, int, int)"
BY_TAG = "search_entries(text, uuid, uuid, uuid, uuid, text, timestamptz, timestamptz, uuid, int, int)"


def upgrade() -> None:
    for table, column, referred, key in NULLED:
        change_key(table, column, referred, key, "")
    op.execute(f"alter table push_subscriptions drop constraint if exists {SESSION}")
    # It stays the platform's. A cluster's machines have a connection for each role, so what one role grants another
    # in a transaction does not hold there yet.
    op.execute((HERE / "0035_search_one_machine.sql").read_text())
    # What it costs in truth: else the rows of a tenant are read and taken apart one by one instead of by their index
    # (measured with 200,000 messages: 1.7 s instead of 16 ms).
    op.execute("alter function search_lexemes(uuid, timestamptz, text) cost 100000")
    op.execute(f"drop function if exists {BY_TYPE}")
    op.execute(f"drop function if exists {BY_TAG}")


def downgrade() -> None:
    for table, column, referred, key in NULLED:
        change_key(table, column, referred, key, f" on delete set null ({column})")
    op.execute("set local role switchboard_platform")
    op.execute(
        "update push_subscriptions p set session_id = null where session_id is not null"
        " and not exists (select from user_sessions s where s.id = p.session_id)"
    )
    op.execute("set local role none")
    op.execute(
        f"alter table push_subscriptions add constraint {SESSION} foreign key (session_id)"
        " references user_sessions (id) on delete set null"
    )
    op.execute("alter function search_lexemes(uuid, timestamptz, text) cost 100")
    by_type = (HERE / "0010_search.sql").read_text()
    as_platform(by_type[by_type.index("create or replace function search_entries(") :])
    as_platform((HERE / "0017_search_by_tag.sql").read_text(), (HERE / "0024_search_by_sender.sql").read_text())
    for door in (BY_TYPE, BY_TAG):
        as_platform(
            f"revoke all on function {door} from public", f"grant execute on function {door} to switchboard_app"
        )


def change_key(table: str, column: str, referred: str, key: str, action: str) -> None:
    """Put in place at once and checked afterwards, when it holds up nobody who writes."""
    name = f"fk_{table}_tenant_id_{column}"
    with op.get_context().autocommit_block():
        op.execute(
            f"alter table {table} drop constraint if exists {name}, add constraint {name}"
            f" foreign key (tenant_id, {column}) references {referred} (tenant_id, {key}){action} not valid"
        )
        op.execute(f"alter table {table} validate constraint {name}")


def as_platform(*statements: str) -> None:
    """Behind the door of search the platform's role reads, so the functions are its own."""
    op.execute("grant create on schema public to switchboard_platform")
    op.execute("set local role switchboard_platform")
    for statement in statements:
        op.execute(statement)
    op.execute("set local role none")
    op.execute("revoke create on schema public from switchboard_platform")
