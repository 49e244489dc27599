"""Serves files to the members of their tenant. They are a stranger's: nothing in them may run on our pages."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from urllib.parse import quote

from flask import Response, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload
from werkzeug.http import quote_etag
from werkzeug.wrappers import Response as AnyResponse

from app.extensions import storage
from app.inbox.blueprint import bp
from app.inbox.compose.canned_files import CannedFile
from app.inbox.conversations import Message
from app.inbox.files.link_previews import LinkPreview
from app.inbox.files.media import Media
from app.sniffing import EXTENSIONS, UNKNOWN, is_shown
from app.storage import NotKept, StorageAway
from app.tenancy import db, later, requires
from app.tenancy.guard import is_fragment

POLICY = "sandbox; default-src 'none'"


@bp.get("/media/<uuid:media_id>")
@requires("inbox.read")
def media(media_id: uuid.UUID) -> Response:
    media = media_or_404(media_id)
    return serve(media, media.storage_key, media.content_type or UNKNOWN, media.size)


@bp.get("/media/<uuid:media_id>/thumbnail")
@requires("inbox.read")
def thumbnail(media_id: uuid.UUID) -> Response:
    media = media_or_404(media_id)
    return serve(media, media.thumbnail_key, "image/webp", None)


@bp.get("/link-previews/<uuid:link_preview_id>/image")
@requires("inbox.read")
def preview_image(link_preview_id: uuid.UUID) -> Response:
    """The picture of a link preview, as we made it."""
    preview = LinkPreview.get_or_404(link_preview_id)
    headers = {"Cache-Control": "private, max-age=86400", "Content-Security-Policy": POLICY}
    return Response(open_stored(preview.image_key), headers=headers, content_type="image/webp")


@bp.post("/media/<uuid:media_id>/attempts")
@requires("inbox.reply")
def fetch_again(media_id: uuid.UUID) -> AnyResponse | str:
    media = Media.get_or_404(media_id)
    message = Message.get_or_404(media.message_id)
    if media.retry():
        later("inbound.fetch_media", media.id)
    if is_fragment():
        db.session.flush()
        return render_template("inbox/conversations/_message.html", message=message)
    return redirect(url_for("inbox.show", conversation_id=message.conversation_id), 303)


def media_or_404(media_id: uuid.UUID) -> Media:
    """A file that is stored, and whose message its sender has not deleted."""
    media = Media.get_or_404(media_id)
    message = db.session.get_one(Message, (media.tenant_id, media.message_id), options=[joinedload(Message.changes)])
    if not media.is_stored or message.is_deleted:
        abort(404)
    return media


def serve(media: Media | CannedFile, key: str | None, content_type: str, size: int | None) -> Response:
    """The file (200), a part of it (206), or that the browser already has it (304)."""
    etag = f"{media.tenant_id}-{media.sha256}-{(key or '')[-8:]}"
    headers = {
        "ETag": quote_etag(etag),
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": POLICY,
        "Content-Disposition": disposition(media, content_type),
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
    try:
        return storage.stream(key or "", start, length)
    except NotKept:
        abort(404)
    except StorageAway:
        abort(503)


def disposition(media: Media | CannedFile, content_type: str) -> str:
    """Pictures, videos and audio are shown in the page; everything else is only ever downloaded."""
    name = media.filename or f"{media.kind}-{media.created_at:%Y-%m-%d}{EXTENSIONS.get(content_type, '')}"
    plain = re.sub(r"[^\w. -]", "_", name, flags=re.ASCII)
    how = "inline" if is_shown(content_type) and media.kind != "document" else "attachment"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
