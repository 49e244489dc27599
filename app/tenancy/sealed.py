"""Secrets in columns: written and read in the clear, stored encrypted for the one place they belong to."""

from __future__ import annotations

from typing import Any, ClassVar

import structlog
from sqlalchemy import func, select, tuple_, update

from app.crypto import Undecryptable
from app.extensions import vault

from .database import GlobalModel, TenantModel, db

log = structlog.get_logger()

PAGE = 200
Row = TenantModel | GlobalModel


class Sealed:
    """`token = Sealed()` is the secret that the column `token_ciphertext` keeps; None where there is none.

    Reading raises `Undecryptable` when no key opens it.
    """

    everywhere: ClassVar[list[Sealed]] = []

    def __set_name__(self, owner: type[Row], name: str) -> None:
        self.owner, self.name, self.column = owner, name, f"{name}_ciphertext"
        Sealed.everywhere.append(self)

    def __get__(self, row: Row | None, owner: type[Row]) -> Any:
        if row is None:
            return self
        ciphertext = getattr(row, self.column)
        return None if ciphertext is None else vault.decrypt(ciphertext, row.place(self.name))

    def __set__(self, row: Row, secret: str | None) -> None:
        setattr(row, self.column, None if secret is None else vault.encrypt(secret, row.place(self.name)))

    def reseal(self) -> int:
        """Re-encrypts with the current key what an older key decrypts; a row changed meanwhile is left as it is.
        Returns how many no key decrypts. Needs a platform scope."""
        column, lost, mapper = getattr(self.owner, self.column), 0, self.owner.__mapper__
        key = tuple_(*mapper.primary_key)
        stale = select(self.owner).where(column.is_not(None), func.substr(column, 1, 4) != vault.current)
        query = stale.order_by(*mapper.primary_key).limit(PAGE)
        last: tuple[Any, ...] = ()
        while rows := db.session.scalars(query.where(key > last) if last else query).all():
            lost += sum(not self.reseal_row(row) for row in rows)
            last = tuple(mapper.primary_key_from_instance(rows[-1]))
        return lost

    def reseal_row(self, row: Any) -> bool:
        ciphertext, place = getattr(row, self.column), row.place(self.name)
        try:
            fresh = vault.encrypt(vault.decrypt(ciphertext, place), place)
        except Undecryptable:
            return False
        mapper = self.owner.__mapper__
        key = zip(mapper.primary_key, mapper.primary_key_from_instance(row), strict=True)
        same = [part == value for part, value in key]
        column = getattr(self.owner, self.column)
        resealed = update(self.owner).where(*same, column == ciphertext).values({self.column: fresh})
        db.session.execute(resealed, execution_options={"synchronize_session": False})
        return True
