"""The files of messages: downloaded from Meta when the message arrives, and saved in our own storage."""

from __future__ import annotations

import datetime as dt
import json
import pathlib
import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text, update
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.errors import MetaError
from app.meta.media import KINDS, LIFETIME, UPLOAD_LIFETIME, File
from app.sniffing import readable_name
from app.tenancy import TenantModel, belongs_to, current_tenant_id, database_now, db, now, one_of, uuid7
from app.words import N_

from .waveform import path_of

STATES = ("waiting", "stored", "failed", "gone")
# Longer than a job may take (`SECONDS` of inbound/jobs.py and of uploads.py), so that a claim outlives its job.
LEASE = dt.timedelta(seconds=240)
RETRY_SECONDS = (5, 20, 60, 300, 900, 3600)
# Meta deletes uploads after 30 days; a day before, we upload again.
UPLOAD_LASTS = UPLOAD_LIFETIME - dt.timedelta(days=1)
# An id this new cannot have been deleted yet, so uploading again would not help.
UPLOAD_IS_NEW = dt.timedelta(minutes=10)

WAVEFORM_HEIGHT = 32
# Browsers cannot play these.
UNPLAYABLE = ("audio/amr", "video/3gpp")

EXPIRED = N_("WhatsApp keeps files for 7 days, and this one wasn't downloaded in time.")
NOT_GIVEN = N_("WhatsApp didn't send the address of this file.")


class Media(TenantModel):
    """The file of one message. `mime` is the type its sender gave, `content_type` the one its first bytes proved.

    A file of ours is stored first and then uploaded: `next_attempt_at` is when, until `meta_id` is its id at Meta.
    """

    __tablename__ = "media"
    __table_args__ = (
        belongs_to("messages", "message_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "message_id"),
        one_of("kind", KINDS),
        one_of("state", STATES),
        Index("ix_media_waiting", "next_attempt_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_media_to_upload", "next_attempt_at", postgresql_where=text("state = 'stored'")),
    )

    message_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    is_voice: Mapped[bool] = mapped_column(default=False)
    mime: Mapped[str] = mapped_column(default="")
    filename: Mapped[str] = mapped_column(default="")
    sha256: Mapped[str] = mapped_column(default="")
    meta_id: Mapped[str] = mapped_column(default="")
    size: Mapped[int | None]
    content_type: Mapped[str] = mapped_column(default="")
    width: Mapped[int | None]
    height: Mapped[int | None]
    storage_key: Mapped[str | None]
    thumbnail_key: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[dt.datetime | None]
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    uploaded_at: Mapped[dt.datetime | None]
    seconds: Mapped[int | None]
    # The loudness of each part of a sound, drawn once it is stored.
    waveform: Mapped[bytes | None]

    @classmethod
    def claim(cls, id: str) -> Media | None:
        """Returns the file if its download is due and not claimed. The claim lasts for LEASE."""
        due = (cls.id == id) & (cls.state == "waiting") & (cls.next_attempt_at <= database_now())
        claim = {"attempts": cls.attempts + 1, "next_attempt_at": database_now() + LEASE}
        return db.session.scalar(update(cls).where(due).values(claim).returning(cls))

    @classmethod
    def claim_upload(cls, id: str) -> Media | None:
        """Returns the file if its upload is due and not claimed. The claim lasts for LEASE."""
        due = (cls.id == id) & (cls.state == "stored") & (cls.next_attempt_at <= database_now())
        claim = {"attempts": cls.attempts + 1, "next_attempt_at": database_now() + LEASE}
        return db.session.scalar(update(cls).where(due).values(claim).returning(cls))

    @property
    def is_to_upload(self) -> bool:
        return self.is_stored and self.next_attempt_at is not None

    def mark_uploaded(self, meta_id: str) -> None:
        self.meta_id, self.uploaded_at, self.error, self.next_attempt_at = meta_id, now(), None, None

    def upload_later(self, error: MetaError, seconds: int) -> None:
        self.error, self.next_attempt_at = error.as_dict(), now() + dt.timedelta(seconds=seconds)

    def upload_again(self) -> bool:
        """Queues the upload again, as Meta may have deleted the file. Returns whether that can help."""
        if not self.is_stored or (self.uploaded_at and self.uploaded_at > now() - UPLOAD_IS_NEW):
            return False
        self.meta_id, self.uploaded_at, self.attempts, self.next_attempt_at = "", None, 0, now()
        return True

    @property
    def is_stored(self) -> bool:
        return self.state == "stored"

    @property
    def shown_as(self) -> str:
        """How a page shows it: `image`, `video` or `audio` where its bytes proved that, else `file` to download."""
        what = self.content_type.partition("/")[0]
        if not self.is_stored or (what == "image" and not self.thumbnail_key) or self.content_type in UNPLAYABLE:
            return "file"
        return what if what in ("image", "video", "audio") and self.kind != "document" else "file"

    @property
    def is_late(self) -> bool:
        """Whether Meta has certainly deleted it."""
        return now() - self.created_at > LIFETIME

    @property
    def duration(self) -> str:
        """Minutes and seconds: 1:05."""
        return f"{self.seconds // 60}:{self.seconds % 60:02}" if self.seconds else ""

    @property
    def waveform_path(self) -> str:
        """The waveform as the path of an SVG of WAVEFORM_HEIGHT; "" where there is none."""
        return path_of(self.waveform, WAVEFORM_HEIGHT) if self.waveform else ""

    @property
    def extension(self) -> str:
        """The extension in capitals: PDF, DOCX."""
        return pathlib.PurePosixPath(self.filename).suffix[1:6].upper()

    @property
    def shown_size(self) -> tuple[int, int] | None:
        """Width and height of the thumbnail in pixels, so that the page does not jump while it loads."""
        if not (self.width and self.height):
            return None
        scale = min(1, 320 / self.width, 320 / self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))

    def store(self, key: str, *, size: int, content_type: str) -> None:
        self.state, self.storage_key, self.size, self.content_type = "stored", key, size, content_type
        self.error, self.next_attempt_at = None, None

    def refuse(self, error: MetaError, *, is_gone: bool) -> None:
        """Ends the download: Meta refused it, permanently (`is_gone`) or until a person retries it."""
        self.state = "gone" if is_gone else "failed"
        details = error.as_dict()
        self.error = details | {"title": EXPIRED} if is_gone and self.is_late else details
        self.next_attempt_at = None

    def wait(self, words: str) -> None:
        """Retries the download later, with `words` as the reason, until Meta has deleted the file."""
        pause = RETRY_SECONDS[min(self.attempts, len(RETRY_SECONDS)) - 1]
        self.error, self.next_attempt_at = {"title": words}, now() + dt.timedelta(seconds=pause)
        if self.is_late:
            self.state, self.error, self.next_attempt_at = "gone", {"title": EXPIRED}, None

    def give_up(self, words: str) -> None:
        self.state, self.error, self.next_attempt_at = "failed", {"title": words}, None

    def retry(self) -> bool:
        """Makes the download due now, for a person who asked. Returns whether that can help."""
        if self.state not in ("failed", "waiting"):
            return False
        self.state, self.attempts, self.next_attempt_at = "waiting", 0, now()
        return True


