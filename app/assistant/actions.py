"""HTTP actions: what the assistant may ask of the business's own programs, such as free appointments."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Select, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from app.egress import Refused, Unreachable
from app.extensions import outside
from app.tenancy import TenantModel, current_tenant_id, db, now, of_tenant, refuse_inside_transaction, uuid7
from app.tenancy.sealed import Sealed

MOST_ACTIONS, MOST_PARAMETERS = 10, 8
LONGEST_ANSWER = 4_000
MOST_BYTES = 64 * 1024
LONGEST_VALUE = 500
PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,39}")


class AssistantAction(TenantModel):
    """A named call: the model chooses it and fills in its parameters; address, key and contact are ours."""

    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id", "name"))

    name: Mapped[str]
    description: Mapped[str]
    url: Mapped[str]
    parameters: Mapped[list[str]] = mapped_column(default=list)
    secret = Sealed()
    secret_ciphertext: Mapped[bytes]
    # How it went the last time: "" or a key of `words.PROBLEMS`.
    problem: Mapped[str] = mapped_column(default="")
    called_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def in_order(cls) -> Select[Self]:
        return select(cls).order_by(cls.name)

    @classmethod
    def add(cls, name: str, description: str, url: str, parameters: list[str]) -> Self:
        made = cls(id=uuid7(), tenant_id=current_tenant_id(), name=name, description=description, url=url)
        made.parameters, made.secret = parameters, f"sbas_{secrets.token_urlsafe(24)}"
        db.session.add(made)
        db.session.flush()
        return made

    @property
    def key(self) -> str:
        """What the model calls it."""
        return f"action_{self.name}"

    @property
    def call(self) -> ActionCall:
        """All that calling it needs, so that it runs without a transaction."""
        return ActionCall(self.id, self.key, self.url, tuple(self.parameters), self.secret)


@dataclass(frozen=True, slots=True)
class ActionCall:
    id: uuid.UUID
    key: str
    url: str
    parameters: Sequence[str]
    secret: str = field(repr=False)

    def run(self, arguments: dict[str, Any], contact_id: uuid.UUID | None, once: str) -> tuple[str, str]:
        """What came back, and the problem there was: one of them is "". `once` is the same for the same call."""
        refuse_inside_transaction()
        values = {name: str(arguments.get(name, ""))[:LONGEST_VALUE] for name in self.parameters}
        body = json.dumps({"contact_id": contact_id and str(contact_id), "id": once, "parameters": values}).encode()
        signature = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Idempotency-Key": once,
            "X-Switchboard-Signature": f"sha256={signature}",
        }
        try:
            page = outside().egress.exchange("POST", self.url, headers, body, most_bytes=MOST_BYTES)
        except Refused:
            return "", "address_refused"
        except Unreachable as error:
            return "", "timeout" if error.is_timeout else "unreachable"
        if not 200 <= page.status < 300:
            return "", "request_refused"
        if not page.is_whole:
            return "", "too_large"
        return page.body.decode("utf-8", "replace").replace("\x00", "")[:LONGEST_ANSWER], ""
