"""What arrives from Meta for one tenant, written set-wise: new messages, and the statuses of ours.

Every function here runs inside a tenant's scope, in the transaction that has claimed the posts. All of it may
happen twice: the second time changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from app.contacts.arrival import Sender, recognise
from app.inbox.conversations import Message, assignment
from app.inbox.conversations.changes import are_changed, keep_changes, retell
from app.inbox.conversations.reactions import keep_reactions
from app.inbox.files.media import file_row, keep_files
from app.meta.contact_requests import given_number, numbers_in_the_name_of
from app.meta.events import HistoricMessage, HistoryProgress, InboundMessage, MessageEcho, preview
from app.meta.payload import identifier
from app.meta.payload import text as text_of
from app.tenancy import Actor, announce, current_tenant_id, db, happened_each, later, uuid7
from app.wabas.models import PhoneNumber, numbers_by_meta_id
from app.words import N_

from .surveys import follow_up, keep_answers, score_of

Row = dict[str, Any]
Pair = tuple[str, str]

# What is said about another message, and the key under which it names that one.
ASIDES = {"reaction": "message_id", "edit": "original_message_id", "revoke": "original_message_id"}
THINGS = {
    "audio": N_("a voice message"),
    "document": N_("a file"),
    "image": N_("a photo"),
    "location": N_("a location"),
    "sticker": N_("a sticker"),
    "video": N_("a video"),
}
# How far WhatsApp's phone app says a message came, before the number was here.
HISTORIC_STATES = {"delivered": "delivered", "read": "read", "played": "played", "error": "failed"}
FAILED_THERE = {"kind": "final", "title": N_("This was not delivered when it was sent from the phone."), "fix": ""}


@dataclass(slots=True, eq=False)
class Said:
    """A message on its way in: who the other side is, and where it will belong.

    One that `is_live` was written by a customer just now: it opens the window, and is unread unless it is an aside.
    """

    message: InboundMessage | MessageEcho
    person: Sender
    is_live: bool = False
    state: str = "received"
    # Whether it was stored just now, for the first time.
    is_new: bool = False
    id: str = ""
    number_id: str = ""
    conversation_id: str = ""
    preview: str = ""
    at: str = ""

    def place(self, number_id: str, conversation_id: str) -> None:
        self.id, self.number_id, self.conversation_id = str(uuid7()), number_id, conversation_id
        self.preview, self.at = preview(self.message), self.message.timestamp.isoformat()

    @property
    def facts(self) -> Row:
        place = {"conversation_id": self.conversation_id, "phone_number_id": self.number_id}
        return place | {"type": self.message.type}

    @property
    def score(self) -> str | None:
        """What it answers to a question about how it went. Such an answer asks for none."""
        return score_of(self.message.type, self.message.content)

    @property
    def is_entry(self) -> bool:
        """Whether it came by an advertisement or a page's button."""
        return isinstance(self.message, InboundMessage) and bool(self.message.referral)

    @property
    def target(self) -> str | None:
        """The message it is about, where it is an aside."""
        key = ASIDES.get(self.message.type)
        return identifier(self.message.content.get(key)) if key else None

    def as_row(self) -> Row:
        message = self.message
        row: Row = {
            "id": self.id,
            "conversation_id": self.conversation_id,
            "phone_number_id": self.number_id,
            "wamid": message.wamid,
            "type": message.type,
            "body": message.text or "",
            "occurred_at": self.at,
        }
        if message.context and message.context.reply_to:
            row["reply_to"] = message.context.reply_to
        if content := self.content:
            row["content"] = content
        if self.state != "received":
            row |= {"direction": "outbound", "state": self.state, "author": "phone"}
            row["error"] = FAILED_THERE if self.state == "failed" else None
        return row

    @property
    def content(self) -> Row | None:
        """What a message holds beside its words. A plain text of a customer holds nothing."""
        message = self.message
        told: Row = {}
        if message.type != "text" and message.content:
            told["raw"] = message.content
        if message.context and message.context.forwarded:
            told["forwarded"] = True
        if message.errors:
            told["errors"] = [error.as_dict() for error in message.errors]
        if isinstance(message, MessageEcho):
            told["from_phone"] = True
        elif message.referral:
            told["referral"] = message.referral
        return told | {"preview": self.preview} if told or not message.text else None

    def as_aside(self) -> Row:
        row = self.as_row()
        row["emoji"] = text_of(self.message.content.get("emoji"), 40) or ""
        return row | {"target": self.target}


