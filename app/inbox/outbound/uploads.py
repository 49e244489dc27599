"""Uploads the files of our messages to Meta. A message stays queued until its file is there."""

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
from app.storage import NotStored, StorageUnavailable
from app.tenancy import announce, commit, db, later
from app.wabas.models import PhoneNumber
from app.words import N_

log = structlog.get_logger()

SECONDS = 200
AT_ONCE = 500
RETRY_SECONDS = (2, 8, 30, 120, 600)
PAUSED_SECONDS = 60
LOST = Explanation(Kind.FINAL, N_("The file is no longer in storage."), N_("Attach it again and send the message."))
NO_STORE = Explanation(
    Kind.RETRY,
    N_("The file couldn't be read from storage."),
    N_("No action needed. We'll retry automatically."),
)


class Upload:
    """One attempt at uploading a file to Meta."""

    def __init__(self, media: Media, message: Message) -> None:
        self.media, self.message, self.attempt = media, message, media.attempts
        self.number = db.session.get_one(PhoneNumber, (media.tenant_id, message.phone_number_id))
        self.token = self.number.waba.token

    def run(self) -> None:
        commit()
        try:
            meta_id = self.send()
        except MetaError as error:
            self.record_failure(error)
        else:
            if self.owns_claim():
                self.media.mark_uploaded(meta_id)
                later("outbound.deliver")
                if self.media.shown_as == "audio":
                    later("inbound.draw_sound", self.media.id)
        announce("conversation", self.message.conversation_id)

    def send(self) -> str:
        """Uploads the file. Returns its id at Meta; raises `MetaError`."""
        media, number = self.media, self.number.meta_id
        name = media.filename or "file"
        return upload_stored(self.token or "", number, key=media.storage_key or "", name=name, mime=media.mime)

    def record_failure(self, error: MetaError) -> None:
        log.info("file not uploaded", media_id=str(self.media.id), meta_code=error.code, kind=error.kind)
        if not self.owns_claim():
            return
        may_pass = error.kind not in (Kind.FINAL, Kind.HUMAN)
        if error.kind is Kind.PAUSE_NUMBER:
            db.session.get_one(PhoneNumber, (self.number.tenant_id, self.number.id)).pause(error.title, error.fix)
            self.media.upload_later(error, PAUSED_SECONDS)
        elif may_pass and (error.wait or self.attempt <= len(RETRY_SECONDS)):
            self.media.upload_later(error, error.wait or RETRY_SECONDS[self.attempt - 1])
        else:
            self.media.error, self.media.next_attempt_at = None, None
            self.message.fail(error)
            show_ticks([self.message.id])

    def owns_claim(self) -> bool:
        """Whether no other worker has claimed the upload since; locks the file's row."""
        self.media.refresh_locked()
        return self.media.is_to_upload and self.media.attempts == self.attempt


def upload_stored(token: str, number: str, *, key: str, name: str, mime: str) -> str:
    """Uploads a file of our store for a number's messages. Returns its id at Meta; raises `MetaError`."""
    with tempfile.TemporaryFile() as file:
        try:
            for chunk in outside().storage.stream(key):
                file.write(chunk)
        except NotStored:
            raise MetaError(LOST) from None
        except StorageUnavailable:
            raise MetaError(NO_STORE) from None
        file.seek(0)
        return meta.upload(outside().graph, token, number, file=file, name=name, mime=mime)


# Which queued messages have a file that Meta will have deleted before they go out? Uploads them again.
# Index: the outbox's partial indexes hold few rows where state = 'queued'; media by (tenant_id, message_id).
REQUEUE_DELETED = text("""
    update media f set meta_id = '', uploaded_at = null, attempts = 0, next_attempt_at = :now
    from messages m
    where m.state = 'queued' and m.direction = 'outbound' and f.tenant_id = m.tenant_id and f.message_id = m.id
      and f.state = 'stored' and f.uploaded_at < :before
""")
