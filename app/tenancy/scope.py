"""The scope of a transaction: one tenant, the platform, or neither (before sign-in).

A scope owns one database session and one transaction. It commits when its block ends well, rolls back when it does
not, and only after the commit runs what was asked for with `after_commit`: jobs and live events.
"""

from __future__ import annotations

import contextvars
import datetime as dt
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field


class OutsideTenant(RuntimeError):
    """A tenant's rows were asked for, or written, outside that tenant's scope."""


@dataclass(eq=False)
class Scope:
    tenant_id: uuid.UUID | None = None
    reason: str = ""
    callbacks: list[Callable[[], object]] = field(default_factory=list)
    announced: dict[str, None] = field(default_factory=dict)
    # Subscribers for which a delivery of happenings waits for the commit.
    woken: set[tuple[uuid.UUID, str]] = field(default_factory=set)
    session_owner: Scope | None = None
    # A transaction, and the database's time when it was first needed there.
    moment: tuple[object, dt.datetime] | None = None

    @property
    def is_platform(self) -> bool:
        return bool(self.reason)

    @property
    def session_key(self) -> int:
        return id(self.session_owner or self)


current: contextvars.ContextVar[Scope] = contextvars.ContextVar("scope")
NO_SCOPE = Scope()


def current_scope() -> Scope:
    return current.get(NO_SCOPE)


def current_tenant_id() -> uuid.UUID:
    if (tenant_id := current_scope().tenant_id) is None:
        raise OutsideTenant("no tenant's scope is open")
    return tenant_id


def session_key() -> int:
    scope = current.get(None)
    return scope.session_key if scope else threading.get_ident()


def after_commit(callback: Callable[[], object]) -> None:
    current_scope().callbacks.append(callback)
