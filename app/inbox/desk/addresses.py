"""Where a conversation is shown: beside the list that the browser has open."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import request, url_for

LIST_ARGUMENTS = ("view", "number", "team", "agent", "tag", "entry", "about", "sender", "filter", "sort")


def back_to(conversation_id: uuid.UUID, **more: str) -> str:
    """The address of a conversation after something was done in it; the list beside it stays as it is."""
    page = urlsplit(request.shown_page)  # type: ignore[attr-defined]
    is_inbox = page.path.startswith(url_for("inbox.index"))
    beside = {name: value for name, value in parse_qsl(page.query) if name in LIST_ARGUMENTS} if is_inbox else {}
    given: dict[str, Any] = {**beside, **more}
    return url_for("inbox.show", conversation_id=conversation_id, **given)
