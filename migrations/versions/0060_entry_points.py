"""Entry points: links and buttons that open a chat, their references and touches, and a conversation's subject."""

import pathlib
import re
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect, share

revision = "0060"
down_revision = "0059"

MOMENT = sa.DateTime(timezone=True)
MADE = ("entry_points", "entry_references", "entry_clicks", "entry_touches")
KINDS = "'link', 'page', 'qr', 'widget', 'email', 'ad'"
HERE = pathlib.Path(__file__).parent
BEFORE = "search_entries(text, uuid, uuid, uuid, uuid, text, timestamptz, timestamptz, uuid, int, int, text[])"
DOOR = f"{BEFORE.removesuffix(')')}, uuid)"
KEY = (
    "fk_conversations_tenant_id_entry_point_id foreign key (tenant_id, entry_point_id)"
    " references entry_points (tenant_id, id)"
)
SUBJECT = {
    "subject": JSONB(),
    "subject_type": sa.Text(),
    "subject_external_id": sa.Text(),
    "entry_point_id": sa.Uuid(),
}
# What a merge moves, and what the thread shows of changes.
MORE_KINDS = {"merge_moves": ("touch",), "activities": ("subject", "no_subject")}
INDEXES = {
    "ix_conversations_entry_point": "(tenant_id, entry_point_id, last_message_at desc, id desc)"
    " where entry_point_id is not null",
    "ix_conversations_subject": "(tenant_id, subject_type, subject_external_id, last_message_at desc, id desc)"
    " where subject_type is not null",
}


def ids() -> list[sa.Column]:
    return [sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def key(table: str) -> sa.Constraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def to(table: str, other: str, column: str, ondelete: str | None = None) -> sa.Constraint:
    name = op.f(f"fk_{table}_tenant_id_{column}")
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{other}.tenant_id", f"{other}.id"], name=name, ondelete=ondelete
    )


def text(name: str, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)


