"""What became of a post: reads it again and looks each of its changes up where it would have been saved."""

from __future__ import annotations

import itertools
import json
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flask_babel import gettext
from sqlalchemy import select, text

from app.inbox.conversations.callback import attempt_of
from app.inbox.inbound.preferences import FIELDS as PREFERENCES
from app.message_templates.news import FIELDS as TEMPLATE_NEWS
from app.meta import events, payload
from app.meta.previews import filled
from app.meta.unreadable import REASONS
from app.stories.posts import LONGEST, show_hidden
from app.templating import READER
from app.tenancy import Tenant, db
from app.wabas.news import FIELDS as NUMBER_NEWS
from app.webhook_events.models import HeldChange, WebhookEvent
from app.webhook_events.routing import Arrived, address_of, addresses_of, owners_of
from app.whatsapp_flows.news import FIELDS as FLOW_NEWS
from app.words import N_

SHOWN = 200


@dataclass(frozen=True)
class Became:
    """One change: what it is in words, and what it has become."""

    position: int
    what: str
    outcome: str
    detail: str = ""
    tenant: Tenant | None = None
    message_id: uuid.UUID | None = None
    held: HeldChange | None = None


@dataclass(slots=True)
class Saved:
    """What is saved of one change: its message, its status, an orphan, or a reaction, edit or deletion (`aside`)."""

    message_id: uuid.UUID | None = None
    is_orphan: bool = False
    is_saved_status: bool = False
    aside: str = ""


@dataclass(frozen=True)
class Reading:
    """A post, read again."""

    event: WebhookEvent
    changes: Sequence[Arrived]
    owners: dict[str, uuid.UUID]

    @classmethod
    def of(cls, event: WebhookEvent) -> Reading:
        parsed = enumerate(events.parse(event.body, event.received_at))
        changes = [Arrived(event.id, position, change) for position, change in parsed]
        return cls(event, changes, owners_of(addresses_of(changes)))

    def owner(self, change: Arrived) -> uuid.UUID | None:
        return self.owners.get(address_of(change.event) or "")

    @property
    def tenants(self) -> list[Tenant]:
        """The tenants that it has changes of."""
        ids = {owner for change in self.changes if (owner := self.owner(change))}
        return list(db.session.scalars(select(Tenant).where(Tenant.id.in_(ids)).order_by(Tenant.name)))

    def became(self) -> list[Became]:
        shown = self.changes[:SHOWN]
        tenants = {tenant.id: tenant for tenant in self.tenants}
        query = select(HeldChange).where(HeldChange.webhook_event_id == self.event.id)
        held = {change.position: change for change in db.session.scalars(query) if change.position is not None}
        rows = self.look_up(shown)
        results = []
        for change in shown:
            outcome, detail = outcome_of(self.event, change.event, held.get(change.position), rows.get(change.position))
            owner, row = self.owner(change), rows.get(change.position)
            results.append(
                Became(
                    position=change.position,
                    what=NAMES[type(change.event)],
                    outcome=outcome,
                    detail=detail or describe(change.event),
                    tenant=tenants.get(owner) if owner else None,
                    message_id=row.message_id if row else None,
                    held=held.get(change.position),
                )
            )
        return results

    def look_up(self, changes: Sequence[Arrived]) -> dict[int, Saved]:
        rows: dict[uuid.UUID, list[dict[str, Any]]] = defaultdict(list)
        for change in changes:
            if (owner := self.owner(change)) and (message := message_in(change.event)):
                rows[owner].append(row_of(change, message))
        return {place: saved for tenant_id, mine in rows.items() for place, saved in look_up(tenant_id, mine).items()}

    def pretty(self) -> tuple[str, bool]:
        """The body for people's eyes, and whether that is all of it."""
        try:
            words = json.dumps(payload.loads(self.event.body), indent=2, ensure_ascii=False)
        except ValueError:
            words = self.event.body.decode("utf-8", "replace")
        return show_hidden(words[:LONGEST]), len(words) <= LONGEST


def reason_words(reason: str, detail: str) -> str:
    """Why a change could not be read or applied. Reasons stored before they had keys are shown as stored."""
    return filled(READER.gettext(REASONS[reason]), {"detail": detail}) if reason in REASONS else reason


def message_in(event: events.Event) -> Any:
    match event:
        case events.HistoricMessage():
            return event.message
        case events.InboundMessage() | events.MessageEcho() | events.StatusUpdate():
            return event
    return None


def describe(event: events.Event) -> str:
    """Describes a change without the text that people wrote."""
    match event:
        case events.StatusUpdate():
            return event.status
        case events.InboundMessage() | events.MessageEcho():
            return event.type
        case events.HistoricMessage():
            return event.message.type
        case events.AccountUpdate():
            return event.event
        case events.OtherChange():
            return event.field
        case events.Unreadable():
            return reason_words(event.reason, event.detail)
    return ""


NAMES: dict[type, str] = {
    events.InboundMessage: N_("Message from a customer"),
    events.MessageEcho: N_("Message sent from the phone"),
    events.HistoricMessage: N_("Older message"),
    events.HistoryProgress: N_("How far older messages have come"),
    events.AddressBookEntry: N_("Entry of the phone's address book"),
    events.StatusUpdate: N_("Status of a message"),
    events.ThreadControl: N_("Which app answers"),
    events.GroupChange: N_("Name of a group"),
    events.AccountUpdate: N_("News of an account"),
    events.OtherChange: N_("Another change"),
    events.Unreadable: N_("Not understood"),
}
KINDS_OF_EVENT = {kind.__name__: words for kind, words in NAMES.items()}


