"""Listings and their feeds, saved searches of contacts with alerts, inquiries; what forms take their choices from."""

import re

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.row_security import protect

revision = "0062"
down_revision = "0061"

MOMENT = sa.DateTime(timezone=True)
MADE = (
    *("listings", "saved_searches", "saved_search_keys", "listing_alerts", "inquiries"),
    *("listing_imports", "listing_import_problems", "listing_settings"),
)
ACTORS = ("agent", "automation", "assistant", "campaign", "sequence", "api", "phone", "system")
# What a merge of contacts moves beside what it moved before.
MOVES = ("saved_search", "listing_alert", "inquiry", "listing")


def ids() -> list[sa.Column]:
    return [uuid("tenant_id"), uuid("id")]


def uuid(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def key(table: str) -> sa.Constraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def to(table: str, other: str, column: str, ondelete: str | None = None, *, referred: str = "id") -> sa.Constraint:
    name = op.f(f"fk_{table}_tenant_id_{column}")
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{other}.tenant_id", f"{other}.{referred}"], name=name, ondelete=ondelete
    )


def of_tenant(table: str) -> sa.Constraint:
    name = op.f(f"fk_{table}_tenant_id")
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=name, ondelete="CASCADE")


def one_of(table: str, column: str, values: tuple[str, ...]) -> sa.Constraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} in ({listed})", name=op.f(f"ck_{table}_{column}"))


def unique(table: str, *columns: str) -> sa.Constraint:
    return sa.UniqueConstraint("tenant_id", *columns, name=op.f(f"uq_{table}_tenant_id_{'_'.join(columns)}"))


def text(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable, server_default=default)


def number(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=default)


def json(name: str) -> sa.Column:
    return sa.Column(name, JSONB(), nullable=False)


def moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, MOMENT, nullable=nullable)


def truth(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)


def double(name: str) -> sa.Column:
    return sa.Column(name, sa.Double(), nullable=True)


