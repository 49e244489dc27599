"""Serves files to the members of their tenant. They are a stranger's: nothing in them may run on our pages."""

from __future__ import annotations

import uuid

from flask import Response, abort, redirect, render_template
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.conversations import Message
from app.inbox.desk.addresses import back_to
from app.inbox.files.link_previews import LinkPreview
from app.inbox.files.media import Media
from app.inbox.files.serving import POLICY, open_stored, serve
from app.sniffing import UNKNOWN
from app.tenancy import db, later, requires
from app.tenancy.guard import is_fragment


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
    return redirect(back_to(message.conversation_id), 303)


def media_or_404(media_id: uuid.UUID) -> Media:
    """A file that is stored, and whose message its sender has not deleted."""
    media = Media.get_or_404(media_id)
    message = db.session.get_one(Message, (media.tenant_id, media.message_id), options=[joinedload(Message.changes)])
    if not media.is_stored or message.is_deleted:
        abort(404)
    return media
