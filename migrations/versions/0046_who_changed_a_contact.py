"""Who changed a contact, also where it was no team member: an API key, an automation. It may run again.

Null stays with the rows there are: an agent's where there is an id, else nobody's.
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0044"

KINDS = "'agent', 'automation', 'assistant', 'campaign', 'sequence', 'api', 'phone', 'system'"
# By table: what the columns with the kind and the name begin with.
ACTORS = {
    "contact_events": ("by",),
    "contact_notes": ("author",),
    "contact_tags": ("added_by",),
    "consents": ("by",),
    "contact_merges": ("by", "undone_by"),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table, prefixes in ACTORS.items():
        for prefix in prefixes:
            for name in (f"{prefix}_kind", f"{prefix}_name"):
                op.add_column(table, sa.Column(name, sa.Text(), nullable=True), if_not_exists=True)
            constraint = f"ck_{table}_{prefix}_kind"
            op.execute(f"alter table {table} drop constraint if exists {constraint}")
            op.execute(f"alter table {table} add constraint {constraint} check ({prefix}_kind in ({KINDS})) not valid")
    op.alter_column("contact_merges", "by_id", nullable=True)
    # Validated without holding up whoever writes: each in a transaction of its own.
    with op.get_context().autocommit_block():
        op.execute("set lock_timeout = 0")
        for table, prefixes in ACTORS.items():
            for prefix in prefixes:
                op.execute(f"alter table {table} validate constraint ck_{table}_{prefix}_kind")
        op.execute("set lock_timeout = '2s'")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    # `contact_merges.by_id` may stay null: rows may have none by now, and the app before this always writes it.
    for table, prefixes in ACTORS.items():
        for prefix in prefixes:
            for name in (f"{prefix}_kind", f"{prefix}_name"):
                op.drop_column(table, name)
