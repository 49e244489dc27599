"""Kinds and facts instead of sentences: a conversation's line, a message's, why a change is held. Groups have a mark.

What was written in English is read back where it can be recognised; any other line is kept as the plain text it is.
"""

import json
import re
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"

BATCH = 2_000
NOBODY = "00000000-0000-0000-0000-000000000000"
IDENTITIES = ("wa_id", "bsuid", "parent_bsuid", "username")
# As the lines were written until now. The names are those of the facts.
LINES = {
    r"sent an empty message": "empty",
    r"sent a photo(?:: (?P<words>.*))?": "image",
    r"sent a video(?:: (?P<words>.*))?": "video",
    r"sent a sticker": "sticker",
    r"sent a voice note": "voice",
    r"sent an audio file": "audio",
    r"sent a file \((?P<name>[^)]*)\)(?:: (?P<words>.*))?": "document_named",
    r"sent a file(?:: (?P<words>.*))?": "document",
    r"shared a location \((?P<name>.*)\)": "location_named",
    r"shared a location": "location",
    r"shared their phone number": "own_number",
    r"shared (?P<count>\d+) contacts": "contacts",
    r"shared a contact": "contact",
    r"sent an order(?:: (?P<words>.*))?": "order",
    r"answered a form": "form",
    r"agreed to be called": "calls_allowed",
    r"does not want to be called": "calls_refused",
    r"edited a message(?:: (?P<words>.*))?": "edit",
    r"deleted a message": "revoke",
    r"sent a template": "template",
    r"opened the chat": "request_welcome",
    r"sent a photo, video or file that has not arrived yet": "media_placeholder",
    r"changed their phone number": "number_changed",
    r"changed their phone number and does not show the new one": "number_hidden",
    r"uses WhatsApp on a new device": "new_device",
    r"removed a reaction(?: to .*)?": "reaction_removed",
    r"reacted (?P<emoji>\S+) to “(?P<words>.*)”": "reaction",
    r"reacted (?P<emoji>\S+) to a photo": "reaction_to_image",
    r"reacted (?P<emoji>\S+) to a video": "reaction_to_video",
    r"reacted (?P<emoji>\S+) to a voice message": "reaction_to_audio",
    r"reacted (?P<emoji>\S+) to a file": "reaction_to_document",
    r"reacted (?P<emoji>\S+) to a location": "reaction_to_location",
    r"reacted (?P<emoji>\S+) to a sticker": "reaction_to_sticker",
    r"reacted (?P<emoji>\S+) to a message": "reaction_to_message",
    r"reacted (?P<emoji>\S+)": "reaction",
    r"sent something this app cannot show yet \(unknown\)": "unsupported",
    r"sent something this app cannot show yet \((?P<type>.*)\)": "unsupported_named",
}
REASONS = {
    "the body is not JSON": "not_json",
    "the body has no list of entries": "no_entries",
    "an entry is not an object": "not_an_object",
    "an item is not an object": "not_an_object",
    "an entry has no list of changes": "no_changes",
    "a change has no value": "no_value",
    "a change does not name its field": "no_field",
    "an account update does not name its event": "no_event",
    "a message does not say who sent it": "no_sender",
    "a message does not say to whom it went": "no_recipient",
    "an entry of the address book does not say whose it is": "no_person",
    "a status does not say what it is": "no_status",
    "an item does not say to which phone number it belongs": "no_number",
    "an item has no id": "no_id",
    "nobody has connected this number or account": "unrouted",
    "could not be carried out: Nameless": "nameless",
}
WITH_DETAIL = {"unexpected ": "unexpected", "could not be carried out: ": "failed"}

