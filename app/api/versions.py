"""The dated versions of the API. A key keeps the one it was made with; a request may ask for another."""

from __future__ import annotations

from flask import request

from .problems import Problem

HEADER = "Switchboard-Version"
# The newest last. A version is added only when something changes that a program could notice as broken.
VERSIONS = ("2026-11-29",)
NEWEST = VERSIONS[-1]


def version_for(pinned: str) -> str:
    """The version of this request. Raises a `Problem` for one that never was."""
    requested = request.headers.get(HEADER, pinned)
    if requested not in VERSIONS:
        raise Problem("unknown_version", versions=", ".join(VERSIONS))
    return requested
