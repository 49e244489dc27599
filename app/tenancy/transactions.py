"""Scopes opened and ended: one session and one transaction each, behind both walls."""

from __future__ import annotations

import contextlib
import functools
import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar, cast

import structlog
from rq.timeouts import JobTimeoutException
from sqlalchemy import Connection, Delete, Engine, Executable, Table, event, text, true
from sqlalchemy.orm import (
    LoaderCriteriaOption,
    ORMExecuteState,
    UOWTransaction,
    with_loader_criteria,
)

from .database import ScopedSession, TenantModel, db
from .references import clear_references, keys_to_clear
from .scope import OutsideTenant, Scope, current, current_scope, current_tenant_id

log = structlog.get_logger()

Value = TypeVar("Value")


class TransactionOpen(RuntimeError):
    """Meta was about to be called, or a password hashed, while a transaction was open."""


@contextlib.contextmanager
def tenant_scope(tenant_id: uuid.UUID | str) -> Iterator[Scope]:
    """Work for one tenant, under the app's role and row security."""
    tenant_id = tenant_id if isinstance(tenant_id, uuid.UUID) else uuid.UUID(tenant_id)
    with structlog.contextvars.bound_contextvars(tenant_id=str(tenant_id)), opened(Scope(tenant_id)) as scope:
        yield scope


def try_for(tenant_id: uuid.UUID, work: Callable[[], Value]) -> Value | None:
    """What `work` returns, in a scope of the tenant. None where it failed, which is undone and logged.

    For loops over many tenants: what fails for one ends nothing for the others.
    """
    try:
        with tenant_scope(tenant_id):
            value = work()
    except JobTimeoutException:
        raise
    except Exception:
        log.exception("failed for one tenant", tenant_id=str(tenant_id))
        return None
    return value


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
    outer = current_scope()
    inner = Scope(tenant_id, callbacks=[], session_owner=outer)
    token = current.set(inner)
    try:
        with db.session.begin_nested():
            db.session.execute(text("set local role switchboard_app"))
            db.session.connection().exec_driver_sql(naming(tenant_id))
            yield inner
            db.session.flush()
            db.session.execute(text("set local role none"))
            db.session.execute(text("set local app.tenant_id = ''"))
        outer.callbacks += inner.callbacks
    finally:
        current.reset(token)


@contextlib.contextmanager
def opened(scope: Scope) -> Iterator[Scope]:
    token = current.set(scope)
    try:
        yield scope
        commit()
    finally:
        db.session.remove()
        current.reset(token)


def commit() -> None:
    """Commits, releases the connection and runs the callbacks of `after_commit`.

    The scope stays open; the next statement begins a new transaction. Objects stay readable.
    """
    db.session.commit()
    scope = current_scope()
    callbacks, scope.callbacks = scope.callbacks, []
    scope.woken.clear()
    for callback in callbacks:
        callback()


def refuse_inside_transaction() -> None:
    """Called before what may take seconds: no row lock should last that long, and no connection be held."""
    if db.session.registry.has() and db.session().in_transaction():
        raise TransactionOpen("commit() before what may take seconds")


@event.listens_for(Engine, "begin")
def begin(connection: Connection) -> None:
    """Begins a transaction, and says which tenant it is for, in the same round trip."""
    options = connection.get_execution_options()
    if "tenant_id" not in options:
        return
    tenant_id = options["tenant_id"]
    if tenant_id and not connection.info["is_cluster"]:
        connection.exec_driver_sql(f"begin; {naming(tenant_id)}")
        return
    connection.exec_driver_sql("begin")
    # A cluster sends its workers the whole text that a `set local` comes in, and they have begun already.
    if tenant_id:
        connection.exec_driver_sql(naming(tenant_id))


def naming(tenant_id: uuid.UUID) -> str:
    """By a statement, not a call: a cluster propagates statements to its workers. It takes no parameters.

    Nothing but hexadecimal digits is written into it.
    """
    return f"set local app.tenant_id = '{uuid.UUID(int=tenant_id.int)}'"


@event.listens_for(ScopedSession, "do_orm_execute")
def stay_inside(state: ORMExecuteState) -> None:
    scope = current_scope()
    if scope.is_platform or not state.is_orm_statement or state.is_column_load or state.is_relationship_load:
        return
    if scope.tenant_id is None:
        if any(issubclass(mapper.class_, TenantModel) for mapper in state.all_mappers):
            raise OutsideTenant(f"{state.statement!s:.80}")
        return
    narrowed = narrowed_once if state.execution_options.get("made_once") else narrow
    state.statement = narrowed(state.statement, scope.tenant_id)


def narrow(statement: Executable, tenant_id: uuid.UUID) -> Executable:
    """To the rows of one tenant."""
    return statement.options(rows_of(tenant_id))


# Finding out what a statement is takes longer than running it: those with the option `made_once` are remembered.
narrowed_once = functools.lru_cache(2_000)(narrow)


@functools.lru_cache(2_000)
def rows_of(tenant_id: uuid.UUID) -> LoaderCriteriaOption:
    return with_loader_criteria(TenantModel, lambda cls: cls.tenant_id == tenant_id, include_aliases=True)


@event.listens_for(ScopedSession, "before_flush")
def let_go(session: ScopedSession, context: UOWTransaction, instances: object) -> None:
    for row in session.deleted:
        if isinstance(row, TenantModel):
            table = cast("Table", row.__table__)
            clear_references(session.connection(), row.tenant_id, table, table.c.id == row.id)


@event.listens_for(ScopedSession, "do_orm_execute")
def let_go_of_many(state: ORMExecuteState) -> None:
    if state.is_delete and state.bind_mapper and issubclass(state.bind_mapper.class_, TenantModel):
        table, which = cast("Table", state.bind_mapper.local_table), cast("Delete", state.statement).whereclause
        if keys_to_clear(table):
            clear_references(state.session.connection(), current_tenant_id(), table, true() if which is None else which)


@event.listens_for(ScopedSession, "before_flush")
def write_inside(session: ScopedSession, context: UOWTransaction, instances: object) -> None:
    scope = current_scope()
    if scope.is_platform:
        return
    for row in [*session.new, *session.dirty, *session.deleted]:
        if isinstance(row, TenantModel) and (row.tenant_id or scope.tenant_id) != scope.tenant_id:
            raise OutsideTenant(f"{type(row).__name__} of another tenant")
