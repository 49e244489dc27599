"""Who a transaction works for: one tenant, the platform, or (before anybody is known) nobody.

A scope owns one database session and one transaction. It commits when its block ends well, rolls back when it does
not, and only after the commit runs what was asked for with `after_commit`: jobs and live events.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, UOWTransaction, with_loader_criteria

log = structlog.get_logger()


class OutsideTenant(RuntimeError):
    """A tenant's rows were asked for, or written, outside that tenant's scope."""


class TransactionOpen(RuntimeError):
    """Meta was about to be called while a transaction was open."""


@dataclass(eq=False)
class Scope:
    tenant_id: uuid.UUID | None = None
    reason: str = ""
    callbacks: list[Callable[[], object]] = field(default_factory=list)
    announced: dict[str, None] = field(default_factory=dict)
    session_owner: Scope | None = None

    @property
    def is_platform(self) -> bool:
        return bool(self.reason)

    @property
    def session_key(self) -> int:
        return id(self.session_owner or self)


current: contextvars.ContextVar[Scope] = contextvars.ContextVar("scope")
NOBODY = Scope()


def current_scope() -> Scope:
    return current.get(NOBODY)


def current_tenant_id() -> uuid.UUID:
    if (tenant_id := current_scope().tenant_id) is None:
        raise OutsideTenant("no tenant's scope is open")
    return tenant_id


def session_key() -> int:
    scope = current.get(None)
    return scope.session_key if scope else threading.get_ident()


@contextlib.contextmanager
def tenant_scope(tenant_id: uuid.UUID | str) -> Iterator[Scope]:
    """Work for one tenant, under the app's role and row security."""
    tenant_id = tenant_id if isinstance(tenant_id, uuid.UUID) else uuid.UUID(tenant_id)
    with structlog.contextvars.bound_contextvars(tenant_id=str(tenant_id)), opened(Scope(tenant_id)) as scope:
        yield scope


@contextlib.contextmanager
def platform_scope(reason: str) -> Iterator[Scope]:
    """Work for the platform, which sees every tenant. The reason is logged."""
    log.debug("platform scope", reason=reason)
    with opened(Scope(reason=reason)) as scope:
        yield scope


@contextlib.contextmanager
def global_scope() -> Iterator[Scope]:
    """Work before a tenant is known: sign-in, invitations. Tenants' rows cannot be reached."""
    with opened(Scope()) as scope:
        yield scope


@contextlib.contextmanager
def within_tenant(tenant_id: uuid.UUID) -> Iterator[Scope]:
    """Inside a platform scope's transaction, become one tenant for a while, behind both walls.

    What the block did is undone if it raises; the transaction goes on. Jobs and events wait for the commit.
    """
    from .database import db

    outer = current_scope()
    inner = Scope(tenant_id, callbacks=[], session_owner=outer)
    token = current.set(inner)
    try:
        with db.session.begin_nested():
            settings = {"tenant": str(tenant_id)}
            db.session.execute(text("set local role switchboard_app"))
            db.session.execute(text("select set_config('app.tenant_id', :tenant, true)"), settings)
            yield inner
            db.session.flush()
            db.session.execute(text("set local role none"))
            db.session.execute(text("select set_config('app.tenant_id', '', true)"))
        outer.callbacks += inner.callbacks
    finally:
        current.reset(token)


@contextlib.contextmanager
def opened(scope: Scope) -> Iterator[Scope]:
    from .database import db

    token = current.set(scope)
    try:
        yield scope
        commit()
    finally:
        db.session.remove()
        current.reset(token)


def commit() -> None:
    """Ends the transaction, lets go of the connection and runs what waited for the commit.

    The scope stays open; the next statement begins a new transaction. Objects stay readable.
    """
    from .database import db

    db.session.commit()
    scope = current_scope()
    callbacks, scope.callbacks = scope.callbacks, []
    for callback in callbacks:
        callback()


def after_commit(callback: Callable[[], object]) -> None:
    current_scope().callbacks.append(callback)


def refuse_inside_transaction() -> None:
    """Called before every call to Meta, which may take seconds that no row lock should last."""
    from .database import db

    if db.session.registry.has() and db.session().in_transaction():
        raise TransactionOpen("commit() before calling Meta")


class ScopedSession(Session):
    def __init__(self, db: Any, **options: Any) -> None:
        scope = current_scope()
        self.db, self.scope = db, scope.session_owner or scope
        super().__init__(**options)

    def get_bind(self, *_args: Any, **_options: Any) -> Engine | Connection:
        return self.db.engines["platform" if self.scope.is_platform else None]  # type: ignore[no-any-return]


@event.listens_for(ScopedSession, "after_begin")
def tell_the_database(session: ScopedSession, transaction: SessionTransaction, connection: Connection) -> None:
    if session.scope.tenant_id:
        settings = {"tenant": str(session.scope.tenant_id)}
        connection.execute(text("select set_config('app.tenant_id', :tenant, true)"), settings)


@event.listens_for(ScopedSession, "do_orm_execute")
def stay_inside(state: ORMExecuteState) -> None:
    from .database import TenantModel

    scope = current_scope()
    if scope.is_platform or state.is_column_load or state.is_relationship_load:
        return
    if scope.tenant_id is None:
        if any(issubclass(mapper.class_, TenantModel) for mapper in state.all_mappers):
            raise OutsideTenant(f"{state.statement!s:.80}")
        return
    tenant_id = scope.tenant_id
    mine = with_loader_criteria(TenantModel, lambda cls: cls.tenant_id == tenant_id, include_aliases=True)
    state.statement = state.statement.options(mine)


@event.listens_for(ScopedSession, "before_flush")
def write_inside(session: ScopedSession, context: UOWTransaction, instances: object) -> None:
    from .database import TenantModel

    scope = current_scope()
    if scope.is_platform:
        return
    for row in [*session.new, *session.dirty, *session.deleted]:
        if isinstance(row, TenantModel) and (row.tenant_id or scope.tenant_id) != scope.tenant_id:
            raise OutsideTenant(f"{type(row).__name__} of another tenant")