def file_row(message_id: str, kind: str, content: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the row (of NEW_MEDIA) for the file of a message, or None where it has no file."""
    file = File.carried_by(kind, content)
    if file is None:
        return None
    return {
        "id": str(uuid7()),
        "message_id": message_id,
        "kind": kind,
        "is_voice": file.is_voice,
        "mime": file.mime_type,
        "filename": readable_name(file.name),
        "sha256": file.sha256,
        "meta_id": file.id or "",
        "state": "waiting" if file.id else "failed",
        "error": None if file.id else {"title": NOT_GIVEN},
    }


def save_files(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Inserts the files of new messages. Returns the ids of those to download."""
    if not (new := list(rows)):
        return []
    db.session.execute(NEW_MEDIA, {"rows": json.dumps(new), "tenant": current_tenant_id(), "now": database_now()})
    return [row["id"] for row in new if row["state"] == "waiting"]


# Inserts the files of new messages; one of a known message stays as it is (unique: tenant_id, message_id). Due at once
# where the state is `waiting`; null where WhatsApp gave no id to download it by.
NEW_MEDIA = text("""
    insert into media (tenant_id, id, message_id, kind, is_voice, mime, filename, sha256, meta_id, state, error,
                       attempts, content_type, next_attempt_at, created_at)
    select :tenant, id, message_id, kind, is_voice, mime, filename, sha256, meta_id, state, error, 0, '',
           case when state = 'waiting' then cast(:now as timestamptz) end, :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, message_id uuid, kind text, is_voice boolean, mime text, filename text, sha256 text, meta_id text,
        state text, error jsonb)
    on conflict (tenant_id, message_id) do nothing
""")
