"""What requests say, read so that nothing else has to expect nonsense: texts without NUL, numbers that rows have.

Postgres stores no NUL, and no browser sends one.
"""

from __future__ import annotations

import ipaddress
from functools import cached_property
from typing import IO, Any
from urllib.parse import urlsplit

from flask import Request as FlaskRequest
from flask.json.provider import DefaultJSONProvider
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.http import parse_date
from werkzeug.routing import IntegerConverter, PathConverter
from werkzeug.wsgi import LimitedStream
from wtforms.validators import NumberRange

from app.meta import payload

LARGEST_ID = 2**63 - 1


class Parameters(ImmutableMultiDict[str, Any]):
    """The values of an address or a form."""

    def __init__(self, mapping: Any = None) -> None:
        super().__init__(mapping)
        for name in [name for name in self if "\x00" in name]:
            dict.pop(self, name)
        for name, values in dict.items(self):
            dict.__setitem__(self, name, [without_nul(value) for value in values])


def without_nul(value: Any) -> Any:
    """What was nothing else is U+FFFD, not empty: that may mean something."""
    return (value.replace("\x00", "") or "\ufffd") if isinstance(value, str) and "\x00" in value else value


class Whole(LimitedStream):
    """The library's own returns the beginning of a body that is too long to who reads all of it."""

    def readall(self) -> bytes:
        data = super().readall()
        if self.is_exhausted:
            self.on_exhausted()
        return data


class Request(FlaskRequest):
    parameter_storage_class = Parameters

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name in DATES:
            if name in self.environ and not is_readable_date(self.environ[name]):
                self.environ[name] = NO_DATE
        self.remote_addr = unmapped(self.remote_addr)

    # Flask-WTF fills forms from JSON too, with values of any type. The one view that takes JSON calls `json_object`.
    is_json = False

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body, within the limit; one that says no length is whole or refused."""
        if self.content_length is None and self.max_content_length and self.environ.get("wsgi.input_terminated"):
            return Whole(self.environ["wsgi.input"], self.max_content_length, is_max=True)  # type: ignore[return-value]
        return super().stream

    @property
    def json_object(self) -> dict[str, Any] | None:
        """The object in a JSON body, or None."""
        value = self.get_json(force=True, silent=True) if self.mimetype == "application/json" else None
        return value if isinstance(value, dict) else None

    @property
    def came_from(self) -> str:
        """The path of the page of ours that the browser was on, or nothing."""
        return self.shown_page.partition("?")[0]

    @property
    def shown_page(self) -> str:
        """The page of ours that the browser shows, with its query, or nothing."""
        try:
            page = urlsplit(self.headers.get("HX-Current-URL") or self.referrer or "")
        except ValueError:
            return ""
        is_ours = page.netloc == self.host and page.path.startswith("/") and not page.path.startswith("//")
        return f"{page.path}?{page.query}".rstrip("?") if is_ours else ""


# Headers with dates that the library reads by itself.
DATES = ("HTTP_IF_RANGE", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE")
# As If-Range it is a version that nothing has.
NO_DATE = '"-"'


def is_readable_date(value: str) -> bool:
    """Whether the library can read it, be it a date or not: it fails on a year of twenty digits."""
    try:
        parse_date(value)
    except OverflowError:
        return False
    return True


def unmapped(address: str | None) -> str | None:
    """An IPv4 address as itself: a server that listens on IPv6 sees it as ::ffff:203.0.113.7 (RFC 4291)."""
    try:
        ip = ipaddress.IPv6Address(address or "")
    except ValueError:
        return address
    return str(ip.ipv4_mapped or address)


class Json(DefaultJSONProvider):
    """JSON of strangers: of bounded depth, and only what can be stored."""

    sort_keys = False

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        return payload.loads(s if isinstance(s, bytes) else s.encode(errors="replace"))


class ExternalId(PathConverter):
    """The id of something in another system: any text up to 200 characters, percent-encoded, also with slashes."""

    regex = r"[^\x00]{1,200}?"
    part_isolating = False


class RowNumber(IntegerConverter):
    """A number in an address, as large as a row's id can be."""

    def __init__(self, map: Any, *args: Any, **options: Any) -> None:
        super().__init__(map, *args, **{"max": LARGEST_ID} | options)


def row_number(text: str) -> int:
    """For `request.args.get(…, type=row_number)`. Raises ValueError."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1
    if not 0 <= number <= LARGEST_ID:
        raise ValueError(text)
    return number


# More than any field takes, and exact as a float.
LARGEST = 10**15


class InRange(NumberRange):
    """Also of numbers that are too large for `NumberRange`, which makes floats of them."""

    def __call__(self, form: Any, field: Any) -> None:
        if isinstance(field.data, int):
            field.data = max(-LARGEST, min(LARGEST, field.data))
        super().__call__(form, field)
