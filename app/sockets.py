"""How soon a connection to Postgres or Redis ends that the network has swallowed: within seconds, not minutes.

An idle one is probed; one whose words are not acknowledged is given up. A socket of this machine needs neither.
"""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

IDLE_SECONDS, PROBE_SECONDS, PROBES = 10, 5, 2
SILENT_MILLISECONDS = 1000 * (IDLE_SECONDS + PROBE_SECONDS * PROBES)

# libpq sets these on its own socket: a pooler sees none of them, as it would startup options.
POSTGRES: dict[str, Any] = {
    "connect_timeout": 3,
    "keepalives_idle": IDLE_SECONDS,
    "keepalives_interval": PROBE_SECONDS,
    "keepalives_count": PROBES,
    "tcp_user_timeout": SILENT_MILLISECONDS,
}


def redis_options(url: str) -> dict[str, Any]:
    """A worker waits minutes for its next job, and so would one whose question never arrived."""
    if urlsplit(url).scheme == "unix":
        return {}
    chosen = {
        "TCP_KEEPIDLE": IDLE_SECONDS,
        "TCP_KEEPINTVL": PROBE_SECONDS,
        "TCP_KEEPCNT": PROBES,
        "TCP_USER_TIMEOUT": SILENT_MILLISECONDS,
    }
    # Not every system has all of them.
    options = {getattr(socket, name): value for name, value in chosen.items() if hasattr(socket, name)}
    return {"socket_keepalive": True, "socket_keepalive_options": options}
