import base64
from typing import Any
from urllib.parse import urlencode

from flask import request

from simulator.errors import invalid

DEFAULT_LIMIT = 25


def page(items: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    """A collection with its cursors; `next` is missing on the last page, `previous` on the first."""
    limit = _limit(params)
    start = _position(params["after"]) + 1 if params.get("after") else 0
    if params.get("before"):
        start = max(0, _position(params["before"]) - limit)
    shown = items[start : start + limit]
    answer: dict[str, Any] = {"data": shown}
    if shown:
        before, after = _cursor(start), _cursor(start + len(shown) - 1)
        answer["paging"] = {"cursors": {"before": before, "after": after}}
        if start + limit < len(items):
            answer["paging"]["next"] = _address("after", after)
        if start > 0:
            answer["paging"]["previous"] = _address("before", before)
    return answer


def _limit(params: dict[str, Any]) -> int:
    limit = str(params.get("limit") or DEFAULT_LIMIT)
    if not limit.isdecimal() or int(limit) < 1:
        raise invalid("Param limit must be a positive number")
    return int(limit)


def _address(direction: str, cursor: str) -> str:
    left_out = ("access_token", "after", "before")
    query = {name: value for name, value in request.args.items() if name not in left_out}
    return f"{request.base_url}?{urlencode(query | {direction: cursor})}"


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"cursor:{position}".encode()).decode().rstrip("=")


def _position(cursor: Any) -> int:
    try:
        text = base64.urlsafe_b64decode(str(cursor) + "=" * (-len(str(cursor)) % 4))
        return int(text.split(b":")[1])
    except (ValueError, IndexError):
        raise invalid("Invalid cursors values provided") from None
