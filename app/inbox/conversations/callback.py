"""The `biz_opaque_callback_data` we give Meta with each message: which attempt it was, signed.

Meta hands it back in every status webhook (Cloud API: messages), so that a status finds its message even when the
answer to our request was lost. The signature keeps others from pointing statuses at our rows.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid

from flask import current_app

VERSION = "v1"


def callback_of(attempt_id: uuid.UUID) -> str:
    return f"{VERSION}.{attempt_id.hex}.{mac(attempt_id.hex)}"


def attempt_of(callback_data: str | None) -> str | None:
    """The attempt's id, or none if this is not ours."""
    version, _, rest = (callback_data or "").partition(".")
    attempt, _, signature = rest.partition(".")
    if version != VERSION or not hmac.compare_digest(signature.encode(), mac(attempt).encode()):
        return None
    return str(uuid.UUID(attempt))


def mac(attempt: str) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, f"callback {attempt}".encode(), hashlib.sha256).hexdigest()[:16]
