"""The same POST twice is one: with an `Idempotency-Key`, what was answered once is answered again, for a week.

draft-ietf-httpapi-idempotency-key-header-07. The key is stored in the transaction of the work, so neither is ever there
without the other; of many at once one works and the others wait a moment for its answer.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import uuid
from collections.abc import Callable
from typing import IO, Any

from flask import Response, request
from sqlalchemy import Index, UniqueConstraint, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.exceptions import HTTPException

from app.tenancy import TenantModel, commit, current_tenant_id, database_now, db, now, of_tenant, uuid7
from app.tenancy.guard import roll_back
from app.tenancy.sealed import Sealed

from .problems import Problem

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
SPELT = re.compile(r"[\x21-\x7e]{1,255}")
RETENTION = dt.timedelta(days=7)
# One that is stored without an answer is at work outside a transaction, or its process died.
PATIENCE = dt.timedelta(minutes=2)
SLICE = dt.timedelta(minutes=10)
LOCKED = "55P03"
CHUNK = 64 * 1024


class IdempotentRequest(TenantModel):
    """A POST that was executed, and its answer. `status` is null while it is at work outside a transaction."""

    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id", "api_key_id", "endpoint", "key"),
        Index("ix_idempotent_requests_created_at", "created_at"),
    )

    # Without a foreign key: a test key's row is in the business, its requests in the sandbox.
    api_key_id: Mapped[uuid.UUID]
    endpoint: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int | None]
    # An answer may hold a secret that is shown once.
    answer_ciphertext: Mapped[bytes | None]
    answer = Sealed()
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def claim(cls, api_key_id: uuid.UUID, endpoint: str, key: str, fingerprint: str) -> tuple[IdempotentRequest, bool]:
        """The row of this key, and whether the request is to be executed. Raises a `Problem`."""
        values: dict[str, Any] = {"tenant_id": current_tenant_id(), "id": uuid7(), "api_key_id": api_key_id}
        # By the clock that all processes share: one whose own is ahead would take what is at work for abandoned.
        values |= {"endpoint": endpoint, "key": key, "fingerprint": fingerprint, "created_at": database_now()}
        mine = insert(cls).values(values).on_conflict_do_nothing().returning(cls)
        try:
            db.session.execute(text("set local lock_timeout = '3s'"))
            row = db.session.scalar(mine)
            db.session.execute(text("set local lock_timeout = 0"))
            if row:
                return row, True
            same = cls.api_key_id == api_key_id, cls.endpoint == endpoint, cls.key == key
            row = db.session.scalars(select(cls).where(*same).with_for_update()).one()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCKED:
                raise
            raise Problem("in_progress", headers={"Retry-After": "1"}) from None
        if row.fingerprint != fingerprint:
            raise Problem("idempotency_key_reused")
        if row.status is not None:
            return row, False
        if row.created_at > database_now() - PATIENCE:
            raise Problem("in_progress", headers={"Retry-After": "5"})
        row.created_at = database_now()
        return row, True

    def save(self, response: Response) -> None:
        self.status, self.answer = response.status_code, response.get_data(as_text=True)

    def replay(self) -> Response:
        return Response(self.answer, self.status, {REPLAYED: "true"}, mimetype="application/json")

    @classmethod
    def release(cls, id: uuid.UUID) -> None:
        """The request was refused, so the same may be sent again. It may have committed before that."""
        roll_back()
        db.session.execute(delete(cls).where(cls.id == id, cls.status.is_(None)))
        commit()

    @classmethod
    def forget_oldest(cls) -> bool:
        """Deletes ten minutes of what is older than a week. Returns whether there may be more."""
        oldest = db.session.scalar(select(func.min(cls.created_at)))
        if oldest is None or oldest > now() - RETENTION:
            return False
        db.session.execute(delete(cls).where(cls.created_at < min(oldest + SLICE, now() - RETENTION)))
        return True


def once(
    api_key_id: uuid.UUID, endpoint: str, perform: Callable[[], Response], file: IO[bytes] | None = None
) -> Response:
    """Carries a request out, or answers as the first with its key was answered. `file`: its body, if not JSON."""
    key = request.headers.get(HEADER)
    if key is None:
        return perform()
    if not SPELT.fullmatch(key):
        raise Problem("invalid_idempotency_key")
    row, is_first = IdempotentRequest.claim(api_key_id, endpoint, key, fingerprint(file))
    if not is_first:
        return row.replay()
    id = row.id
    try:
        response = perform()
    except (Problem, HTTPException):
        IdempotentRequest.release(id)
        raise
    row.save(response)
    return response


def fingerprint(file: IO[bytes] | None) -> str:
    """Of the address and the body: what makes it the same request."""
    digest = hashlib.sha256(f"{request.full_path}\n{request.mimetype}\n".encode())
    if file is None:
        digest.update(in_one_order(request.get_data()))
        return digest.hexdigest()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def in_one_order(body: bytes) -> bytes:
    """JSON with its names sorted: a program that reads a request back to repeat it may write them in another order."""
    try:
        return json.dumps(json.loads(body), sort_keys=True).encode()
    except (ValueError, RecursionError):
        return body