# A page of conversations whose line is not just what somebody wrote, by the primary key: the last message is of
# another type or without words, was deleted, or is not there (a reaction).
PAGE = sa.text("""
    select c.tenant_id, c.id, c.last_message_preview as line,
        c.last_message_preview <> '' and (m.id is null or m.type not in ('text', 'button', 'interactive', 'template')
            or btrim(m.body) = '' or exists (
                select 1 from message_changes x where x.tenant_id = m.tenant_id and x.target_wamid = m.wamid
                    and x.phone_number_id = m.phone_number_id and x.kind = 'revoke')) as is_composed
    from conversations c left join messages m on m.tenant_id = c.tenant_id and m.id = c.last_message_id
    where (c.tenant_id, c.id) > (:tenant, :id) order by c.tenant_id, c.id limit :batch
""")
FACTS = sa.text("""
    update conversations set last_message_preview = :words, last_message_facts = cast(:facts as jsonb)
    where tenant_id = :tenant and id = :id
""")
MESSAGES = sa.text("""
    with page as (
        select tenant_id, id, content ? 'preview' or instead #> '{content}' ? 'preview' as has_line from messages
        where (tenant_id, id) > (:tenant, :id) order by tenant_id, id limit :batch
    ), bare as (
        update messages m set content = m.content - 'preview', instead = m.instead #- '{content,preview}'
        from page where page.has_line and m.tenant_id = page.tenant_id and m.id = page.id
    )
    select tenant_id, id from page order by tenant_id desc, id desc limit 1
""")
# What was shown of a message by its type, where it has no words: near enough for whoever goes back.
MESSAGES_BACK = sa.text("""
    with page as (
        select tenant_id, id, type from messages where (tenant_id, id) > (:tenant, :id) order by tenant_id, id limit :batch
    ), lined as (
        update messages m set content = m.content || jsonb_build_object('preview', case
                when m.body <> '' then left(regexp_replace(m.body, '\\s+', ' ', 'g'), 160)
                else coalesce(cast(:lines as jsonb) ->> m.type, 'sent something this app cannot show yet (' || m.type || ')')
            end)
        from page where m.tenant_id = page.tenant_id and m.id = page.id and m.content is not null and m.type <> 'text'
    )
    select tenant_id, id from page order by tenant_id desc, id desc limit 1
""").bindparams(
    lines=json.dumps(
        {
            "audio": "sent an audio file",
            "contacts": "shared a contact",
            "document": "sent a file",
            "image": "sent a photo",
            "location": "shared a location",
            "order": "sent an order",
            "sticker": "sent a sticker",
            "video": "sent a video",
            "revoke": "deleted a message",
            "system": "changed their phone number",
            "media_placeholder": "sent a photo, video or file that has not arrived yet",
        }
    )
)
LINES_BACK = sa.text("""
    select tenant_id, id, last_message_preview as words, last_message_facts as facts from conversations
    where (tenant_id, id) > (:tenant, :id) order by tenant_id, id limit :batch
""")
SEARCH = """
    select h.id, h.reason from held_changes h where h.id > :id order by h.id limit :batch
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("conversations", sa.Column("last_message_facts", JSONB(), nullable=True))
    op.add_column("conversations", sa.Column("is_group", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("held_changes", sa.Column("detail", sa.Text(), server_default="", nullable=False))
    allow_identities([*IDENTITIES, "group"])
    with op.get_context().autocommit_block():
        op.execute("set role switchboard_platform")
        read_lines_back()
        each_page(MESSAGES)
        name_reasons()
        op.execute("reset role")


def read_lines_back() -> None:
    for row in pages(PAGE):
        if row.is_composed:
            words, facts = recognise(row.line)
            given = {"tenant": row.tenant_id, "id": row.id, "words": words, "facts": as_json(facts)}
            op.get_bind().execute(FACTS, given)


def recognise(line: str) -> tuple[str, dict[str, object]]:
    """The words in a line, and its kind with its facts."""
    for pattern, kind in LINES.items():
        if found := re.fullmatch(pattern, line, re.DOTALL):
            facts = {name: value for name, value in found.groupdict().items() if value is not None}
            words = facts.pop("words", "")
            if "count" in facts:
                facts["count"] = int(facts["count"])
            return words, {"kind": kind, **facts}
    return "", {"kind": "plain", "line": line}


def write_line(words: str, facts: dict[str, object]) -> str:
    """The line as it would have been written before."""
    kind = facts.get("kind")
    if kind == "plain":
        return str(facts.get("line", ""))
    pattern = next(
        (pattern for pattern, name in LINES.items() if name == kind and same_facts(pattern, facts, words)), ""
    )
    if not pattern:
        return words or "sent something this app cannot show yet (unknown)"
    line = re.sub(r"\(\?:(: | to )?(.*?)\)\?$", lambda part: (part[1] or "") + part[2] if words else "", pattern)
    line = re.sub(r"\(\?P<(\w+)>.*?[*+]\)", lambda fact: str({**facts, "words": words}.get(fact[1], "")), line)
    return line.replace("\\", "")[:160]


def same_facts(pattern: str, facts: dict[str, object], words: str) -> bool:
    named = set(re.findall(r"\(\?P<(\w+)>", pattern))
    needed = set(re.findall(r"\(\?P<(\w+)>", re.sub(r"\(\?:.*\)\?$", "", pattern)))
    return needed <= {*facts, *(["words"] if words else [])} and ("words" in named or not words)


def name_reasons() -> None:
    for row in pages(sa.text(SEARCH), of_tenants=False):
        reason, detail = REASONS.get(row.reason), ""
        for start, key in WITH_DETAIL.items():
            if reason is None and row.reason.startswith(start):
                reason, detail = key, row.reason.removeprefix(start)
        if reason:
            set_reason(row.id, reason, detail)


def set_reason(held_id: int, reason: str, detail: str) -> None:
    changed = sa.text("update held_changes set reason = :reason, detail = :detail where id = :id")
    op.get_bind().execute(changed, {"id": held_id, "reason": reason, "detail": detail})


def pages(query: sa.TextClause, *, of_tenants: bool = True) -> Iterator[sa.Row]:
    """Every row, a batch at a time."""
    last = {"tenant": NOBODY, "id": NOBODY} if of_tenants else {"id": 0}
    while rows := op.get_bind().execute(query, last | {"batch": BATCH}).all():
        yield from rows
        last = {"tenant": rows[-1].tenant_id, "id": rows[-1].id} if of_tenants else {"id": rows[-1].id}


def each_page(query: sa.TextClause) -> None:
    for _ in pages(query):
        pass


def as_json(facts: dict[str, object]) -> str:
    return json.dumps(facts, ensure_ascii=False)


def allow_identities(kinds: list[str]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("alter table contact_identities drop constraint ck_contact_identities_kind")
    op.execute(
        f"alter table contact_identities add constraint ck_contact_identities_kind check (kind in ({listed})) not valid"
    )
    with op.get_context().autocommit_block():
        op.execute("alter table contact_identities validate constraint ck_contact_identities_kind")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("set role switchboard_platform")
        for row in pages(LINES_BACK):
            if row.facts:
                line = write_line(row.words, row.facts)
                given = {"tenant": row.tenant_id, "id": row.id, "words": line, "facts": None}
                op.get_bind().execute(FACTS, given)
        each_page(MESSAGES_BACK)
        english = {key: words for words, key in REASONS.items()}
        starts = {key: start for start, key in WITH_DETAIL.items()}
        for row in pages(sa.text(SEARCH.replace("h.reason", "h.reason, h.detail")), of_tenants=False):
            if row.reason in starts:
                set_reason(row.id, starts[row.reason] + row.detail, row.detail)
            elif row.reason in english:
                set_reason(row.id, english[row.reason], row.detail)
        op.execute("delete from contact_identities where kind = 'group'")
        op.execute("reset role")
    op.drop_column("held_changes", "detail")
    op.drop_column("conversations", "is_group")
    op.drop_column("conversations", "last_message_facts")
    allow_identities([*IDENTITIES])
