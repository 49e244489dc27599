"""Files an agent wants to send: what they are, whether WhatsApp takes them, and a copy in our own store."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from app import storage as stores
from app.extensions import outside
from app.meta import outgoing
from app.meta.outgoing import Outgoing, Refused
from app.sniffing import HEAD, OLE, PDF, UNKNOWN, ZIP, has_sound_only, is_text, readable_name, sniff
from app.tenancy import current_tenant_id
from app.words import N_

from .media import Media
from .refusals import NOT_OPUS, why_not
from .thumbnails import Thumbnail, make_thumbnail
from .voice import VoiceNote, make_voice_note

CHUNK = 64 * 1024
LARGEST = max(outgoing.LARGEST.values())
PICTURES = ("image/",)

NO_RECORDING = N_("This recording cannot be turned into a voice note. Record it again.")


@dataclass(slots=True)
class Attachment:
    """A file, checked against WhatsApp's limits."""

    file: IO[bytes]
    name: str
    kind: str
    mime: str
    content_type: str
    size: int
    sha256: str
    seconds: int | None = None

    @classmethod
    def of(cls, source: IO[bytes], name: str) -> Attachment:
        """Raises `Refused` where WhatsApp would not take it."""
        name = readable_name(name) or "file"
        head = source.read(4096)
        content_type = sniff(head[:HEAD], "")
        if content_type in ("video/mp4", "video/3gpp") and has_sound_only(source):
            content_type = "audio/mp4"
        mime = mime_of(head, content_type, name)
        kind = outgoing.kind_of(mime)
        size, digest = measured(source)
        if not size:
            outgoing.check_size("document", size, name)
        if kind is None:
            raise Refused(why_not(head, name), name=name)
        if content_type == "audio/ogg" and not is_mono_opus(head):
            raise Refused(NOT_OPUS, name=name)
        outgoing.check_size(kind, size, name, moves=b"ANIM" in head)
        return cls(source, name, kind, mime, content_type, size, digest)

    @classmethod
    def of_recording(cls, source: IO[bytes]) -> Attachment:
        """A voice note, of whatever the browser recorded."""
        outgoing.check_size("audio", measured(source)[0], "voice")
        with copied(source) as recording:
            note = make_voice_note(recording)
        if note is None:
            raise Refused(NO_RECORDING)
        return cls.of_note(note)

    @classmethod
    def of_note(cls, note: VoiceNote) -> Attachment:
        file = io.BytesIO(note.data)
        size, digest = measured(file)
        outgoing.check_size("audio", size, "voice")
        return cls(file, "", "audio", "audio/ogg", "audio/ogg", size, digest, note.seconds)

    @property
    def is_voice(self) -> bool:
        return self.seconds is not None

    def message(self, caption: str) -> Outgoing:
        return outgoing.file(self.kind, caption, self.name, voice=self.is_voice)

    def row(self, *, is_stored: bool) -> Media:
        """The media row for it, added with the message. `is_stored`: of an earlier try; the file isn't stored again."""
        media = Media(kind=self.kind, is_voice=self.is_voice, mime=self.mime, filename=self.name, sha256=self.sha256)
        media.seconds, media.meta_id = self.seconds, ""
        if not is_stored:
            self.save(media)
        return media

    def save(self, media: Media) -> None:
        media.store(self.stored(), size=self.size, content_type=self.content_type)
        if thumbnail := self.thumbnail():
            media.width, media.height = thumbnail.width, thumbnail.height
            media.thumbnail_key = stored(io.BytesIO(thumbnail.data))

    def stored(self) -> str:
        """The key of a copy in our own store. Raises `StorageUnavailable`."""
        key = stores.new_key(current_tenant_id())
        self.put(key)
        return key

    def put(self, key: str) -> None:
        """Stores a copy under this key. Raises `StorageUnavailable`."""
        self.file.seek(0)
        outside().storage.put(key, cast("BinaryIO", self.file))

    def thumbnail(self) -> Thumbnail | None:
        if not self.content_type.startswith(PICTURES):
            return None
        with copied(self.file) as picture:
            return make_thumbnail(picture)


def stored(file: BinaryIO) -> str:
    key = stores.new_key(current_tenant_id())
    outside().storage.put(key, file)
    return key


@contextlib.contextmanager
def copied(source: IO[bytes]) -> Iterator[BinaryIO]:
    """A file of the system, which another program can be given. An upload may be in memory only."""
    source.seek(0)
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(source, file, CHUNK)
        file.seek(0)
        yield file


def measured(file: IO[bytes]) -> tuple[int, str]:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    return file.seek(0, io.SEEK_END), digest


def mime_of(head: bytes, content_type: str, name: str) -> str:
    """The MIME type for Meta. For office files and texts it follows the name, if the content matches."""
    named = outgoing.EXTENSIONS.get(name.rpartition(".")[2].lower(), UNKNOWN)
    if content_type == "application/pdf" and named == "text/plain" and not head.startswith(PDF) and is_text(head):
        # A text that speaks of PDF files.
        return named
    if content_type != UNKNOWN or named == UNKNOWN:
        return content_type
    if named == "text/plain":
        return named if is_text(head) else UNKNOWN
    # One with a password is in the older container, whatever its name.
    shells = (ZIP, OLE) if "openxml" in named else (OLE,)
    return named if head.startswith(shells) else UNKNOWN


def is_mono_opus(head: bytes) -> bool:
    at = head.find(b"OpusHead")
    return at >= 0 and head[at + 9 : at + 10] == b"\x01"
