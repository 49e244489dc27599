"""Finding posts among millions, newest first. Nothing but their number and time is indexed: words are looked for in
the bodies, so many at a time, and the page says how far back it has looked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, literal, or_, select

from app.tenancy import db

from .models import HeldChange, WebhookEvent

PAGE = 50
LOOKED_THROUGH = 50_000
STATES = ("waiting", "drained", "held")


@dataclass(frozen=True)
class Page:
    posts: list[Row[Any]]
    # Where the next page begins, and whether this one ends because enough was looked through.
    before: int | None
    looked_back_to: dt.datetime | None


@dataclass(frozen=True)
class Search:
    """`words` is a wamid, or Meta's id of a number or an account: whatever stands in the body."""

    state: str = ""
    words: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    before: int | None = None

    def page(self) -> Page:
        conditions = [*self.bounds(), *self.of_state()]
        edge = self.edge(conditions) if self.words else None
        if self.words:
            conditions.append(says(self.words))
        if edge:
            conditions.append(WebhookEvent.id >= edge.id)
        found = list(db.session.execute(self.query(conditions).limit(PAGE + 1)))
        if len(found) > PAGE:
            return Page(found[:PAGE], found[PAGE - 1].id, None)
        return Page(found, edge and edge.id, edge and edge.received_at)

    def query(self, conditions: list[ColumnElement[bool]]) -> Any:
        held = select(func.count()).where(is_held()).correlate(WebhookEvent).scalar_subquery()
        body = func.octet_length(WebhookEvent.body)
        shown = (WebhookEvent.id, WebhookEvent.received_at, WebhookEvent.drained_at, WebhookEvent.drains)
        return select(*shown, body.label("size"), held.label("held")).where(*conditions).order_by(newest)

    def edge(self, conditions: list[ColumnElement[bool]]) -> Row[int, dt.datetime] | None:
        """The oldest post to look into this time, if there are older ones."""
        query = select(WebhookEvent.id, WebhookEvent.received_at).where(*conditions).order_by(newest)
        return db.session.execute(query.offset(LOOKED_THROUGH - 1).limit(1)).first()

    def bounds(self) -> list[ColumnElement[bool]]:
        found = []
        if self.before:
            found.append(WebhookEvent.id < self.before)
        if self.until:
            found.append(WebhookEvent.id < first_since(self.until))
        if self.since:
            found.append(WebhookEvent.id >= first_since(self.since))
        return found

    def of_state(self) -> list[ColumnElement[bool]]:
        match self.state:
            case "waiting":
                return [WebhookEvent.drained_at.is_(None)]
            case "drained":
                return [WebhookEvent.drained_at.is_not(None)]
            case "held":
                return [select(HeldChange.id).where(is_held()).exists()]
        return []


newest = WebhookEvent.id.desc()


def is_held() -> ColumnElement[bool]:
    return (
        (HeldChange.webhook_event_id == WebhookEvent.id)
        & HeldChange.released_at.is_(None)
        & HeldChange.discarded_at.is_(None)
    )


def says(words: str) -> ColumnElement[bool]:
    """Whether a body has these words in it, as they are or with its slashes escaped."""
    spellings = {words, words.replace("/", "\\/")}
    return or_(*(func.position(literal(spelt.encode()).op("in")(WebhookEvent.body)) > 0 for spelt in spellings))


def first_since(moment: dt.datetime) -> int:
    """The id of the first post since then, by halving: numbers and times climb together, and only one is indexed."""
    newest_id = db.session.scalar(select(func.max(WebhookEvent.id)))
    low, high = db.session.scalar(select(func.min(WebhookEvent.id))) or 0, (newest_id or 0) + 1
    while low < high:
        middle = (low + high) // 2
        query = select(WebhookEvent.id, WebhookEvent.received_at).where(WebhookEvent.id >= middle)
        found = db.session.execute(query.order_by(WebhookEvent.id).limit(1)).first()
        if found is None or found.received_at >= moment:
            high = middle
        else:
            low = found.id + 1
    return low


def posts_with(words: str, drained_at: dt.datetime) -> list[WebhookEvent]:
    """The posts that told something known since that moment: received before it, worked off about then.

    Most are worked off at once, so they are among the last that had come; else it takes a longer look.
    """
    # What a batch wrote carries the time of the statement, its posts the time when the batch was through.
    around = WebhookEvent.drained_at.between(drained_at - SECOND, drained_at + AFTERWARDS)
    upper = first_since(drained_at + SECOND)
    for reach in (LIKELY, LOOKED_THROUGH):
        recent = select(WebhookEvent.id).where(WebhookEvent.id < upper).order_by(newest).limit(reach).subquery()
        query = select(WebhookEvent).where(WebhookEvent.id.in_(select(recent.c.id)), around, says(words))
        if found := list(db.session.scalars(query.order_by(newest).limit(5))):
            return found
    return []


SECOND, AFTERWARDS = dt.timedelta(seconds=1), dt.timedelta(minutes=3)
LIKELY = 2_000
