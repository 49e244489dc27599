"""The declarative base, and the two kinds of model: rows of one tenant, and rows of none."""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import re
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Connection,
    CursorResult,
    DateTime,
    Engine,
    ForeignKeyConstraint,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    TextClause,
    Uuid,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, declared_attr, mapped_column, registry
from werkzeug.exceptions import NotFound

from .scope import current_scope, current_tenant_id, session_key

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    registry = registry(
        type_annotation_map={
            int: BigInteger,
            str: Text,
            bytes: LargeBinary,
            dt.datetime: DateTime(timezone=True),
            uuid.UUID: Uuid,
            dict[str, Any]: JSONB,
            list[str]: JSONB,
            list[dict[str, Any]]: JSONB,
        },
        metadata=metadata,
    )


class ScopedSession(Session):
    def __init__(self, db: Any, **options: Any) -> None:
        scope = current_scope()
        self.db, self.scope = db, scope.session_owner or scope
        super().__init__(**options)

    def get_bind(self, *_args: Any, **_options: Any) -> Engine | Connection:
        return self.engine

    @functools.cached_property
    def engine(self) -> Engine:
        """Its connections know the tenant that each transaction of theirs is for."""
        return engine_of(self.db.engines["platform" if self.scope.is_platform else None], self.scope.tenant_id)


@functools.lru_cache(2_000)
def engine_of(engine: Engine, tenant_id: uuid.UUID | None) -> Engine:
    return engine.execution_options(tenant_id=tenant_id)


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={
        "class_": ScopedSession,
        "scopefunc": session_key,
        "expire_on_commit": False,
    },
)

if TYPE_CHECKING:

    class Model(Base):
        __abstract__ = True
else:
    Model = db.Model


def driver(url: str) -> str:
    """The address as SQLAlchemy takes it, naming psycopg 3."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def uuid7() -> uuid.UUID:
    """A UUID that sorts by the quarter of a microsecond it was made in (RFC 9562 §5.7 and §6.2, method 3)."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    value = milliseconds << 80 | 0x7 << 76 | (rest * 4096 // 1_000_000) << 64 | 0x2 << 62
    return uuid.UUID(int=value | int.from_bytes(os.urandom(8), "big") >> 2)


def uuid7s(count: int) -> list[str]:
    """So many of them, written out, one after the other: a thousand cost hardly more than one."""
    first = uuid7().int
    digits = (f"{first + place:032x}" for place in range(count))
    return [f"{each[:8]}-{each[8:12]}-{each[12:16]}-{each[16:20]}-{each[20:]}" for each in digits]


def first_id(moment: dt.datetime) -> uuid.UUID:
    """The smallest id that a row made from then on can have: ids sort by time."""
    return uuid.UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


class GlobalModel(Model):
    """A row that belongs to no tenant. Each such table is on the short list in `tests/test_catalog.py`."""

    __abstract__ = True
    # In a cluster: whether every machine has a copy, for tenants' rows to be joined with; else it stays on one.
    is_reference: ClassVar[bool] = False

    def place(self, column: str) -> str:
        """Where a ciphertext belongs (see `app.crypto`)."""
        return ":".join(map(str, (self.__tablename__, column, *self.__mapper__.primary_key_from_instance(self))))


class TenantModel(Model):
    """A row of one tenant, behind both walls (docs/architecture.md, “Two walls between tenants”)."""

    __abstract__ = True
    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=current_tenant_id, sort_order=-2)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-1)

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower() + "s"

    @classmethod
    def find(cls, id: object) -> Self | None:
        """The current tenant's row with this id; a stranger's id finds nothing."""
        return db.session.scalar(cls.with_id(), {"id": row_id}) if (row_id := as_uuid(id)) else None

    @classmethod
    @functools.cache
    def with_id(cls) -> Select[Self]:
        """The row whose id is the parameter `id`. Made once, as nearly every request runs it."""
        return select(cls).where(cls.id == bindparam("id")).execution_options(made_once=True)

    @classmethod
    def get_or_404(cls, id: object) -> Self:
        if (row := cls.find(id)) is None:
            raise NotFound
        return row

    def place(self, column: str) -> str:
        """Where a ciphertext belongs (see `app.crypto`)."""
        return f"{self.tenant_id}:{self.__tablename__}:{column}:{self.id}"

    def refresh_locked(self) -> Self:
        """Reads the row again and keeps others from changing it until the transaction ends.

        Rows that point at it may be written meanwhile: `for no key update` blocks no foreign key's check.
        Raises `NotFound` when the row was deleted since it was read.
        """
        try:
            db.session.refresh(self, with_for_update={"of": type(self), "key_share": True})
        except InvalidRequestError:
            raise NotFound from None
        return self


