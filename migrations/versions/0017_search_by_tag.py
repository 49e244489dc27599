"""Search takes a tag too. What runs meanwhile still asks the door without it, which goes with a later release."""

import pathlib

from alembic import op

revision = "0017"
down_revision = "0016"

SQL = pathlib.Path(__file__).parent / "0017_search_by_tag.sql"
DOOR = "search_entries(text, uuid, uuid, uuid, uuid, text, timestamptz, timestamptz, uuid, int, int)"


def upgrade() -> None:
    op.execute(SQL.read_text())
    # As in 0010: behind the door the platform's role reads, and the door looks at the current tenant only.
    op.execute("grant create on schema public to switchboard_platform")
    op.execute(f"alter function {DOOR} owner to switchboard_platform")
    op.execute("revoke create on schema public from switchboard_platform")
    op.execute(f"revoke all on function {DOOR} from public")
    op.execute(f"grant execute on function {DOOR} to switchboard_app")


def downgrade() -> None:
    op.execute("set role switchboard_platform")
    op.execute(f"drop function {DOOR}")
    op.execute("reset role")
