"""Versions of one resource, so that two programs that edit it don't overwrite each other (RFC 9110, If-Match)."""

from __future__ import annotations

import hashlib

from flask import request
from pydantic import BaseModel

from .problems import Problem


def etag_of(body: str) -> str:
    return f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'


def check_match(current: BaseModel | None) -> None:
    """Refuses the change where the caller has read another version than this. Without If-Match it goes through.

    None is what does not exist yet: no If-Match fits that.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None:
        return
    if current is None:
        raise Problem("changed_meanwhile")
    if wanted.strip() == "*":
        return
    # A proxy that compresses answers makes their tags weak; of what was read, they are still the version.
    tags = {tag.strip().removeprefix("W/") for tag in wanted.split(",")}
    if etag_of(current.model_dump_json(by_alias=True)) not in tags:
        raise Problem("changed_meanwhile")
