"""The `flow_token` that we give Meta with each form: which message to whom it was, signed.

Meta hands it back with the answers, and to the data endpoint while the form is being filled in (Meta: Flows).
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass

from flask import current_app

VERSION = "f1"


@dataclass(frozen=True, slots=True)
class FlowToken:
    contact_id: uuid.UUID
    message_id: uuid.UUID

    def sign(self, tenant_id: uuid.UUID) -> str:
        named = f"{self.contact_id.hex}.{self.message_id.hex}"
        return f"{VERSION}.{named}.{mac(tenant_id, named)}"

    @classmethod
    def read(cls, token: str, tenant_id: uuid.UUID) -> FlowToken | None:
        """None if this is not ours, or another tenant's."""
        version, _, rest = token.partition(".")
        named, _, signature = rest.rpartition(".")
        if version != VERSION or not hmac.compare_digest(signature.encode(), mac(tenant_id, named).encode()):
            return None
        contact, _, message = named.partition(".")
        return cls(uuid.UUID(contact), uuid.UUID(message))


def mac(tenant_id: uuid.UUID, named: str) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, f"flow {tenant_id.hex} {named}".encode(), hashlib.sha256).hexdigest()[:32]
