"""Logs as one JSON object a line. Names that carry secrets are masked whatever their value.

An error is logged with where it happened and what it is. Its words are often those of a customer (`invalid literal for
int(): '…'`, `Key (phone)=(…) already exists`), so they are left out, but for errors whose words are of the program.
"""

from __future__ import annotations

import logging
import re
import threading
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any

import psycopg
import redis
import structlog
from jinja2 import UndefinedError
from sqlalchemy.exc import DBAPIError

SECRETS = ("token", "secret", "password", "pin", "code", "authorization", "cookie")

# They speak of names in the program, or of a connection.
OF_THE_PROGRAM = AttributeError, ImportError, NameError, TypeError, UndefinedError, redis.RedisError
# The classes of SQLSTATE that speak of the server and its transactions; others repeat values. None: of the connection.
OF_THE_SERVER = {None, "08", "25", "40", "53", "55", "57", "58"}
LONGEST_STATEMENT = 2_000

log = structlog.get_logger()


def mask(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if name in SECRETS or name.endswith(("_token", "_secret")):
            event[name] = "***"
    return event


def describe(error: BaseException) -> str:
    """The traceback as Python prints it, with those that led to this one, and without what they quote."""
    return "\n\n".join(reversed([*chain(error)]))


def chain(error: BaseException | None) -> Iterator[str]:
    """Each error's traceback, the last one first; those of a group follow it."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        frames = traceback.format_tb(one.__traceback__)
        yield "".join(["Traceback (most recent call last):\n", *frames, summarise(one)])
        waiting.append(one.__cause__ or (None if one.__suppress_context__ else one.__context__))
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def summarise(error: BaseException) -> str:
    """What an error is, on a line."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return ": ".join([name, *filter(None, facts(error))])


def facts(error: BaseException) -> Iterator[str | None]:
    """What may be logged about an error."""
    if isinstance(error, DBAPIError):
        # With placeholders.
        yield error.statement and error.statement[:LONGEST_STATEMENT]
    elif isinstance(error, psycopg.Error):
        parts = (error.sqlstate, error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
        yield " ".join(part for part in parts if part)
        if (error.sqlstate and error.sqlstate[:2]) in OF_THE_SERVER:
            yield error.diag.message_primary or str(error)
    elif isinstance(error, OSError):
        yield error.strerror
    elif isinstance(error, OF_THE_PROGRAM):
        yield str(error)


class Record(logging.LogRecord):
    """What libraries log through `logging`: servers, RQ, asyncio.

    With an error, asyncio adds lines that quote it, and gunicorn the address, with what somebody searched for.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if isinstance(self.exc_info, tuple) and self.exc_info[1]:
            self.exc_text = describe(self.exc_info[1])

    def getMessage(self) -> str:  # noqa: N802 (logging's name)
        message = super().getMessage()
        return re.split(r"[\n?]", message, maxsplit=1)[0] if self.exc_text else message


def log_end_of_thread(args: threading.ExceptHookArgs) -> None:
    log.error("thread ended", exc_info=args.exc_value)


def configure(level: str) -> None:
    logging.basicConfig(level=level, format="%(message)s")
    logging.setLogRecordFactory(Record)
    threading.excepthook = log_end_of_thread
    for noisy in ("httpx", "httpcore", "rq.worker"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(lambda exc_info: describe(exc_info[1])),
            mask,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
