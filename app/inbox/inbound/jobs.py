"""Fetching the files that customers send, from Meta into our own store."""

from __future__ import annotations

import hashlib
import io
import tempfile
from typing import BinaryIO

import structlog
from sqlalchemy import select

from app import storage as stores
from app.extensions import outside
from app.inbox.conversations import Message
from app.inbox.files.media import Media
from app.inbox.files.thumbnails import make_thumbnail
from app.meta.errors import FileGone, Kind, MetaError
from app.meta.media import LARGEST, Location, is_digest, locate
from app.sniffing import HEAD, sniff
from app.tenancy import (
    announce,
    commit,
    current_tenant_id,
    database_now,
    db,
    in_turn,
    job,
    later,
    platform_scope,
    sweep,
)
from app.wabas.models import PhoneNumber
from app.words import N_

from . import sounds

log = structlog.get_logger()

SECONDS = 200
DOWNLOAD_SECONDS = 120
# A file that differs from its checksum may have been cut on the way; after so many tries it was not.
WRONG_TRIES = 3
PICTURES = ("image/",)
AT_ONCE = 500

NO_PLACE = N_("The file couldn't be stored. We'll retry automatically.")
NOT_REACHED = N_("WhatsApp couldn't be reached. We'll retry automatically.")
NO_ACCESS = N_("WhatsApp doesn't allow access at the moment. We'll retry automatically.")
DIFFERENT = N_("The file arrived damaged: its checksum doesn't match. Ask the customer to send it again.")


class Different(Exception):
    """The file is not the one that was announced."""


@job("inbound.fetch_media", "files", seconds=SECONDS)
def fetch(media_id: str) -> None:
    """Downloads a file and stores it. If the worker dies, the claim expires and another starts again."""
    media = Media.claim(media_id)
    if media is None:
        return
    message = db.session.get_one(Message, (media.tenant_id, media.message_id))
    number = db.session.get_one(PhoneNumber, (media.tenant_id, message.phone_number_id))
    Fetching(media, number).run()
    announce("conversation", message.conversation_id)


@job("inbound.draw_sound", "files", seconds=SECONDS)
def draw_sound(media_id: str) -> None:
    sounds.draw(Media.get_or_404(media_id))


class Fetching:
    """One try at getting a file."""

    def __init__(self, media: Media, number: PhoneNumber) -> None:
        self.id, self.attempt, self.kind = media.id, media.attempts, media.kind
        self.meta_id, self.announced = media.meta_id, media.sha256
        self.number, self.token = number, number.waba.token
        self.graph, self.storage = outside().graph, outside().storage

    def run(self) -> None:
        commit()
        try:
            with tempfile.TemporaryFile() as file:
                self.download(file)
                self.save(file)
        except MetaError as error:
            self.settle_refusal(error)
        except Different:
            self.settle_difference()
        except (OSError, stores.StorageUnavailable) as error:
            log.warning("file not stored", media_id=str(self.id), error=str(error))
            if media := self.mine():
                media.wait(NO_PLACE)

    def download(self, file: BinaryIO) -> None:
        location = locate(self.graph, self.token, self.meta_id, self.number.meta_id)
        self.graph.download(location.url, file, token=self.token, limit=LARGEST, seconds=DOWNLOAD_SECONDS)
        self.check(file, location)

    def check(self, file: BinaryIO, location: Location) -> None:
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
        expected = self.announced or location.sha256
        if expected and not is_digest(expected, digest.digest()):
            raise Different
        self.digest = digest.hexdigest()

    def save(self, file: BinaryIO) -> None:
        """Stores the file, then writes the row; deletes the file if the row no longer expects it."""
        file.seek(0)
        content_type = sniff(file.read(HEAD), self.kind)
        size = file.seek(0, io.SEEK_END)
        key = stores.new_key(current_tenant_id())
        file.seek(0)
        self.storage.put(key, file)
        file.seek(0)
        thumbnail = make_thumbnail(file) if content_type.startswith(PICTURES) else None
        thumbnail_key = None
        if thumbnail:
            thumbnail_key = stores.new_key(current_tenant_id())
            self.storage.put(thumbnail_key, io.BytesIO(thumbnail.data))
        media = self.mine()
        if media is None:
            commit()
            for unwanted in filter(None, (key, thumbnail_key)):
                self.storage.delete(unwanted)
            return
        media.store(key, size=size, content_type=content_type)
        media.sha256, media.thumbnail_key = self.digest, thumbnail_key
        if thumbnail:
            media.width, media.height = thumbnail.width, thumbnail.height
        if media.shown_as == "audio":
            later("inbound.draw_sound", media.id)

    def settle_refusal(self, error: MetaError) -> None:
        log.info("file not fetched", media_id=str(self.id), meta_code=error.code, kind=error.kind)
        if error.kind is Kind.PAUSE_NUMBER:
            db.session.get_one(PhoneNumber, (self.number.tenant_id, self.number.id)).pause(error.title, error.fix)
        if (media := self.mine()) is None:
            return
        if isinstance(error, FileGone):
            media.refuse(error, is_gone=True)
        elif error.kind in (Kind.FINAL, Kind.HUMAN):
            media.refuse(error, is_gone=False)
        else:
            media.wait(NO_ACCESS if error.kind is Kind.PAUSE_NUMBER else NOT_REACHED)

    def settle_difference(self) -> None:
        log.warning("file differs from its checksum", media_id=str(self.id))
        if media := self.mine():
            if self.attempt < WRONG_TRIES:
                media.wait(DIFFERENT)
            else:
                media.give_up(DIFFERENT)

    def mine(self) -> Media | None:
        """The row, locked, unless somebody else has taken it over meanwhile."""
        media = Media.find(self.id)
        media = media and media.refresh_locked()
        is_mine = media and media.state == "waiting" and media.attempts == self.attempt
        return media if is_mine else None


@sweep(every=5)
def recover_waiting_files() -> None:
    with platform_scope("files waiting to be fetched"):
        due = (Media.state == "waiting") & (Media.next_attempt_at <= database_now())
        waiting = in_turn(select(Media.tenant_id, Media.id).where(due), Media.next_attempt_at, AT_ONCE)
        for tenant_id, media_id in db.session.execute(waiting):
            later("inbound.fetch_media", media_id, tenant_id=tenant_id)
