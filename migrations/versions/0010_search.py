"""Search in messages and notes: lexemes that carry tenant and month, and the one door to them."""

import pathlib

from alembic import op

revision = "0010"
down_revision = "0009"

SQL = pathlib.Path(__file__).parent / "0010_search.sql"
INDEXES = {
    "ix_messages_search": "messages using gin (search_lexemes(tenant_id, occurred_at, body)) where body <> ''",
    "ix_notes_search": "notes using gin (search_lexemes(tenant_id, occurred_at, body))",
}
DOORS = ("search_entries(text, uuid, uuid, uuid, text, timestamptz, timestamptz, uuid, int, int)",)


def upgrade() -> None:
    op.execute(SQL.read_text())
    # Behind the doors the platform's role reads, which sees every tenant; each door looks at the current one only.
    op.execute("grant create on schema public to switchboard_platform")
    for door in DOORS:
        op.execute(f"alter function {door} owner to switchboard_platform")
        op.execute(f"revoke all on function {door} from public")
        op.execute(f"grant execute on function {door} to switchboard_app")
    op.execute("revoke create on schema public from switchboard_platform")
    with op.get_context().autocommit_block():
        for name, rest in INDEXES.items():
            op.execute(f"drop index concurrently if exists {name}")
            op.execute(f"create index concurrently {name} on {rest}")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"drop index {name}")
    op.execute("set role switchboard_platform")
    for door in DOORS:
        op.execute(f"drop function {door}")
    op.execute("reset role")
    for function in (
        "search_query(uuid, timestamptz, text)",
        "search_lexemes(uuid, timestamptz, text)",
        "search_place(uuid, timestamptz)",
        "search_words(text)",
        "search_letters(text)",
        "search_fold(text)",
    ):
        op.execute(f"drop function {function}")
