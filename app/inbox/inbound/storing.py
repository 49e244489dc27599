"""Messages are stored once; asides (reactions, edits, deletions) go to the message they are about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from app.inbox.conversations.changes import save_changes
from app.inbox.conversations.reactions import save_reactions
from app.meta import message_types
from app.meta.events import InboundMessage, MessageEcho
from app.meta.payload import bounded
from app.meta.payload import text as text_of
from app.meta.previews import Summary
from app.tenancy import OTHER_APP, current_tenant_id, database_now, db
from app.words import N_

from .placing import Placed

Row = dict[str, Any]
Key = tuple[str, str]

FAILED_THERE = {"kind": "final", "title": N_("This was not delivered when it was sent from the phone."), "fix": ""}


@dataclass(frozen=True, slots=True)
class News:
    """A candidate for a conversation's line in the list. Without a `message_id` it has no bubble."""

    placed: Placed
    summary: Summary | None
    words: str
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What of a batch was new: `messages` have a bubble. `changed` are the messages that say something else now."""

    messages: list[Placed]
    news: list[News]
    changed: set[str] = field(default_factory=set)


def store(placed: Sequence[Placed]) -> Stored:
    """Stores messages and asides; returns what was new. Idempotent."""
    plain = insert([one for one in placed if one.incoming.target is None])
    earlier = asides_about(plain)
    withdraw(earlier)
    asides = [one for one in placed if one.incoming.target is not None]
    if not asides:
        return Stored(plain, list(map(news_of, plain)), {aside.target for aside in earlier if aside.is_change})
    strays, reactions = store_asides(asides)
    changed = {aside.target for aside in earlier if aside.is_change}
    changed |= {str(one.incoming.target) for one in asides if one.message.type != "reaction"}
    return Stored([*plain, *strays], [*map(news_of, [*plain, *strays]), *reactions], changed)


def insert(placed: Sequence[Placed]) -> list[Placed]:
    """Inserts messages; returns those that were new."""
    if not placed:
        return []
    rows = json.dumps(list(map(row_of, placed)))
    values = {"rows": rows, "tenant": current_tenant_id(), "now": database_now()}
    inserted = set(db.session.scalars(NEW_MESSAGES, values).all())
    return [one for one in placed if one.id in inserted]


# Messages either way, each once: unique index (tenant_id, phone_number_id, wamid). No direction means inbound, no state
# received; the other nulls are the columns'.
NEW_MESSAGES = text("""
    insert into messages (tenant_id, id, conversation_id, phone_number_id, direction, type, body, content, state, error,
                          wamid, reply_to_wamid, occurred_at, created_at, fence, attempts, author_kind, author_name,
                          source)
    select :tenant, id, conversation_id, phone_number_id, coalesce(direction, 'inbound'), type, body, content,
           coalesce(state, 'received'), error, wamid, reply_to, occurred_at, :now, 0, 0, author, author_name,
           coalesce(author_name, author)
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, conversation_id uuid, phone_number_id uuid, direction text, type text, body text, content jsonb,
        state text, error jsonb, wamid text, reply_to text, occurred_at timestamptz, author text,
        author_name text)
    on conflict (tenant_id, phone_number_id, wamid) do nothing
    returning id::text
""")


def row_of(placed: Placed) -> Row:
    message, state = placed.message, placed.incoming.state
    row: Row = {
        "id": placed.id,
        "conversation_id": placed.conversation_id,
        "phone_number_id": placed.number_id,
        "wamid": message.wamid,
        "type": message.type,
        "body": message.text or "",
        "occurred_at": placed.at,
    }
    if message.context and message.context.reply_to:
        row["reply_to"] = message.context.reply_to
    if content := content_of(placed):
        row["content"] = content
    if state != "received":
        row |= {"direction": "outbound", "state": state, "error": FAILED_THERE if state == "failed" else None}
        row |= {"author": "system", "author_name": OTHER_APP} if placed.incoming.is_other_apps else {"author": "phone"}
    return row


def content_of(placed: Placed) -> Row | None:
    """What a message holds beside its words. A plain text of a customer holds nothing.

    Reports count no history, and no one here replies to what went to another app (`standby`).
    """
    message = placed.message
    held: Row = dict.fromkeys(placed.incoming.marks, True)
    if message.type != "text" and message.content:
        held["raw"] = message.content
    if message.context and message.context.forwarded:
        held["forwarded"] = True
    if message.context and message.context.product:
        held["product"] = message.context.product
    if message.errors:
        held["errors"] = [error.as_dict() for error in message.errors]
    return bounded(held | origin_of(message)) or None


def origin_of(message: InboundMessage | MessageEcho) -> Row:
    """The origin of a message: the business's phone, an advertisement, or a member of a group."""
    if isinstance(message, MessageEcho):
        return {} if message.by_other_app else {"from_phone": True}
    held: Row = {"referral": message.referral} if message.referral else {}
    if message.group_id:
        held["participant"] = {"name": message.profile_name or "", "wa_id": message.from_ or ""}
    return held


