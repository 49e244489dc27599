"""The signature Meta puts on every webhook: HMAC-SHA256 of the raw body under the app secret."""

import hashlib
import hmac
import re
from collections.abc import Sequence

COMPLETE = re.compile(r"sha256=[0-9a-f]{64}", re.ASCII)


def is_complete(header: str | None) -> bool:
    """Whether `X-Hub-Signature-256` is of the form that a signature has, before the body is read."""
    return bool(header and COMPLETE.fullmatch(header))


def verify(body: bytes, header: str | None, secrets: Sequence[str]) -> bool:
    """Whether `X-Hub-Signature-256` was made with one of the secrets. No secret at all means no."""
    claimed = (header or "").encode("utf-8", "replace")
    # Every secret is tried, so the time taken does not tell which one matched.
    matches = [hmac.compare_digest(claimed, _sign(body, secret)) for secret in secrets if secret]
    return any(matches)


def _sign(body: bytes, secret: str) -> bytes:
    return b"sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
