"""`signed_request`: Facebook's callback when a person removes the app, or requests deletion of their data."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from . import payload
from .payload import identifier

ALGORITHM = "HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """`user_id` is the person's, or system user's, id for this app alone; it names no WABA."""

    user_id: str
    issued_at: datetime | None


def read(text: str, secrets: Sequence[str]) -> SignedRequest | None:
    """What is in it, if one of the app's secrets has signed it."""
    signature, _, body = text[:8_192].partition(".")
    given = _decoded(signature)
    mine = [hmac.new(secret.encode(), body.encode(errors="replace"), hashlib.sha256).digest() for secret in secrets]
    # Every secret is compared, so that time does not tell which one it was.
    if given is None or True not in [hmac.compare_digest(given, expected) for expected in mine]:
        return None
    try:
        claims = payload.loads(_decoded(body) or b"")
    except ValueError:
        return None
    if not isinstance(claims, dict) or str(claims.get("algorithm", "")).upper() != ALGORITHM:
        return None
    user_id, issued_at = identifier(claims.get("user_id")), claims.get("issued_at")
    moment = datetime.fromtimestamp(issued_at, UTC) if isinstance(issued_at, int) and 0 < issued_at < 10**11 else None
    return SignedRequest(user_id, moment) if user_id else None


def _decoded(text: str) -> bytes | None:
    """URL-safe base64 without its padding."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