def as_uuid(value: object) -> uuid.UUID | None:
    """The id as a UUID, or None where it is none. `uuid.UUID` alone also takes braces and prefixes."""
    if isinstance(value, uuid.UUID):
        return value
    return uuid.UUID(value) if isinstance(value, str) and SPELT.fullmatch(value) else None


SPELT = re.compile("[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def is_uuid(value: object) -> bool:
    return as_uuid(value) is not None


def belongs_to(
    table: str, column: str, *, to: str = "id", nulled: bool = False, **options: Any
) -> ForeignKeyConstraint:
    """A foreign key that carries the tenant, so that no row can point at another tenant's.

    `nulled`: when the row it points at is deleted, the session sets the column to null (`references.py`).
    """
    columns, referred = ["tenant_id", column], [f"{table}.tenant_id", f"{table}.{to}"]
    return ForeignKeyConstraint(columns, referred, info={"nulled": nulled}, **options)


def of_tenant() -> ForeignKeyConstraint:
    """For the tables that others lead back to: they end with their tenant."""
    return ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="CASCADE")


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """States are text with a check: an enum's operators are not leakproof, so row security would hide its index."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


def among(column: Any, ids: Iterable[uuid.UUID]) -> ColumnElement[bool]:
    """Whether a column is one of hundreds of ids: as one array, since each parameter of a list costs time."""
    mine: ColumnElement[bool] = column == func.any(bindparam(None, list(ids), type_=ARRAY(Uuid), unique=True))
    return mine


def insert_rows(model: type[TenantModel], rows: Sequence[Mapping[str, Any]]) -> int:
    """Inserts many rows of the tenant at once, which costs a tenth of one after the other. Returns how many were new:
    one that is there already, by any of its unique keys, is left out.

    Values are such as JSON can say. A column that some rows have and others lack is null in these.
    """
    if not rows:
        return 0
    names = tuple(one.name for one in model.__table__.c if any(one.name in row for row in rows))
    values = {"tenant": current_tenant_id(), "rows": json.dumps(rows, default=str)}
    result = db.session.execute(inserting(model, names), values)
    return cast("CursorResult[Any]", result).rowcount


# `on conflict` has a cluster send it through the coordinator, which row security needs there.
INSERT = """
    insert into {table} (tenant_id, {names})
    select cast(:tenant as uuid), {names} from jsonb_to_recordset(cast(:rows as jsonb)) as r({types})
    on conflict do nothing
"""


@functools.cache
def inserting(model: type[TenantModel], names: tuple[str, ...]) -> TextClause:
    table = cast("Table", model.__table__)
    own = [name for name in names if name != "tenant_id"]
    types = ", ".join(f"{name} {table.c[name].type.compile(db.engine.dialect)}" for name in own)
    query = text(INSERT.format(table=table.name, names=", ".join(own), types=types))
    return query.execution_options(preserve_rowcount=True)


def exists(query: Select[Any]) -> bool:
    return bool(db.session.scalar(select(query.exists())))


def innermost() -> Any:
    """The present transaction, or the innermost savepoint in it: what it locks is free again once it is rolled back."""
    session = db.session()
    return session.get_nested_transaction() or session.get_transaction()


def is_held_in(transaction: Any) -> bool:
    """Whether what this transaction or savepoint has locked is still locked here."""
    at = innermost()
    while at is not None and at is not transaction:
        at = at.parent
    return at is not None


def database_now() -> dt.datetime:
    """The time by the database's clock, which all processes share: one moment for a scope's whole transaction.

    Statements get it as a parameter. A cluster refuses functions of time in what changes a tenant's rows, and each of
    its machines has a clock of its own.
    """
    session, scope = db.session(), current_scope()
    if scope.moment is None or scope.moment[0] is not session.get_transaction():
        read = session.scalars(select(func.clock_timestamp(type_=DateTime(timezone=True)))).one()
        scope.moment = session.get_transaction(), read
    return scope.moment[1]