def upgrade() -> None:
    """The columns and their indexes come first, and may be made again; the rest is one transaction."""
    op.execute("set local lock_timeout = '5s'")
    for column, kind in SUBJECT.items():
        op.add_column("conversations", sa.Column(column, kind, nullable=True), if_not_exists=True)
    with op.get_context().autocommit_block():
        for name, rest in INDEXES.items():
            op.execute(f"drop index concurrently if exists {name}")
            op.execute(f"create index concurrently {name} on conversations {rest}")
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "entry_points",
        *ids(),
        text("external_id"),
        text("slug"),
        text("name"),
        text("kind"),
        text("code"),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        sa.Column("texts", JSONB(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("tag_ids", JSONB(), nullable=False),
        sa.Column("active_until", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(f"kind in ({KINDS})", name=op.f("ck_entry_points_kind")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_entry_points_tenant_id_external_id")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_entry_points_tenant_id_code")),
        key("entry_points"),
        to("entry_points", "phone_numbers", "phone_number_id"),
        to("entry_points", "teams", "team_id"),
    )
    op.create_table(
        "entry_point_routes",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("entry_point_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_entry_point_routes")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_entry_point_routes_tenant_id"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "entry_references",
        *ids(),
        sa.Column("entry_point_id", sa.Uuid(), nullable=False),
        sa.Column("phone_number_id", sa.Uuid(), nullable=False),
        text("code"),
        sa.Column("subject", JSONB(), nullable=True),
        text("language", ""),
        sa.Column("utm", JSONB(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_entry_references_tenant_id_code")),
        key("entry_references"),
        to("entry_references", "entry_points", "entry_point_id", "CASCADE"),
    )
    op.create_index(
        "ix_entry_references_entry_point", "entry_references", ["tenant_id", "entry_point_id", "created_at"]
    )
    op.create_index("ix_entry_references_created", "entry_references", ["created_at"])
    op.create_table(
        "entry_clicks",
        *ids(),
        sa.Column("entry_point_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint(
            "tenant_id", "entry_point_id", "at", name=op.f("uq_entry_clicks_tenant_id_entry_point_id_at")
        ),
        key("entry_clicks"),
        to("entry_clicks", "entry_points", "entry_point_id", "CASCADE"),
    )
    op.create_table(
        "entry_touches",
        *ids(),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        text("kind"),
        sa.Column("entry_point_id", sa.Uuid(), nullable=True),
        sa.Column("reference_id", sa.Uuid(), nullable=True),
        sa.Column("subject", JSONB(), nullable=True),
        sa.Column("utm", JSONB(), nullable=True),
        sa.Column("referral", JSONB(), nullable=True),
        flag("is_first"),
        flag("is_shared"),
        flag("is_expired"),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("kind in ('reference', 'ad')", name=op.f("ck_entry_touches_kind")),
        sa.UniqueConstraint("tenant_id", "message_id", "kind", name=op.f("uq_entry_touches_tenant_id_message_id_kind")),
        key("entry_touches"),
        to("entry_touches", "conversations", "conversation_id", "CASCADE"),
        to("entry_touches", "entry_points", "entry_point_id"),
    )
    op.create_index("ix_entry_touches_conversation", "entry_touches", ["tenant_id", "conversation_id", "at"])
    op.create_index("ix_entry_touches_reference", "entry_touches", ["tenant_id", "reference_id"])
    op.create_index("ix_entry_touches_entry_point", "entry_touches", ["tenant_id", "entry_point_id", "at"])
    op.create_index("ix_entry_touches_at", "entry_touches", ["tenant_id", "at"])
    for table in MADE:
        protect(table)
    share("entry_point_routes")
    op.execute(f"alter table conversations add constraint {KEY} not valid")
    op.execute(f"alter table conversations validate constraint {KEY.split(maxsplit=1)[0]}")
    for table, kinds in MORE_KINDS.items():
        allow(table, lambda before, more=kinds: [*before, *more])
    open_door()
    backfill()


def allow(table: str, change: Callable[[list[str]], list[str]]) -> None:
    """The kinds that a table allows already, changed; checked without holding up whoever writes."""
    name = f"ck_{table}_kind"
    query = sa.text("select pg_get_constraintdef(oid) from pg_constraint where conname = :name")
    before = re.findall(r"'(\w+)'", op.get_bind().scalar(query, {"name": name}))
    listed = ", ".join(f"'{kind}'" for kind in dict.fromkeys(change(before)))
    op.execute(f"alter table {table} drop constraint {name}")
    op.execute(f"alter table {table} add constraint {name} check (kind in ({listed})) not valid")
    op.execute(f"alter table {table} validate constraint {name}")


def open_door() -> None:
    """Search by entry point. The old release asks with one argument less, until it is replaced.

    Made by one role only, as in 0035.
    """
    op.execute((HERE / "0060_search_by_entry_point.sql").read_text())
    op.execute("grant create on schema public to switchboard_platform")
    op.execute(f"alter function {DOOR} owner to switchboard_platform")
    op.execute("revoke create on schema public from switchboard_platform")
    op.execute(f"revoke all on function {DOOR} from public")
    op.execute(f"grant execute on function {DOOR} to switchboard_app")


def backfill() -> None:
    """Advertisements by which customers came before: the messages have them, found by the time a customer came by one."""
    op.execute("set local role switchboard_platform")
    op.execute(TOUCHES_OF_ADS)
    op.execute(SUBJECTS_OF_ADS)
    op.execute("set local role none")


# Only conversations with `entry_at` have had one, and each message is found in its thread.
TOUCHES_OF_ADS = """
    insert into entry_touches (tenant_id, id, conversation_id, message_id, kind, subject, referral, is_first, at)
    select m.tenant_id, gen_random_uuid(), m.conversation_id, m.id, 'ad', jsonb_strip_nulls(jsonb_build_object(
            'type', 'ad', 'external_id', left(m.content -> 'referral' ->> 'source_id', 200),
            'title', left(m.content -> 'referral' ->> 'headline', 200),
            'url', case when m.content -> 'referral' ->> 'source_url' like 'http%'
                then left(m.content -> 'referral' ->> 'source_url', 1000) end)),
        m.content -> 'referral',
        row_number() over (partition by m.tenant_id, m.conversation_id order by m.occurred_at, m.id) = 1, m.occurred_at
    from conversations c
    join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id
    where c.entry_at is not null and m.direction = 'inbound' and jsonb_typeof(m.content -> 'referral') = 'object'
    on conflict do nothing
"""
SUBJECTS_OF_ADS = """
    update conversations c set subject = t.subject, subject_type = 'ad',
        subject_external_id = t.subject ->> 'external_id'
    from entry_touches t
    where t.tenant_id = c.tenant_id and t.conversation_id = c.id and t.is_first and c.subject is null
      and c.entry_at is not null
"""


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(f"drop function {DOOR}")
    op.execute("set local role switchboard_platform")
    op.execute("delete from merge_moves where kind = 'touch'")
    op.execute("delete from activities where kind in ('subject', 'no_subject')")
    op.execute("set local role none")
    for table, kinds in MORE_KINDS.items():
        allow(table, lambda before, more=kinds: [kind for kind in before if kind not in more])
    for name in INDEXES:
        op.execute(f"drop index if exists {name}")
    for column in SUBJECT:
        op.drop_column("conversations", column)
    for table in ("entry_touches", "entry_clicks", "entry_references", "entry_point_routes", "entry_points"):
        op.drop_table(table)