APPLIED = (
    events.AccountUpdate | events.AddressBookEntry | events.GroupChange | events.HistoryProgress | events.ThreadControl
)
# Of an `OtherChange`: those that some handler applies.
APPLIED_FIELDS = frozenset((*NUMBER_NEWS, *PREFERENCES, *TEMPLATE_NEWS, *FLOW_NEWS))


def outcome_of(post: WebhookEvent, event: events.Event, held: HeldChange | None, row: Saved | None) -> tuple[str, str]:
    """In words, and with Meta's own word where one says more."""
    if held and held.state != "understood":
        return (N_("Held back") if held.state == "held" else N_("Discarded")), reason_words(held.reason, held.detail)
    if post.drained_at is None:
        return N_("Queued"), ""
    if isinstance(event, events.StatusUpdate):
        return status_outcome(row), ""
    if row and row.message_id:
        return N_("Saved as a message"), ""
    if row and row.aside:
        return (N_("Saved as a reaction") if row.aside == "reaction" else N_("Saved as an edit or deletion")), ""
    if isinstance(event, APPLIED) or (isinstance(event, events.OtherChange) and event.field in APPLIED_FIELDS):
        return N_("Applied"), ""
    if isinstance(event, events.OtherChange):
        return N_("Stored in this post only; Switchboard doesn't use it yet"), ""
    return N_("No longer stored"), ""


def status_outcome(row: Saved | None) -> str:
    if row and row.is_saved_status:
        return N_("Saved with its message")
    if row and row.is_orphan:
        return N_("Waiting for its message: sent by other software, or not stored yet")
    return N_("No longer stored")


def row_of(change: Arrived, message: Any) -> dict[str, Any]:
    return {
        "position": change.position,
        "number": address_of(change.event),
        "wamid": message.wamid,
        "attempt": attempt_of(getattr(message, "callback_data", None)),
        "status": getattr(message, "status", None),
        "at": message.timestamp.isoformat(),
    }


def look_up(tenant_id: uuid.UUID, rows: list[dict[str, Any]]) -> dict[int, Saved]:
    """What is saved of a tenant's changes, by their positions; each statement reads one table by a unique index."""
    values = {"tenant": tenant_id, "rows": json.dumps(rows)}
    saved = {row["position"]: Saved() for row in rows}
    for statement in (ATTEMPTED, MESSAGES):
        for position, message_id in db.session.execute(statement, values):
            saved[position].message_id = message_id
    with_message = [
        row | {"message": str(saved[row["position"]].message_id)} for row in rows if saved[row["position"]].message_id
    ]
    for position in db.session.scalars(STATUSES, values | {"rows": json.dumps(with_message)}):
        saved[position].is_saved_status = True
    for position in db.session.scalars(ORPHANS, values):
        saved[position].is_orphan = True
    for statement, aside in ((CHANGES, "change"), (REACTIONS, "reaction")):
        for position in db.session.scalars(statement, values):
            saved[position].aside = aside
    return saved


# A null attempt or status is of a change that has none. One table each: a cluster refuses them joined in one statement.
ATTEMPTED = text("""
    select r.position, a.message_id
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(position bigint, attempt uuid)
    join send_attempts a on a.tenant_id = :tenant and a.id = r.attempt
""")
MESSAGES = text("""
    select r.position, m.id
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(position bigint, number text, wamid text)
    join phone_numbers p on p.tenant_id = :tenant and p.meta_id = r.number
    join messages m on m.tenant_id = :tenant and m.phone_number_id = p.id and m.wamid = r.wamid
""")
STATUSES = text("""
    select r.position
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(position bigint, message uuid, status text, at timestamptz)
    join message_events e on e.tenant_id = :tenant and e.message_id = r.message and e.status = r.status
        and e.occurred_at = r.at
""")
ORPHANS = text("""
    select r.position
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(position bigint, number text, wamid text, status text,
                                                       at timestamptz)
    join phone_numbers p on p.tenant_id = :tenant and p.meta_id = r.number
    join orphan_statuses o on o.tenant_id = :tenant and o.phone_number_id = p.id and o.wamid = r.wamid
        and o.status = r.status and o.occurred_at = r.at
""")
REACTIONS = text("""
    select r.position
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(position bigint, number text, wamid text)
    join phone_numbers p on p.tenant_id = :tenant and p.meta_id = r.number
    join reactions x on x.tenant_id = :tenant and x.phone_number_id = p.id and x.wamid = r.wamid
""")
CHANGES = text("""
    select r.position
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(position bigint, number text, wamid text)
    join phone_numbers p on p.tenant_id = :tenant and p.meta_id = r.number
    join message_changes x on x.tenant_id = :tenant and x.phone_number_id = p.id and x.wamid = r.wamid
""")


def raw_of(held: HeldChange, post: WebhookEvent | None) -> str:
    """The change itself, parsed from its post; else the beginning that was stored."""
    if post and held.position is not None:
        change = next(itertools.islice(events.parse(post.body, post.received_at), held.position, None), None)
        raw = change.raw if isinstance(change, events.Unreadable) else change and asdict(change)
        return show_hidden(json.dumps(raw, indent=2, ensure_ascii=False, default=str)[:LONGEST])
    return show_hidden(held.payload.decode("utf-8", "replace"))


def names_in(payload_bytes: bytes) -> str:
    """What a held change is made of: the names in it, never its words."""
    try:
        read = json.loads(payload_bytes)
    except ValueError:
        read = None
    if isinstance(read, str) and read in KINDS_OF_EVENT:
        return str(gettext(KINDS_OF_EVENT[read]))
    names = [show_hidden(str(name)[:40]) for name in read][:12] if isinstance(read, dict) else []
    return ", ".join(names) or f"{len(payload_bytes)} bytes"