def receive(messages: Sequence[InboundMessage | MessageEcho]) -> None:
    """New messages: contacts and conversations found or made, messages stored once, conversations moved up.

    What the business wrote on its phone opens no window and is nobody's news.
    """
    said = [as_said(each) for each in messages]
    greeting = {one.message.phone_number_id for one in said if one.is_live}
    for number in take_in(said):
        if number.meta_id in greeting:
            number.greet()
    record_happenings(said)
    unhappy = keep_answers(
        (one.number_id, one.message.context.reply_to, one.score, one.at)
        for one in said
        if one.id and one.score and one.message.context and one.message.context.reply_to
    )
    follow_up(unhappy)
    Message.release_parked([one.conversation_id for one in said if one.is_live and one.id])


def record_happenings(said: list[Said]) -> None:
    """What customers wrote, and what was written on the phone. Asides are no messages."""
    new = [one for one in said if one.is_new and one.target is None]
    happened_each("message.received", [(one.id, one.facts) for one in new if one.is_live])
    echoed = [one for one in new if one.state != "received"]
    facts = [(one.id, {"conversation_id": one.conversation_id, "source": "phone"}) for one in echoed]
    happened_each("message.sent", facts, actors=[Actor.phone()] * len(facts))


def as_said(message: InboundMessage | MessageEcho) -> Said:
    if isinstance(message, InboundMessage):
        return Said(message, sender_of(message), is_live=message.type != "system")
    return Said(message, addressee_of(message), state="sent")


def import_history(messages: Sequence[HistoricMessage]) -> None:
    """Messages from before, quietly: nothing becomes unread, no window opens, nothing newer is hidden."""
    said = [as_historic(each) for each in messages]
    take_in(said)
    fill_placeholders([one for one in said if one.id])


def note_progress(reports: Sequence[HistoryProgress]) -> None:
    numbers = numbers_by_meta_id({report.phone_number_id for report in reports})
    for report in reports:
        if number := numbers.get(report.phone_number_id):
            refusal = next((error.details or error.said or "" for error in report.errors), "")
            number.note_history(report.percent, refusal)


def as_historic(historic: HistoricMessage) -> Said:
    message = historic.message
    if isinstance(message, InboundMessage):
        return Said(message, sender_of(message))
    return Said(message, addressee_of(message), state=HISTORIC_STATES.get(historic.status or "", "sent"))


def sender_of(message: InboundMessage) -> Sender:
    if message.type == "system":
        return renamed_sender(message)
    card = message.content if message.type == "contacts" else None
    return Sender(
        wa_id=message.from_ or given_number(card),
        bsuid=message.user_id,
        parent_bsuid=message.parent_user_id,
        username=message.username,
        name=message.profile_name or "",
        cards=numbers_in_the_name_of(message.profile_name or "", card),
    )


def renamed_sender(message: InboundMessage) -> Sender:
    """Somebody whose number or ids changed: known by the old ones, and by the new ones from now on."""
    told = message.content
    before = (
        ("bsuid", identifier(told.get("previous_user_id")) or message.user_id),
        ("wa_id", message.from_ or identifier(told.get("customer"))),
        ("parent_bsuid", identifier(told.get("previous_parent_user_id")) or message.parent_user_id),
    )
    return Sender(
        wa_id=identifier(told.get("wa_id")) or identifier(told.get("new_wa_id")),
        bsuid=identifier(told.get("user_id")),
        parent_bsuid=identifier(told.get("parent_user_id")),
        username=None,
        name="",
        formerly=tuple((kind, value) for kind, value in before if value),
    )


def addressee_of(echo: MessageEcho) -> Sender:
    return Sender(wa_id=echo.to, bsuid=echo.to_user_id, parent_bsuid=echo.to_parent_user_id, username=None, name="")


def take_in(said: Sequence[Said]) -> Iterable[PhoneNumber]:
    """Stores what is new and shows it where it belongs. Returns our numbers that it came to."""
    numbers = numbers_by_meta_id({one.message.phone_number_id for one in said})
    mine = [one for one in said if one.message.phone_number_id in numbers]
    contacts = recognise([one.person for one in mine])
    ids = {meta_id: str(number.id) for meta_id, number in numbers.items()}
    pairs = [(ids[one.message.phone_number_id], contact) for one, contact in zip(mine, contacts, strict=True)]
    conversations = conversations_of(set(pairs))
    for one, pair in zip(mine, pairs, strict=True):
        one.place(pair[0], conversations[pair])
    fresh = insert_messages([one for one in mine if one.target is None])
    withdraw_strays(fresh)
    asides = [one for one in mine if one.target is not None]
    if asides:
        fresh += keep_asides(asides)
    changed = are_changed([one.message.wamid for one in fresh])
    move_up(fresh)
    retell(changed)
    fetch_files(fresh)
    return numbers.values()


