"""Serves stored files. They are a stranger's: nothing in them may run on our pages."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import quote

from flask import Response, abort, request
from werkzeug.http import quote_etag

from app.extensions import storage
from app.sniffing import EXTENSIONS, is_shown
from app.storage import NotStored, StorageUnavailable
from app.tenancy import commit

POLICY = "sandbox; default-src 'none'"


class StoredFile(Protocol):
    """What a file's headers are made of: the row of a message's file, a canned reply's, an uploaded one."""

    @property
    def tenant_id(self) -> uuid.UUID: ...
    @property
    def kind(self) -> str: ...
    @property
    def filename(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def created_at(self) -> dt.datetime: ...


def serve(file: StoredFile, key: str | None, content_type: str, size: int | None, *, saves: bool = False) -> Response:
    """The file (200), a part of it (206), or that the browser has it (304). `saves`: only ever downloaded."""
    etag = f"{file.tenant_id}-{file.sha256}-{(key or '')[-8:]}"
    headers = {
        "ETag": quote_etag(etag),
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": POLICY,
        "Content-Disposition": disposition(file, content_type, saves=saves),
    }
    if etag in request.if_none_match:
        return Response(status=304, headers=headers)
    byte_range = None
    if size is not None:
        headers["Accept-Ranges"] = "bytes"
        is_same = request.if_range.etag in (None, etag) and request.if_range.date is None
        byte_range = request.range if request.range and request.range.units == "bytes" and is_same else None
    if byte_range is None:
        if size is not None:
            headers["Content-Length"] = str(size)
        return Response(open_stored(key), headers=headers, content_type=content_type)
    part = byte_range.range_for_length(size)
    if part is None:
        return Response(status=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    start, stop = part
    headers |= {"Content-Range": f"bytes {start}-{stop - 1}/{size}", "Content-Length": str(stop - start)}
    return Response(open_stored(key, start, stop - start), 206, headers=headers, content_type=content_type)


def open_stored(key: str | None, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    # The store may take a while.
    commit()
    try:
        return storage.stream(key or "", start, length)
    except NotStored:
        abort(404)
    except StorageUnavailable:
        abort(503)


def disposition(file: StoredFile, content_type: str, *, saves: bool) -> str:
    """Pictures, videos and audio are shown in the page; everything else is only ever downloaded."""
    name = file.filename or f"{file.kind}-{file.created_at:%Y-%m-%d}{EXTENSIONS.get(content_type, '')}"
    plain = re.sub(r"[^\w. -]", "_", name, flags=re.ASCII)
    how = "inline" if not saves and is_shown(content_type) and file.kind != "document" else "attachment"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
