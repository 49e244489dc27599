"""The file of a message that a program sends: a copy of the uploaded one, for this message alone."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator

import structlog
from sqlalchemy import inspect

from app.api import current_key
from app.extensions import outside
from app.inbox.conversations import Conversation, Later
from app.inbox.files.deletions import delete_later
from app.inbox.files.media import Media
from app.storage import StorageUnavailable
from app.tenancy import commit, db

from .sending import AnyMessage, Chosen

log = structlog.get_logger()


@contextlib.contextmanager
def attached(wanted: AnyMessage, conversation: Conversation | None, client_id: uuid.UUID) -> Iterator[Media | None]:
    """The file's row, for `Conversation.send`. Commits before it copies; deletes a copy that no message has got.

    Raises what `Conversation.send` would, `StorageUnavailable`, and a `Problem` where the uploaded file is gone.
    """
    chosen = wanted.file
    if chosen is None:
        yield None
        return
    if conversation and conversation.message_with(client_id):
        # The same message again, which has its file.
        yield chosen.row()
        return
    if conversation:
        check(wanted, conversation, chosen)
    commit()
    media = chosen.copied_row()
    try:
        yield media
    except BaseException:
        db.session.rollback()
        delete(media)
        raise
    if not inspect(media).persistent:
        delete_later((media.storage_key, media.thumbnail_key))


def check(wanted: AnyMessage, conversation: Conversation, chosen: Chosen) -> None:
    """What would be refused is not copied first."""
    message = wanted.build_for(conversation)
    later = Later(wanted.send_at) if wanted.send_at else None
    gate, by = conversation.gate, current_key().actor
    gate.check(message.type, message.raw, by=by, later=later, file_kind=chosen.file.kind)


def delete(media: Media) -> None:
    try:
        for key in filter(None, (media.storage_key, media.thumbnail_key)):
            outside().storage.delete(key)
    except StorageUnavailable as problem:
        log.error("copy of an uploaded file not deleted", reason=str(problem))