def allow_moves(*, also: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> None:
    """Which kinds of rows a merge of contacts moves. The others that are allowed stay."""
    defined = sa.text("select pg_get_constraintdef(oid) from pg_constraint where conname = 'ck_merge_moves_kind'")
    kinds = re.findall(r"'(\w+)'", op.get_bind().scalar(defined))
    listed = ", ".join(f"'{kind}'" for kind in dict.fromkeys([*kinds, *also]) if kind not in without)
    op.execute("alter table merge_moves drop constraint ck_merge_moves_kind")
    op.execute(f"alter table merge_moves add constraint ck_merge_moves_kind check (kind in ({listed})) not valid")
    op.execute("alter table merge_moves validate constraint ck_merge_moves_kind")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    make_listings()
    make_searches()
    make_alerts()
    make_inquiries()
    make_imports()
    make_settings()
    op.add_column("whatsapp_flows", text("lookup_source", ""))
    for table in MADE:
        protect(table)
    allow_moves(also=MOVES)


def make_listings() -> None:
    op.create_table(
        "listings",
        *ids(),
        *(text("external_id"), text("title"), text("kind"), text("type", ""), text("type_key", "")),
        *(text("city", ""), text("city_key", ""), text("district", ""), text("district_key", "")),
        *(number("price_micros", nullable=True), text("currency", nullable=True), double("rooms"), double("area")),
        *(text("url", ""), text("picture_url", ""), text("description", ""), text("status")),
        *(uuid("contact_id", nullable=True), uuid("member_id", nullable=True), json("attributes"), text("source")),
        *(text("words", ""), json("keys"), moment("listed_at"), moment("news_at"), moment("dropped_at", nullable=True)),
        *(moment("created_at"), moment("updated_at")),
        one_of("listings", "kind", ("sale", "rent")),
        one_of("listings", "status", ("available", "reserved", "sold", "let", "withdrawn")),
        one_of("listings", "source", ("hand", "api", "feed")),
        unique("listings", "external_id"),
        key("listings"),
        of_tenant("listings"),
        to("listings", "contacts", "contact_id"),
        to("listings", "memberships", "member_id", referred="user_id"),
    )
    newest = sa.text("listed_at desc"), sa.text("id desc")
    op.create_index("ix_listings_newest", "listings", ["tenant_id", *newest])
    op.create_index("ix_listings_status", "listings", ["tenant_id", "status", *newest])
    op.create_index("ix_listings_contact", "listings", ["tenant_id", "contact_id"])
    is_offered = sa.text("status = 'available'")
    op.create_index("ix_listings_news", "listings", ["tenant_id", "news_at"], postgresql_where=is_offered)


def make_searches() -> None:
    op.create_table(
        "saved_searches",
        *ids(),
        *(uuid("contact_id"), text("name", ""), json("criteria"), text("frequency"), truth("wants_drops")),
        *(text("kind", ""), number("price_from", nullable=True), number("price_to", nullable=True)),
        *(text("currency", nullable=True), double("rooms_from"), double("rooms_to"), double("area_from")),
        *(double("area_to"), json("words"), text("state"), text("source"), text("external_id", nullable=True)),
        *(text("by_kind"), uuid("by_id", nullable=True), text("by_name", nullable=True)),
        *(moment("created_at"), moment("seen_until"), moment("stopped_at", nullable=True), text("stopped_by", "")),
        one_of("saved_searches", "frequency", ("daily", "at_once")),
        one_of("saved_searches", "state", ("active", "stopped")),
        one_of("saved_searches", "source", ("agent", "api", "form", "automation")),
        one_of("saved_searches", "by_kind", ACTORS),
        unique("saved_searches", "external_id"),
        key("saved_searches"),
        to("saved_searches", "contacts", "contact_id", "CASCADE"),
    )
    op.create_index("ix_saved_searches_contact", "saved_searches", ["tenant_id", "contact_id"])
    is_active = sa.text("state = 'active'")
    op.create_index("ix_saved_searches_active", "saved_searches", ["tenant_id", "id"], postgresql_where=is_active)
    op.create_table(
        "saved_search_keys",
        *ids(),
        *(uuid("search_id"), text("key")),
        unique("saved_search_keys", "search_id", "key"),
        key("saved_search_keys"),
        to("saved_search_keys", "saved_searches", "search_id", "CASCADE"),
    )
    op.create_index("ix_saved_search_keys_key", "saved_search_keys", ["tenant_id", "key"])


def make_alerts() -> None:
    op.create_table(
        "listing_alerts",
        *ids(),
        *(uuid("contact_id"), text("day"), json("search_ids"), json("listing_ids"), number("listing_count")),
        *(text("state"), text("reason", ""), uuid("message_id", nullable=True), moment("created_at")),
        moment("settled_at", nullable=True),
        one_of("listing_alerts", "state", ("due", "sent", "skipped", "refused", "capped")),
        unique("listing_alerts", "contact_id", "day"),
        key("listing_alerts"),
        to("listing_alerts", "contacts", "contact_id", "CASCADE"),
    )
    is_due = sa.text("state = 'due'")
    op.create_index("ix_listing_alerts_due", "listing_alerts", ["created_at"], postgresql_where=is_due)
    op.create_index("ix_listing_alerts_newest", "listing_alerts", ["tenant_id", sa.text("id desc")])
    op.create_index(
        "ix_listing_alerts_message",
        "listing_alerts",
        ["tenant_id", "message_id"],
        postgresql_where=sa.text("message_id is not null"),
    )


def make_inquiries() -> None:
    op.create_table(
        "inquiries",
        *ids(),
        *(uuid("listing_id"), uuid("contact_id"), uuid("conversation_id", nullable=True), text("source")),
        *(text("state"), text("text", ""), number("times", "1"), text("owner_told", ""), text("owner_problem", "")),
        *(moment("created_at"), moment("last_at"), moment("changed_at")),
        one_of("inquiries", "source", ("link", "api", "form", "agent")),
        one_of("inquiries", "state", ("new", "answered", "viewing_booked", "lost")),
        key("inquiries"),
        to("inquiries", "listings", "listing_id", "CASCADE"),
        to("inquiries", "contacts", "contact_id", "CASCADE"),
        to("inquiries", "conversations", "conversation_id"),
    )
    op.create_index("ix_inquiries_newest", "inquiries", ["tenant_id", sa.text("id desc")])
    op.create_index("ix_inquiries_state", "inquiries", ["tenant_id", "state", sa.text("id desc")])
    op.create_index("ix_inquiries_listing", "inquiries", ["tenant_id", "listing_id", "contact_id"])
    op.create_index("ix_inquiries_contact", "inquiries", ["tenant_id", "contact_id"])
    op.create_index("ix_inquiries_conversation", "inquiries", ["tenant_id", "conversation_id"])


def make_imports() -> None:
    op.create_table(
        "listing_imports",
        *ids(),
        *(text("filename"), text("storage_key", ""), text("format", ""), text("encoding", ""), text("delimiter", "")),
        *(json("columns"), json("ignored"), text("currency", ""), truth("withdraws"), text("state"), json("failure")),
        *(number("row", "0"), number("created", "0"), number("changed", "0"), number("same", "0"), number("bad", "0")),
        *(number("withdrawn", "0"), json("guard"), number("attempts", "0"), text("source")),
        *(text("by_kind"), uuid("by_id", nullable=True), text("by_name", nullable=True)),
        *(moment("created_at"), moment("worked_at"), moment("finished_at", nullable=True), truth("is_cleared")),
        one_of("listing_imports", "state", ("waiting", "importing", "done", "failed")),
        one_of("listing_imports", "source", ("upload", "api", "feed")),
        one_of("listing_imports", "by_kind", ACTORS),
        key("listing_imports"),
        of_tenant("listing_imports"),
    )
    is_busy = sa.text("state in ('waiting', 'importing')")
    op.create_index("ix_listing_imports_busy", "listing_imports", ["worked_at"], postgresql_where=is_busy)
    op.create_index(
        "ix_listing_imports_old", "listing_imports", ["created_at"], postgresql_where=sa.text("not is_cleared")
    )
    op.create_index("ix_listing_imports_newest", "listing_imports", ["tenant_id", sa.text("id desc")])
    op.create_table(
        "listing_import_problems",
        *ids(),
        *(uuid("import_id"), number("number"), text("column", ""), text("words"), json("facts")),
        unique("listing_import_problems", "import_id", "number"),
        key("listing_import_problems"),
        to("listing_import_problems", "listing_imports", "import_id", "CASCADE"),
    )


def make_settings() -> None:
    op.create_table(
        "listing_settings",
        *ids(),
        *(text("currency", ""), uuid("alert_notification_id", nullable=True), number("alert_hour", "9")),
        *(
            uuid("phone_number_id", nullable=True),
            uuid("inquiry_notification_id", nullable=True),
            number("inquiry_days", "7"),
        ),
        *(
            truth("assigns_member"),
            uuid("search_flow_id", nullable=True),
            text("feed_url", ""),
            truth("feed_withdraws"),
        ),
        *(moment("feed_fetched_at", nullable=True), json("feed_failure"), moment("updated_at")),
        sa.CheckConstraint("alert_hour between 8 and 19", name=op.f("ck_listing_settings_alert_hour")),
        sa.CheckConstraint("inquiry_days between 1 and 365", name=op.f("ck_listing_settings_inquiry_days")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_listing_settings_tenant_id")),
        key("listing_settings"),
        of_tenant("listing_settings"),
        to("listing_settings", "notifications", "alert_notification_id"),
        to("listing_settings", "notifications", "inquiry_notification_id"),
        to("listing_settings", "phone_numbers", "phone_number_id"),
        to("listing_settings", "whatsapp_flows", "search_flow_id"),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    # What a merge moved of these is gone with their tables; listings themselves are, too.
    op.execute("set local role switchboard_platform")
    op.execute("delete from merge_moves where kind in ('saved_search', 'listing_alert', 'inquiry', 'listing')")
    op.execute("reset role")
    allow_moves(without=MOVES)
    op.drop_column("whatsapp_flows", "lookup_source")
    for table in reversed(MADE):
        op.drop_table(table)
