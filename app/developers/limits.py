"""How often a network may call what needs no key, so that guessing is slow. Without Redis nothing is limited here."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import redis as redis_client
import structlog
from flask import jsonify, request

from app.api.rates import TAKE, Limit
from app.extensions import redis
from app.team.models.sign_in_attempts import network

log = structlog.get_logger()
# Servers of a hosted assistant sign in all of its people from a few addresses.
METADATA = Limit("oauth-metadata", rate=10, burst=200)
REGISTER = Limit("oauth-register", rate=2, burst=60)
TOKEN = Limit("oauth-token", rate=10, burst=200)
# Of one person, so that none uses up those of an office or of a carrier's network.
AUTHORIZE = Limit("oauth-authorize", rate=1, burst=100)
# Of one person too: each may be a request to a server that they named.
DOCUMENT = Limit("oauth-document", rate=0.1, burst=20)
MOST_BYTES = 20_000


def limited(limit: Limit) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A view for programs: beyond the limit of a network it answers 429, and a large body is not read."""

    def mark(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        def answer(**arguments: Any) -> Any:
            request.max_content_length = MOST_BYTES
            if wait := seconds_to_wait(limit, caller()):
                body = jsonify(error="temporarily_unavailable", error_description="Wait, then try again.")
                return body, 429, {"Retry-After": str(wait)}
            return view(**arguments)

        return answer

    return mark


def caller() -> str:
    return network(request.remote_addr or "")


def seconds_to_wait(limit: Limit, who: str) -> int:
    """Counts one more of this caller. 0 where it may go on."""
    try:
        fits, _left, _full_in, wait = redis.eval(TAKE, 1, f"{limit.name}:{who}", 1 / limit.rate, limit.burst)
    except redis_client.RedisError as error:
        log.warning("requests not counted", error=type(error).__name__)
        return 0
    return 0 if fits == b"1" else max(1, math.ceil(float(wait)))
