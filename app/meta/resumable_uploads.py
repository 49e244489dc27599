"""Hands Meta a file that a later call names by its handle: a sample for a template, the photo of a profile."""

from __future__ import annotations

from .errors import NoAnswer, NotConnected, NotUploaded
from .graph import GraphClient
from .payload import text

MOST_TRIES = 3


def upload(graph: GraphClient, token: str, app_id: str, name: str, mime: str, content: bytes) -> str:
    """The file's handle. What a broken connection left out is sent after it. Raises MetaError."""
    size = len(content)
    session, offset = _begin(graph, token, app_id, name, mime, size), 0
    failure: NoAnswer | NotConnected
    for attempt in range(MOST_TRIES):
        try:
            if attempt and (offset := graph.upload_offset(session, token=token)) >= size:
                # All has arrived, but its handle was lost.
                session, offset = _begin(graph, token, app_id, name, mime, size), 0
            if handle := text(graph.resume(session, content, token=token, offset=offset).get("h"), 8_000):
                return handle
            raise NoAnswer("Meta's answer holds no handle for the file", 200)
        except (NoAnswer, NotConnected) as error:
            failure = error
    raise NotUploaded(failure.details, failure.http_status)


def _begin(graph: GraphClient, token: str, app_id: str, name: str, mime: str, size: int) -> str:
    params = {"file_length": size, "file_type": mime, "file_name": name}
    session = text(graph.post(f"{app_id}/uploads", token=token, params=params).get("id"), 2_000)
    if session is None:
        raise NotUploaded("Meta's answer names no upload", 200)
    return session
