"""The desk's indexes, and older conversations filled in, under traffic: each step may run again."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ACTIVE = "state in ('open', 'pending')"
NEWEST = "last_message_at desc, id desc"
INDEXES = {
    "ix_conversations_active": (NEWEST, ACTIVE),
    "ix_conversations_assignee": (f"assignee_id, {NEWEST}", ACTIVE),
    "ix_conversations_number": (f"phone_number_id, {NEWEST}", ACTIVE),
    "ix_conversations_team": (f"team_id, {NEWEST}", f"{ACTIVE} and team_id is not null"),
    "ix_conversations_queue": ("team_id, waiting_since", f"{ACTIVE} and team_id is not null and assignee_id is null"),
    "ix_conversations_waiting": ("waiting_since, id", f"{ACTIVE} and waiting_since is not null"),
    "ix_conversations_window": ("last_inbound_at, id", ACTIVE),
    "ix_conversations_quiet": (f"state, {NEWEST}", "state <> 'open'"),
}
OLD = {
    "ix_conversations_newest": (NEWEST, "true"),
    "ix_conversations_unread": (NEWEST, "unread_count > 0"),
}
BATCH = sa.text("""
    with batch as (
        select tenant_id, id from conversations where (tenant_id, id) > (:tenant, :id) order by tenant_id, id limit 5000
    ), waiting as (
        update conversations c set waiting_since = c.last_inbound_at from batch
        where c.tenant_id = batch.tenant_id and c.id = batch.id
            and c.waiting_since is null and c.last_message_state = 'received'
    )
    select tenant_id, id from batch order by tenant_id desc, id desc limit 1
""")
NOBODY = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        wait_for_answers()
        for name, (columns, where) in INDEXES.items():
            build(name, f"(tenant_id, {columns}) where {where}")
        build("ix_conversations_snoozed", "(snoozed_until) where state = 'snoozed'")
        for name in (
            "ck_conversations_state",
            "fk_conversations_tenant_id_assignee_id",
            "fk_conversations_tenant_id_team_id",
        ):
            op.execute(f"alter table conversations validate constraint {name}")
        for name in OLD:
            op.execute(f"drop index concurrently if exists {name}")


def build(name: str, rest: str) -> None:
    """One that was begun and not finished is thrown away first."""
    op.execute(f"drop index concurrently if exists {name}")
    op.execute(f"create index concurrently {name} on conversations {rest}")


def wait_for_answers() -> None:
    """Who wrote last without an answer waits for one. A few thousand rows at a time."""
    op.execute("set role switchboard_platform")
    op.execute("update conversations set state = 'merged' where merged_into_id is not null")
    last = {"tenant": NOBODY, "id": NOBODY}
    while row := op.get_bind().execute(BATCH, last).one_or_none():
        last = {"tenant": row.tenant_id, "id": row.id}
    op.execute("reset role")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name, (columns, where) in OLD.items():
            build(name, f"(tenant_id, {columns}) where {where}")
        for name in (*INDEXES, "ix_conversations_snoozed"):
            op.execute(f"drop index concurrently if exists {name}")