def news_of(placed: Placed) -> News:
    message = placed.message
    summary = message_types.summary_of(message.type, message.text, message.content)
    return News(placed, summary, message.text or "", placed.id)


@dataclass(frozen=True, slots=True)
class EarlierAside:
    """An aside that came before its message."""

    number: str
    wamid: str
    target: str
    is_change: bool


def asides_about(placed: Sequence[Placed]) -> list[EarlierAside]:
    if not placed:
        return []
    rows = json.dumps([{"number": one.number_id, "wamid": one.message.wamid} for one in placed])
    asides = db.session.execute(EARLIER_ASIDES, {"rows": rows, "tenant": current_tenant_id()})
    return [EarlierAside(*row) for row in asides]


# Which reactions and changes are there already about messages that are new? Nearly always none. Indexes
# ix_reactions_target and ix_message_changes_target, looked into once for each message: `offset 0` keeps the planner,
# which may know nothing of a new tenant yet, from walking through all of them instead.
EARLIER_ASIDES = text("""
    select r.number::text, x.wamid, r.wamid as target, x.is_change
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(number uuid, wamid text)
    cross join lateral (
        select wamid, false as is_change from reactions
        where tenant_id = :tenant and phone_number_id = r.number and target_wamid = r.wamid
        union all
        select wamid, true from message_changes
        where tenant_id = :tenant and phone_number_id = r.number and target_wamid = r.wamid
        offset 0
    ) x
""")


def withdraw(earlier: Sequence[EarlierAside]) -> None:
    """Deletes the bubbles of asides that arrived before their message, now that the message is here."""
    if earlier:
        rows = json.dumps([{"number": aside.number, "wamid": aside.wamid} for aside in earlier])
        db.session.execute(WITHDRAW, {"rows": rows, "tenant": current_tenant_id()})


# Deletes the bubbles of asides by the unique index (tenant_id, phone_number_id, wamid), one at a time. A conversation
# whose last message was such a bubble has none until the message itself takes that place.
WITHDRAW = text("""
    with gone as (
        delete from messages m using (
            select found.id from jsonb_to_recordset(cast(:rows as jsonb)) as r(number uuid, wamid text)
            cross join lateral (
                select id from messages
                where tenant_id = :tenant and phone_number_id = r.number and wamid = r.wamid limit 1
            ) found
        ) stray
        where m.tenant_id = :tenant and m.id = stray.id
        returning m.id, m.conversation_id
    )
    update conversations c set last_message_id = null from gone
    where c.tenant_id = :tenant and c.id = gone.conversation_id and c.last_message_id = gone.id
""")


def store_asides(asides: list[Placed]) -> tuple[list[Placed], list[News]]:
    """Stores asides. Returns those without a message here (own bubble), and the new reactions to stored messages."""
    targets = targets_of(asides)
    strays = insert([one for one in asides if key_of(one) not in targets])
    reactions = [one for one in asides if one.message.type == "reaction"]
    new = save_reactions(list(map(aside_row, reactions)))
    save_changes([aside_row(one) for one in asides if one.message.type != "reaction"])
    return strays, [
        reaction_news(one, targets[key_of(one)])
        for one in reactions
        if one.message.wamid in new and key_of(one) in targets
    ]


def key_of(aside: Placed) -> Key:
    return aside.number_id, str(aside.incoming.target)


def targets_of(asides: Iterable[Placed]) -> dict[Key, Row]:
    """The messages these are about, as far as they are here."""
    rows = json.dumps([{"number": one.number_id, "wamid": one.incoming.target} for one in asides])
    targets = db.session.execute(TARGETS, {"rows": rows, "tenant": current_tenant_id()}).mappings()
    return {(row["number"], row["wamid"]): dict(row) for row in targets}


TARGETS = text("""
    select distinct on (m.id) m.phone_number_id::text as number, m.wamid, m.type, m.body
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(number uuid, wamid text)
    join messages m on m.tenant_id = :tenant and m.phone_number_id = r.number and m.wamid = r.wamid
""")


def aside_row(aside: Placed) -> Row:
    emoji = text_of(aside.message.content.get("emoji"), 40) or ""
    return row_of(aside) | {"emoji": emoji, "target": aside.incoming.target}


def reaction_news(reaction: Placed, target: Row) -> News:
    emoji = text_of(reaction.message.content.get("emoji"), 40) or ""
    body = " ".join(target["body"].split())
    words = f"{body[:79]}…" if len(body) > 80 else body
    return News(reaction, *message_types.reaction_to(emoji, target["type"], words), None)
