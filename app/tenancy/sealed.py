"""Secrets in columns: written and read in the clear, stored encrypted for the one place they belong to."""

from __future__ import annotations

from typing import Any, ClassVar

import structlog
from sqlalchemy import func, select, tuple_, update

from app.crypto import Undecryptable
from app.extensions import vault

from .database import TenantModel, db

log = structlog.get_logger()

PAGE = 200


class Sealed:
    """`token = Sealed()` is the secret that the column `token_ciphertext` keeps; None where there is none.

    Reading raises `Undecryptable` when no key opens it.
    """

    everywhere: ClassVar[list[Sealed]] = []

    def __set_name__(self, owner: type[TenantModel], name: str) -> None:
        self.owner, self.name, self.column = owner, name, f"{name}_ciphertext"
        Sealed.everywhere.append(self)

    def __get__(self, row: TenantModel | None, owner: type[TenantModel]) -> Any:
        if row is None:
            return self
        ciphertext = getattr(row, self.column)
        return None if ciphertext is None else vault.decrypt(ciphertext, row.place(self.name))

    def __set__(self, row: TenantModel, secret: str | None) -> None:
        setattr(row, self.column, None if secret is None else vault.encrypt(secret, row.place(self.name)))

    def reseal(self) -> int:
        """Re-encrypts with the current key what an older key decrypts; a row changed meanwhile is left as it is.
        Returns how many no key decrypts. Needs a platform scope."""
        column, lost = getattr(self.owner, self.column), 0
        key = tuple_(self.owner.tenant_id, self.owner.id)
        stale = select(self.owner).where(column.is_not(None), func.substr(column, 1, 4) != vault.current)
        query = stale.order_by(self.owner.tenant_id, self.owner.id).limit(PAGE)
        last: TenantModel | None = None
        while rows := db.session.scalars(query if last is None else query.where(key > (last.tenant_id, last.id))).all():
            lost += sum(not self.reseal_row(row) for row in rows)
            last = rows[-1]
        return lost

    def reseal_row(self, row: TenantModel) -> bool:
        ciphertext, place = getattr(row, self.column), row.place(self.name)
        try:
            fresh = vault.encrypt(vault.decrypt(ciphertext, place), place)
        except Undecryptable:
            return False
        same = self.owner.tenant_id == row.tenant_id, self.owner.id == row.id
        column = getattr(self.owner, self.column)
        resealed = update(self.owner).where(*same, column == ciphertext).values({self.column: fresh})
        db.session.execute(resealed, execution_options={"synchronize_session": False})
        return True
