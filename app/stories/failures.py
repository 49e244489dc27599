"""Messages that may need a person: failed, expired, or of unconfirmed delivery."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select, text

from app.inbox.conversations import Message
from app.tenancy import Tenant, db, first_id, now
from app.wabas.models import PhoneNumber

PAGE = 50
AT_ONCE = 500
STATES = ("failed", "unknown", "expired")
SPANS = {"day": dt.timedelta(days=1), "week": dt.timedelta(days=7), "month": dt.timedelta(days=30)}

# Literal, as in the definition of the partial indexes.
IN_TROUBLE = text("messages.state in ('failed', 'unknown', 'expired')")
code = Message.error["code"].astext.label("code")


@dataclass(frozen=True)
class Failures:
    """A filter over such messages in the current scope: one tenant's or, for the platform, everyone's."""

    state: str = ""
    number_id: uuid.UUID | None = None
    code: str = ""
    span: str = "week"
    # Instead of the span.
    since: dt.datetime | None = None
    before: uuid.UUID | None = None

    @property
    def conditions(self) -> list[Any]:
        conditions: list[Any] = [IN_TROUBLE, Message.id >= first_id(self.since or now() - SPANS[self.span])]
        conditions.append(Message.tenant_id.not_in(Tenant.sandboxes()))
        if self.state:
            conditions.append(Message.state == self.state)
        if self.number_id:
            conditions.append(Message.phone_number_id == self.number_id)
        if self.code:
            conditions.append(code.is_(None) if self.code == "none" else code == self.code)
        return conditions

    def page(self) -> Select[Message, PhoneNumber]:
        """A page, newest first, and one more if there is a next page."""
        query = select(Message, PhoneNumber).where(*self.conditions).order_by(Message.id.desc()).limit(PAGE + 1)
        query = query.join(PhoneNumber, of_number())
        return query.where(Message.id < self.before) if self.before else query

    def by_reason(self) -> list[Row[Any]]:
        """How many for each number, state and code, most first, with the error of one of them."""
        error = [func.max(Message.error[name].astext).label(name) for name in ("title", "fix", "kind")]
        number = func.max(PhoneNumber.display_number).label("display_number")
        key = (Message.tenant_id, Message.phone_number_id, Message.state, code)
        count = func.count().label("number")
        query = select(*key, *error, number, count).join(PhoneNumber, of_number()).where(*self.conditions)
        return list(db.session.execute(query.group_by(*key).order_by(count.desc()).limit(PAGE)))

    def to_retry(self, *more: ColumnElement[bool], most: int = AT_ONCE) -> list[uuid.UUID]:
        """The ids of the oldest of them."""
        query = select(Message.id).where(*self.conditions, *more).order_by(Message.id).limit(most)
        return list(db.session.scalars(query))


def of_number() -> ColumnElement[bool]:
    return (PhoneNumber.tenant_id == Message.tenant_id) & (PhoneNumber.id == Message.phone_number_id)


def moment_of(id: uuid.UUID) -> dt.datetime:
    """When a message with this id was created, to the millisecond: the inverse of `first_id`."""
    return dt.datetime.fromtimestamp((id.int >> 80) / 1000, dt.UTC)


def retry_all(ids: Iterable[uuid.UUID], *, also_unknown: bool) -> int:
    """Retries messages of the current tenant; those of unconfirmed delivery only where `also_unknown`.

    Returns how many were retried; expired and permanently failed ones are not.
    """
    query = select(Message).where(Message.id.in_(list(ids)), IN_TROUBLE).order_by(Message.id)
    locked = query.with_for_update(of=Message).execution_options(populate_existing=True)
    retried = 0
    for message in db.session.scalars(locked).unique():
        in_time = message.expires_at is None or message.expires_at > now()
        if in_time and message.can_be_retried and (also_unknown or message.state != "unknown"):
            message.retry()
            retried += 1
    return retried
