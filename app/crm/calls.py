"""Requests to a CRM: JSON there and back, within a deadline, and what went wrong as one of few kinds."""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import structlog

from app.egress import Egress, Page, Refused, Unreachable
from app.meta.payload import loads, mapping
from app.tenancy import refuse_inside_transaction

log = structlog.get_logger()

SECONDS = 10.0
MOST_BYTES = 2_000_000
# Between two requests with one token: HubSpot allows five searches a second, and 100 requests in ten seconds.
GAP_SECONDS = 0.25
# How long one rests after a 429 that does not say, and at most.
LIMITED_SECONDS, LONGEST_REST = 10, 86_400
# What did not reach the other side for certain.
NOT_SENT = ("ConnectError", "ConnectTimeout")

KINDS = ("token", "permission", "limited", "unreachable", "broken", "invalid")


class CrmFailure(Exception):
    """A request that did not do what it should.

    `seconds`: how long the other side asked to be left alone. `may_have_worked`: whether it may have been applied.
    """

    def __init__(self, kind: str, *, seconds: int = 0, may_have_worked: bool = False) -> None:
        super().__init__(kind)
        self.kind, self.seconds, self.may_have_worked = kind, seconds, may_have_worked
        # Whether it came while a note was looked for that may have been written before.
        self.was_looking = False


@dataclass
class Client:
    """Calls one API with one token. `auth` are the headers that carry it."""

    egress: Egress
    base: str
    auth: dict[str, str]
    last_call: float = 0.0

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.call("POST", path, json.dumps(body).encode())

    def call(self, method: str, path: str, content: bytes | None = None) -> dict[str, Any]:
        """The JSON object that comes back. Raises `CrmFailure`. No transaction may be open."""
        refuse_inside_transaction()
        time.sleep(max(0.0, self.last_call + GAP_SECONDS - time.monotonic()))
        headers = {"Accept": "application/json", "User-Agent": "Switchboard", **self.auth}
        if content is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
        try:
            page = self.egress.exchange(
                method,
                self.base + path,
                headers,
                content,
                most_bytes=MOST_BYTES,
                seconds=SECONDS,
                may_be_inside=True,
            )
        except Refused:
            raise CrmFailure("unreachable") from None
        except Unreachable as problem:
            raise CrmFailure("unreachable", may_have_worked=str(problem) not in NOT_SENT) from None
        finally:
            self.last_call = time.monotonic()
        return read(page)


def read(page: Page) -> dict[str, Any]:
    """The object in an answer, or what its status means."""
    body = parsed(page)
    match page.status:
        case 200 | 201 | 207:
            if body is None:
                raise CrmFailure("broken", may_have_worked=True)
            return body
        case 401:
            raise CrmFailure("token")
        case 403:
            # Pipedrive's shield answers 403 with a page, and no JSON, to whoever goes on after many a 429.
            raise CrmFailure("permission") if body else CrmFailure("limited", seconds=15 * 60)
        case 423:
            # HubSpot: the object is locked for two seconds.
            raise CrmFailure("limited", seconds=2)
        case 429:
            raise CrmFailure("limited", seconds=rest_of(page.headers, body or {}))
        case status if status >= 500:
            raise CrmFailure("broken", may_have_worked=True)
    log.info("request to a crm refused", status=page.status)
    raise CrmFailure("invalid")


def parsed(page: Page) -> dict[str, Any] | None:
    if not page.is_whole:
        return None
    try:
        value = loads(page.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def rest_of(headers: dict[str, str], body: dict[str, Any]) -> int:
    """How many seconds to leave it alone. A limit of the whole day is looked at again after an hour."""
    is_daily = body.get("policyName") == "DAILY" or headers.get("x-daily-requests-left") == "0"
    wait_seconds = max(seconds_in(headers.get("retry-after", "")), seconds_in(headers.get("x-ratelimit-reset", "")))
    return min(max(wait_seconds, 3_600 if is_daily else 0) or LIMITED_SECONDS, LONGEST_REST)


def seconds_in(written: str) -> int:
    """Seconds, or a date (RFC 9110, Retry-After); 0 for anything else."""
    if written.isascii() and written.isdecimal():
        return int(written[:9])
    try:
        moment = email.utils.parsedate_to_datetime(written)
    except (TypeError, ValueError, OverflowError):
        return 0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return max(0, int((moment - dt.datetime.now(dt.UTC)).total_seconds()) + 1)


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list, whatever else is in it."""
    return [mapping(one) for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def words(value: Any, most: int = 200) -> str:
    """A text or number of theirs on one line."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return " ".join(str(value).split())[:most]
