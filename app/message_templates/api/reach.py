"""Which templates a key reaches: a team's key, those of the accounts that its numbers belong to."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, true
from werkzeug.exceptions import NotFound

from app.api import Fault, Problem, current_key
from app.message_templates.models import MessageTemplate
from app.tenancy import db
from app.wabas.models import Waba

Find = Callable[[], Select[uuid.UUID]]
FINDERS: list[Find] = []


def finds_accounts(find: Find) -> Find:
    """Registers which accounts a team's key reaches, from where teams have numbers."""
    FINDERS.append(find)
    return find


def reached(waba_id: Any) -> ColumnElement[bool]:
    if current_key().kind != "team":
        return true()
    return or_(*(waba_id.in_(find()) for find in FINDERS))


def find_template(id: uuid.UUID) -> MessageTemplate:
    """Raises `NotFound`."""
    mine = MessageTemplate.listed().where(MessageTemplate.id == id, reached(MessageTemplate.waba_id))
    if (template := db.session.scalar(mine)) is None:
        raise NotFound
    return template


def account(waba_id: uuid.UUID | None) -> Waba:
    """The account named, else the only one there is. Raises a `Problem`."""
    reachable = select(Waba).where(reached(Waba.id)).order_by(Waba.id)
    if waba_id:
        if waba := db.session.scalar(reachable.where(Waba.id == waba_id)):
            return waba
        raise wrong("not_found", "You have no account with this id.")
    wabas = db.session.scalars(reachable.limit(2)).all()
    if len(wabas) != 1:
        raise wrong("required", "Say in which account, by its id." if wabas else "No account is connected.")
    return wabas[0]


def wrong(code: str, words: str) -> Problem:
    return Problem("invalid_request", errors=[Fault(code, words, pointer="/waba_id")])
