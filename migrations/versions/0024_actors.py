"""Who sent a message, wrote a note, did something; the lane of automation; search by who sent. It may run again.

Null stays with the rows there are: an agent's where `author_id` (or `actor_id`) is set, else nobody knows.
"""

import pathlib

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

SQL = pathlib.Path(__file__).parent / "0024_search_by_sender.sql"
DOOR = "search_entries(text, uuid, uuid, uuid, uuid, text, timestamptz, timestamptz, uuid, int, int, text[])"
KINDS = "'agent', 'automation', 'assistant', 'campaign', 'sequence', 'api', 'phone', 'system'"
COLUMNS = {
    "messages": ("author_kind", "author_name", "source"),
    "notes": ("author_kind", "author_name"),
    "activities": ("actor_kind", "actor_name"),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table, names in COLUMNS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), nullable=True), if_not_exists=True)
        allow(table, names[0], KINDS)
    op.alter_column("notes", "author_id", nullable=True)
    allow("messages", "lane", "'replies', 'automation', 'campaigns'")
    open_door()
    # Validated without holding up whoever writes: each in a transaction of its own.
    with op.get_context().autocommit_block():
        op.execute("set lock_timeout = 0")
        for table, names in COLUMNS.items():
            op.execute(f"alter table {table} validate constraint ck_{table}_{names[0]}")
        op.execute("alter table messages validate constraint ck_messages_lane")
        op.execute("set lock_timeout = '2s'")


def allow(table: str, column: str, values: str) -> None:
    constraint = f"ck_{table}_{column}"
    op.execute(f"alter table {table} drop constraint if exists {constraint}")
    op.execute(f"alter table {table} add constraint {constraint} check ({column} in ({values})) not valid")


def open_door() -> None:
    op.execute(SQL.read_text())
    # As in 0010: behind the door the platform's role reads, and the door looks at the current tenant only.
    op.execute("grant create on schema public to switchboard_platform")
    op.execute(f"alter function {DOOR} owner to switchboard_platform")
    op.execute("revoke create on schema public from switchboard_platform")
    op.execute(f"revoke all on function {DOOR} from public")
    op.execute(f"grant execute on function {DOOR} to switchboard_app")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set role switchboard_platform")
    op.execute(f"drop function {DOOR}")
    op.execute("update messages set lane = 'replies' where lane = 'automation'")
    op.execute("delete from notes where author_id is null")
    op.execute("reset role")
    allow("messages", "lane", "'replies', 'campaigns'")
    op.execute("alter table messages validate constraint ck_messages_lane")
    op.alter_column("notes", "author_id", nullable=False)
    for table, names in COLUMNS.items():
        for name in names:
            op.drop_column(table, name)
