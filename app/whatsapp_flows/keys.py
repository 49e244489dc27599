"""A pair of RSA keys for each number: customers' phones encrypt with the public one, which Meta gives them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from app.meta import flow_calls as calls
from app.meta.errors import MetaError
from app.meta.graph import GraphClient
from app.tenancy import TenantModel, belongs_to, commit, db, now
from app.tenancy.sealed import Sealed
from app.wabas.models import PhoneNumber

log = structlog.get_logger()

KEY_BITS = 2048
# As many numbers as Meta lets an account have.
MOST_NUMBERS = 25


class FlowKey(TenantModel):
    """The keys of a number; its id is the number's. Without `registered_at` Meta does not have the public one yet."""

    __table_args__ = (belongs_to("phone_numbers", "id", ondelete="CASCADE"),)

    private_key = Sealed()
    private_key_ciphertext: Mapped[bytes]
    public_key: Mapped[str]
    registered_at: Mapped[dt.datetime | None]
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def make(cls, tenant_id: uuid.UUID, phone_number_id: uuid.UUID) -> Self:
        pair = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        plain = serialization.NoEncryption()
        private = pair.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        public = pair.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        made = cls(tenant_id=tenant_id, id=phone_number_id, public_key=public.decode())
        made.private_key = private.decode()
        return made

    @classmethod
    def of_account(cls, waba_id: uuid.UUID) -> list[Self]:
        """Those of an account's numbers, newest first."""
        numbers = select(PhoneNumber.id).where(PhoneNumber.waba_id == waba_id)
        query = select(cls).where(cls.id.in_(numbers)).order_by(cls.created_at.desc())
        return list(db.session.scalars(query.limit(MOST_NUMBERS)))


def register_keys(waba_id: uuid.UUID, graph: GraphClient, token: str) -> None:
    """Makes the keys that the account's connected numbers lack and registers them with Meta. Raises MetaError.

    Meta refuses to publish a form with a data endpoint before.
    """
    mine = PhoneNumber.waba_id == waba_id, PhoneNumber.state == "connected"
    numbers = list(db.session.scalars(select(PhoneNumber).where(*mine).order_by(PhoneNumber.id).limit(MOST_NUMBERS)))
    wanted = [(number.id, number.meta_id, number.tenant_id) for number in numbers]
    commit()
    for id, meta_id, tenant_id in wanted:
        key = FlowKey.find(id)
        if key is None:
            commit()
            # Outside of a transaction: making one takes a good part of a second.
            made = FlowKey.make(tenant_id, id)
            key = FlowKey.find(id) or made
            db.session.add(key)
        if key.registered_at:
            commit()
            continue
        public_key = key.public_key
        commit()
        try:
            calls.register_key(graph, token, meta_id, public_key)
        except MetaError as error:
            FlowKey.get_or_404(id).error = error.as_dict()
            commit()
            raise
        registered = FlowKey.get_or_404(id)
        registered.registered_at, registered.error = now(), None
        commit()
