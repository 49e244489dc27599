"""Versions of one resource, so that two programs that edit it don't overwrite each other (RFC 9110, If-Match)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from flask import request
from pydantic import BaseModel

from .problems import Problem


def etag_of(body: str) -> str:
    return f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'


def check_match(current: BaseModel | None, variants: Callable[[], Iterable[BaseModel]] = tuple) -> None:
    """Refuses the change where the caller has read another version than this, or wants only to create.

    Without If-Match and If-None-Match it goes through. None is what does not exist yet: no If-Match fits that.
    `variants` are other forms in which this version may have been read, with what was included.
    """
    wanted, unwanted = tags_in("If-Match"), tags_in("If-None-Match")
    if not (wanted or unwanted):
        return
    forms = [current, *variants()] if current else []
    names = {etag_of(form.model_dump_json(by_alias=True)) for form in forms} | ({"*"} if current else set())
    if (wanted and not wanted & names) or unwanted & names:
        raise Problem("changed_meanwhile")


def tags_in(header: str) -> set[str]:
    """The versions that a header names; `*` is any. What has been compressed on its way has weak ones."""
    given = request.headers.get(header)
    return set() if given is None else {tag.strip().removeprefix("W/") for tag in given.split(",")}