def conversations_of(pairs: set[Pair]) -> dict[Pair, str]:
    """The conversation of each (number, contact); made where there is none."""
    found = find_conversations(pairs)
    if missing := sorted(pairs - found.keys()):
        rows = [{"id": str(uuid7()), "number": number, "contact": contact} for number, contact in missing]
        made = db.session.scalars(NEW_CONVERSATIONS, {"rows": json.dumps(rows), "tenant": current_tenant_id()}).all()
        facts = {row["id"]: {"contact_id": row["contact"], "phone_number_id": row["number"]} for row in rows}
        happened_each("conversation.opened", [(id, facts[id]) for id in made])
        found |= find_conversations(set(missing))
    return found


def find_conversations(pairs: set[Pair]) -> dict[Pair, str]:
    rows = json.dumps([{"number": number, "contact": contact} for number, contact in pairs])
    found = db.session.execute(CONVERSATIONS, {"rows": rows, "tenant": current_tenant_id()})
    return {(number, contact): id for id, number, contact in found}


CONVERSATIONS = text("""
    select c.id::text, c.phone_number_id::text, c.contact_id::text
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(number uuid, contact uuid)
    join conversations c on c.tenant_id = :tenant and c.phone_number_id = r.number and c.contact_id = r.contact
""")
NEW_CONVERSATIONS = text("""
    insert into conversations (tenant_id, id, phone_number_id, contact_id, unread_count, last_message_at,
                               last_message_preview, last_message_state, created_at, team_id)
    select :tenant, r.id, number, contact, 0, to_timestamp(0), '', 'received', clock_timestamp(), n.team_id
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, number uuid, contact uuid)
    join phone_numbers n on n.tenant_id = :tenant and n.id = number
    on conflict (tenant_id, phone_number_id, contact_id) do nothing
    returning id::text
""")


def insert_messages(said: list[Said]) -> list[Said]:
    """Those that were not known yet."""
    if not said:
        return []
    rows = json.dumps([one.as_row() for one in said])
    inserted = set(db.session.scalars(NEW_MESSAGES, {"rows": rows, "tenant": current_tenant_id()}))
    for one in said:
        one.is_new = one.id in inserted
    return [one for one in said if one.is_new]


NEW_MESSAGES = text("""
    insert into messages (tenant_id, id, conversation_id, phone_number_id, direction, type, body, content, state, error,
                          wamid, reply_to_wamid, occurred_at, created_at, fence, attempts, author_kind, source)
    select :tenant, id, conversation_id, phone_number_id, coalesce(direction, 'inbound'), type, body, content,
           coalesce(state, 'received'), error, wamid, reply_to, occurred_at, clock_timestamp(), 0, 0, author, author
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, conversation_id uuid, phone_number_id uuid, direction text, type text, body text, content jsonb,
        state text, error jsonb, wamid text, reply_to text, occurred_at timestamptz, author text)
    on conflict (tenant_id, phone_number_id, wamid) do nothing
    returning id::text
""")


def keep_asides(asides: list[Said]) -> list[Said]:
    """Reactions, edits and deletions. Returns what is to be shown as news: reactions, and what has no message here."""
    known = targets_of(asides)
    strays = insert_messages([one for one in asides if (one.number_id, one.target) not in known])
    reactions = [one for one in asides if one.message.type == "reaction"]
    new = keep_reactions([one.as_aside() for one in reactions])
    changes = [one for one in asides if one.message.type != "reaction"]
    keep_changes([one.as_aside() for one in changes])
    for conversation_id in retell([one.target for one in changes if one.target]):
        announce("conversation", conversation_id)
    news = [one for one in reactions if one.message.wamid in new and (one.number_id, one.target) in known]
    for one in news:
        one.preview = reaction_preview(one, known[one.number_id, str(one.target)])
        one.id = ""
    return strays + news


def withdraw_strays(fresh: list[Said]) -> None:
    """What was said about a message before it came had a bubble of its own; from now on it has its place."""
    if fresh:
        rows = json.dumps([{"number": one.number_id, "wamid": one.message.wamid} for one in fresh])
        db.session.execute(WITHDRAW, {"rows": rows, "tenant": current_tenant_id()})


WITHDRAW = text("""
    with r as (select * from jsonb_to_recordset(cast(:rows as jsonb)) as r(number uuid, wamid text)), asides as (
        select x.phone_number_id, x.wamid from r join reactions x
            on x.tenant_id = :tenant and x.phone_number_id = r.number and x.target_wamid = r.wamid
        union all
        select x.phone_number_id, x.wamid from r join message_changes x
            on x.tenant_id = :tenant and x.phone_number_id = r.number and x.target_wamid = r.wamid
    ), gone as (
        delete from messages m using asides a
        where m.tenant_id = :tenant and m.phone_number_id = a.phone_number_id and m.wamid = a.wamid
        returning m.id, m.conversation_id, m.direction
    ), counted as (
        select conversation_id, count(*) filter (where direction = 'inbound') as unread from gone group by 1
    )
    update conversations c set unread_count = greatest(c.unread_count - counted.unread, 0),
        last_message_id = case when c.last_message_id in (select id from gone) then null else c.last_message_id end
    from counted where c.tenant_id = :tenant and c.id = counted.conversation_id
""")


