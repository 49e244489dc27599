"""Meta's challenge to whoever is to get webhooks (Webhooks: create an endpoint, verification requests)."""

import hmac
from collections.abc import Mapping, Sequence


def challenge_of(query: Mapping[str, Sequence[str]], token: str) -> str | None:
    """What to respond to the query parameters of a verification request; None when the token is not ours."""
    mode, claimed, challenge = ((query.get(f"hub.{name}") or [""])[0] for name in ("mode", "verify_token", "challenge"))
    is_ours = hmac.compare_digest(claimed.encode("utf-8", "replace"), token.encode())
    return challenge if mode == "subscribe" and is_ours else None
