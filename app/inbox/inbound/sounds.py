"""Draws the waveforms of voice notes and other sounds, received and sent, once they are stored."""

from __future__ import annotations

import tempfile

import structlog

from app.extensions import outside
from app.inbox.conversations import Message
from app.inbox.files.media import Media
from app.inbox.files.waveform import draw_waveform
from app.storage import NotStored, StorageUnavailable
from app.tenancy import announce, commit, db

log = structlog.get_logger()


def draw(media: Media) -> None:
    """Stores the waveform of a sound that has none yet, and shows it. Without one, only the player is shown."""
    if media.shown_as != "audio" or media.waveform is not None or not media.storage_key:
        return
    key = media.storage_key
    commit()
    try:
        with tempfile.TemporaryFile() as file:
            for chunk in outside().storage.stream(key):
                file.write(chunk)
            drawn = draw_waveform(file)
    except (OSError, NotStored, StorageUnavailable) as error:
        log.warning("sound not drawn", media_id=str(media.id), error=str(error))
        return
    if drawn:
        media.refresh_locked()
        media.waveform, media.seconds = drawn.levels, media.seconds or drawn.seconds
        announce("conversation", db.session.get_one(Message, (media.tenant_id, media.message_id)).conversation_id)
