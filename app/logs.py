"""Logs as one JSON object a line. Names that carry secrets are masked whatever their value."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

import structlog

SECRETS = ("token", "secret", "password", "pin", "code", "authorization", "cookie")


def mask(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if name in SECRETS or name.endswith(("_token", "_secret")):
            event[name] = "***"
    return event


def configure(level: str) -> None:
    logging.basicConfig(level=level, format="%(message)s")
    for noisy in ("httpx", "httpcore", "rq.worker"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
