"""Searches webhooks among millions, newest first. Only id and time are indexed: bodies are scanned, LOOKED_THROUGH at a
time, and the page says how far back it has searched."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, literal, or_, select

from app.meta.pretend import PREFIX
from app.tenancy import db

from .models import HeldChange, WebhookEvent

PAGE = 50
LOOKED_THROUGH = 50_000
STATES = ("waiting", "drained", "held")


@dataclass(frozen=True)
class Page:
    posts: list[Row[Any]]
    # Where the next page begins, and how far back this one searched if it stopped early.
    before: int | None
    looked_back_to: dt.datetime | None


@dataclass(frozen=True)
class Search:
    """`words` is any text of the body: a wamid, or Meta's id of a number or an account.

    What was made here for a sandbox is left out.
    """

    state: str = ""
    words: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    before: int | None = None

    def page(self) -> Page:
        conditions = [~WebhookEvent.address.startswith(PREFIX), *self.bounds(), *self.of_state()]
        edge = self.edge(conditions) if self.words else None
        if self.words:
            conditions.append(contains(self.words))
        if edge:
            conditions.append(WebhookEvent.id >= edge.id)
        posts = list(db.session.execute(self.query(conditions).limit(PAGE + 1)))
        if len(posts) > PAGE:
            return Page(posts[:PAGE], posts[PAGE - 1].id, None)
        return Page(posts, edge and edge.id, edge and edge.received_at)

    def query(self, conditions: list[ColumnElement[bool]]) -> Any:
        held = select(func.count()).where(is_held()).correlate(WebhookEvent).scalar_subquery()
        body = func.octet_length(WebhookEvent.body)
        shown = (WebhookEvent.id, WebhookEvent.received_at, WebhookEvent.drained_at, WebhookEvent.drains)
        return select(*shown, body.label("size"), held.label("held")).where(*conditions).order_by(newest)

    def edge(self, conditions: list[ColumnElement[bool]]) -> Row[int, dt.datetime] | None:
        """The oldest webhook to scan this time, if there are older ones."""
        query = select(WebhookEvent.id, WebhookEvent.received_at).where(*conditions).order_by(newest)
        return db.session.execute(query.offset(LOOKED_THROUGH - 1).limit(1)).first()

    def bounds(self) -> list[ColumnElement[bool]]:
        bounds = []
        if self.before:
            bounds.append(WebhookEvent.id < self.before)
        if self.until:
            bounds.append(WebhookEvent.id < first_since(self.until))
        if self.since:
            bounds.append(WebhookEvent.id >= first_since(self.since))
        return bounds

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


def contains(words: str) -> ColumnElement[bool]:
    """Whether a body contains these words, as they are or with slashes escaped as in JSON."""
    spellings = {words, words.replace("/", "\\/")}
    return or_(*(func.position(literal(spelt.encode()).op("in")(WebhookEvent.body)) > 0 for spelt in spellings))


def first_since(moment: dt.datetime) -> int:
    """The id of the first webhook since then, by bisection: ids and times rise together."""
    newest_id = db.session.scalar(select(func.max(WebhookEvent.id)))
    low, high = db.session.scalar(select(func.min(WebhookEvent.id))) or 0, (newest_id or 0) + 1
    while low < high:
        middle = (low + high) // 2
        query = select(WebhookEvent.id, WebhookEvent.received_at).where(WebhookEvent.id >= middle)
        oldest = db.session.execute(query.order_by(WebhookEvent.id).limit(1)).first()
        if oldest is None or oldest.received_at >= moment:
            high = middle
        else:
            low = oldest.id + 1
    return low


def posts_with(words: str, drained_at: dt.datetime) -> list[WebhookEvent]:
    """The webhooks that contain these words and were processed at about that moment.

    Most are processed at once, so the last that had come are searched first, then LOOKED_THROUGH of them.
    """
    # What a batch wrote carries the time of the statement, its posts the time when the batch was through.
    around = WebhookEvent.drained_at.between(drained_at - SECOND, drained_at + AFTERWARDS)
    upper = first_since(drained_at + SECOND)
    for reach in (LIKELY, LOOKED_THROUGH):
        recent = select(WebhookEvent.id).where(WebhookEvent.id < upper).order_by(newest).limit(reach).subquery()
        query = select(WebhookEvent).where(WebhookEvent.id.in_(select(recent.c.id)), around, contains(words))
        if posts := list(db.session.scalars(query.order_by(newest).limit(5))):
            return posts
    return []


SECOND, AFTERWARDS = dt.timedelta(seconds=1), dt.timedelta(minutes=3)
LIKELY = 2_000
