"""Stored files that nothing shows any more: noted with the change that ends them, deleted by a job."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import storage
from app.storage import StorageUnavailable
from app.tenancy import TenantModel, commit, db, later, now, of_tenant, uuid7

log = structlog.get_logger()

AT_ONCE = 100
# So many may be refused before the store counts as unavailable.
PATIENCE = 3


class FileDeletion(TenantModel):
    """A key whose file is to be deleted. The row goes after the bytes, so whatever is killed between is done again."""

    __table_args__ = (of_tenant(),)

    storage_key: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)


def delete_later(keys: Iterable[str | None]) -> None:
    """Deletes these files once the transaction is committed; what the store refuses then is tried again."""
    if unwanted := [FileDeletion(storage_key=key) for key in keys if key]:
        db.session.add_all(unwanted)
        later("files.delete")


def delete_unwanted() -> None:
    """Deletes the oldest, one by one, with no transaction open meanwhile. What is refused comes last from then on;
    a store that refuses several is unavailable, and is asked again by the next sweep."""
    query = select(FileDeletion.id, FileDeletion.storage_key).order_by(FileDeletion.id).limit(AT_ONCE)
    unwanted = db.session.execute(query).all()
    commit()
    refused = 0
    for id, key in unwanted:
        mine = FileDeletion.id == id
        try:
            storage.delete(key)
        except StorageUnavailable as problem:
            log.error("file not deleted", reason=str(problem))
            refused += 1
            db.session.execute(update(FileDeletion).where(mine).values(id=uuid7()))
        else:
            db.session.execute(delete(FileDeletion).where(mine))
        commit()
        if refused == PATIENCE:
            return
    if len(unwanted) == AT_ONCE:
        later("files.delete")
