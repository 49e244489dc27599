import base64
from typing import Any
from urllib.parse import urlencode

from flask import request

DEFAULT_LIMIT = 25


def page(items: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    """A collection with its cursors; `next` is missing on the last page."""
    limit = int(params.get("limit", DEFAULT_LIMIT))
    start = _position(params["after"]) + 1 if "after" in params else 0
    shown = items[start : start + limit]
    answer: dict[str, Any] = {"data": shown}
    if shown:
        before, after = _cursor(start), _cursor(start + len(shown) - 1)
        answer["paging"] = {"cursors": {"before": before, "after": after}}
        if start + limit < len(items):
            query = {name: value for name, value in request.args.items() if name != "access_token"}
            answer["paging"]["next"] = f"{request.base_url}?{urlencode(query | {'after': after})}"
    return answer


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"cursor:{position}".encode()).decode().rstrip("=")


def _position(cursor: str) -> int:
    return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).split(b":")[1])