def targets_of(asides: list[Said]) -> dict[tuple[str, str | None], Row]:
    """The messages these are about, as far as they are here: what they say, unless they were deleted."""
    rows = json.dumps([{"number": one.number_id, "wamid": one.target} for one in asides])
    found = db.session.execute(TARGETS, {"rows": rows, "tenant": current_tenant_id()}).mappings()
    return {(row["number"], row["wamid"]): dict(row) for row in found}


TARGETS = text("""
    select distinct on (m.id) m.phone_number_id::text as number, m.wamid, m.type, m.body
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(number uuid, wamid text)
    join messages m on m.tenant_id = :tenant and m.phone_number_id = r.number and m.wamid = r.wamid
""")


def reaction_preview(reaction: Said, target: Row) -> str:
    words = " ".join(target["body"].split())
    words = f"“{words[:79]}…”" if len(words) > 80 else f"“{words}”"
    return f"{reaction.preview} to {words if target['body'] else THINGS.get(target['type'], N_('a message'))}"


def move_up(said: Iterable[Said]) -> None:
    """What a batch does to each conversation: how many more are unread, and which message is now the last."""
    rises: dict[str, Row] = {}
    for one in said:
        at = one.at
        if (rise := rises.get(one.conversation_id)) is None:
            rise = rises[one.conversation_id] = {"id": one.conversation_id, "count": 0, "at": ""}
        if one.is_live:
            rise["count"] += bool(one.id)
            rise["inbound_at"] = max(at, rise.get("inbound_at", ""))
            if one.is_entry:
                rise["entry_at"] = max(at, rise.get("entry_at", ""))
            if not one.score:
                rise["waits_since"] = min(at, rise.get("waits_since", at))
        if at >= rise["at"]:
            rise |= {"at": at, "message_id": one.id or None, "preview": one.preview, "state": one.state}
    if rises:
        changes = json.dumps(list(rises.values()))
        db.session.execute(MOVE_UP, {"rows": changes, "tenant": current_tenant_id()})
        assignment.wake([id for id, rise in rises.items() if rise["count"] and "waits_since" in rise])
        for id, rise in rises.items():
            announce("arrival" if "inbound_at" in rise else "conversation", id)


MOVE_UP = text("""
    update conversations c set
        unread_count = c.unread_count + r.count,
        last_inbound_at = greatest(c.last_inbound_at, r.inbound_at),
        entry_at = greatest(c.entry_at, r.entry_at),
        news_at = case when r.count > 0 then clock_timestamp() else c.news_at end,
        waiting_since = case when r.state <> 'received' and r.at >= c.last_message_at then null
            when r.count > 0 then coalesce(c.waiting_since, r.waits_since) else c.waiting_since end,
        last_message_at = greatest(c.last_message_at, r.at),
        last_message_id = case when r.at >= c.last_message_at then r.message_id else c.last_message_id end,
        last_message_preview = case when r.at >= c.last_message_at then r.preview else c.last_message_preview end,
        last_message_state = case when r.at >= c.last_message_at then r.state else c.last_message_state end
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, count bigint, at timestamptz, inbound_at timestamptz,
                                                       entry_at timestamptz, waits_since timestamptz,
                                                       message_id uuid, preview text, state text)
    where c.tenant_id = :tenant and c.id = r.id
""")


def fetch_files(said: Iterable[Said]) -> None:
    """Has the files of new messages fetched, at once after the commit."""
    rows = (file_row(one.id, one.message.type, one.message.content) for one in said)
    for media_id in keep_files(row for row in rows if row):
        later("inbound.fetch_media", media_id)


def fill_placeholders(said: list[Said]) -> None:
    """What history promised as "a file" comes later, under the same id."""
    rows = [one.as_row() for one in said if one.message.type != "media_placeholder"]
    filled = db.session.execute(FILL, {"rows": json.dumps(rows), "tenant": current_tenant_id()})
    ids = {row.wamid: row.id for row in filled}
    files = [
        file_row(ids[one.message.wamid], one.message.type, one.message.content)
        for one in said
        if one.message.wamid in ids
    ]
    for media_id in keep_files(row for row in files if row):
        later("inbound.fetch_media", media_id)


FILL = text("""
    update messages m set type = r.type, body = r.body, content = r.content
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(phone_number_id uuid, wamid text, type text, body text,
                                                       content jsonb)
    where m.tenant_id = :tenant and m.phone_number_id = r.phone_number_id and m.wamid = r.wamid
      and m.type = 'media_placeholder'
    returning m.wamid, m.id::text
""")
