"""Giving Meta the files of our messages. A message waits in the outbox until its file is there."""

from __future__ import annotations

import tempfile

import structlog
from sqlalchemy import text

from app.extensions import outside
from app.inbox.conversations import Message
from app.inbox.conversations.statuses import show_ticks
from app.inbox.files.media import Media
from app.meta import media as meta
from app.meta.codes.explanation import Explanation
from app.meta.errors import Kind, MetaError
from app.storage import NotKept, StorageAway
from app.tenancy import announce, commit, db, later
from app.wabas.models import PhoneNumber
from app.words import N_

log = structlog.get_logger()

SECONDS = 200
AT_ONCE = 500
RETRY_SECONDS = (2, 8, 30, 120, 600)
PAUSED_SECONDS = 60
LOST = Explanation(Kind.FINAL, N_("The file is not in our own store any more."), N_("Attach it again and send it."))
NO_STORE = Explanation(
    Kind.RETRY,
    N_("The file could not be read from our own store."),
    N_("Nobody has to do anything. The app tries again by itself."),
)


class Uploading:
    """One try at giving Meta a file."""

    def __init__(self, media: Media, message: Message) -> None:
        self.media, self.message, self.attempt = media, message, media.attempts
        self.number = db.session.get_one(PhoneNumber, (media.tenant_id, message.phone_number_id))
        self.token = self.number.waba.token

    def run(self) -> None:
        commit()
        try:
            meta_id = self.hand_over()
        except MetaError as error:
            self.refused(error)
        else:
            if self.is_mine():
                self.media.uploaded(meta_id)
                later("outbound.deliver")
        announce("conversation", self.message.conversation_id)

    def hand_over(self) -> str:
        """The file's id at Meta."""
        with tempfile.TemporaryFile() as file:
            try:
                for chunk in outside().storage.stream(self.media.storage_key or ""):
                    file.write(chunk)
            except NotKept:
                raise MetaError(LOST) from None
            except StorageAway:
                raise MetaError(NO_STORE) from None
            file.seek(0)
            name, mime = self.media.filename or "file", self.media.mime
            number = self.number.meta_id
            return meta.upload(outside().graph, self.token, number, file=file, name=name, mime=mime)

    def refused(self, error: MetaError) -> None:
        log.info("file not uploaded", media_id=str(self.media.id), meta_code=error.code, kind=error.kind)
        if not self.is_mine():
            return
        passes = error.kind not in (Kind.FINAL, Kind.HUMAN)
        if error.kind is Kind.PAUSE_NUMBER:
            db.session.get_one(PhoneNumber, (self.number.tenant_id, self.number.id)).pause(error.title, error.fix)
            self.media.upload_later(error, PAUSED_SECONDS)
        elif passes and (error.wait or self.attempt <= len(RETRY_SECONDS)):
            self.media.upload_later(error, error.wait or RETRY_SECONDS[self.attempt - 1])
        else:
            self.media.error, self.media.next_attempt_at = None, None
            self.message.fail(error)
            show_ticks([self.message.id])

    def is_mine(self) -> bool:
        """Whether nobody else has taken it over meanwhile."""
        self.media.refresh_locked()
        return self.media.is_to_upload and self.media.attempts == self.attempt


def hand_on(message: Message) -> None:
    """What was put into the outbox goes on its way: its file first, if it has one."""
    if message.type != "text" and message.media and message.media.is_to_upload:
        later("outbound.upload", message.media.id)
    else:
        later("outbound.deliver")


FORGOTTEN = text("""
    update media f set meta_id = '', uploaded_at = null, attempts = 0, next_attempt_at = clock_timestamp()
    from messages m
    where m.state = 'queued' and m.direction = 'outbound' and f.tenant_id = m.tenant_id and f.message_id = m.id
      and f.state = 'stored' and f.uploaded_at < clock_timestamp() - cast(:lasts as interval)
""")
