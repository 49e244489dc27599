"""Files that programs upload, to send them in messages. Each message gets a copy of its own."""

from __future__ import annotations

import datetime as dt
import tempfile
import uuid
from typing import Self

from sqlalchemy import Index, Select, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app import storage as stores
from app.extensions import outside
from app.meta.media import KINDS
from app.meta.outgoing import Refused
from app.storage import NotStored, StorageUnavailable
from app.tenancy import TenantModel, belongs_to, commit, current_tenant_id, db, now, of_tenant, one_of
from app.words import N_

from .attachments import Attachment

LASTS = dt.timedelta(days=30)
# One that has not arrived by then never will: its process died.
ARRIVES_WITHIN = dt.timedelta(hours=1)
MOST_FILES, MOST_BYTES = 1_000, 1024 * 1024 * 1024
NOT_OPUS = N_("“{name}” can't be a voice note: that has to be an OGG file with Opus sound in one channel.")


class NoRoom(ValueError):
    """The business has as many uploaded files as it may."""


class UploadedFile(TenantModel):
    """One file. Its row is there before its bytes (`stored_at` is null until then) and goes after them (jobs.py)."""

    __table_args__ = (
        of_tenant(),
        belongs_to("teams", "team_id", nulled=True),
        one_of("kind", KINDS),
        Index("ix_uploaded_files_expires_at", "expires_at"),
        Index("ix_uploaded_files_erasure_at", "erasure_at", postgresql_where=text("erasure_at is not null")),
    )

    # The team of the key that uploaded it, of which only that team's keys see it.
    team_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    mime: Mapped[str]
    filename: Mapped[str]
    # What its first bytes prove, whatever its name says.
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    storage_key: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    stored_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime]
    # When somebody was erased who got a copy: then it ends too, unless others have one (`app/people/jobs.py`).
    erasure_at: Mapped[dt.datetime | None]

    @classmethod
    def store(cls, attachment: Attachment, *, team_id: uuid.UUID | None) -> Self:
        """Stores an attachment; commits before, as that takes a while. Raises `NoRoom`, `StorageUnavailable`."""
        file = cls.reserve(attachment, team_id=team_id)
        commit()
        try:
            attachment.put(file.storage_key)
        except StorageUnavailable:
            file.expires_at = now()
            commit()
            raise
        file.stored_at, file.expires_at = now(), now() + LASTS
        return file

    @classmethod
    def reserve(cls, attachment: Attachment, *, team_id: uuid.UUID | None) -> Self:
        """Its row, so that whatever happens meanwhile its bytes are found and deleted. Raises `NoRoom`."""
        db.session.execute(LOCK, {"tenant": str(current_tenant_id())})
        held = select(func.count(), func.coalesce(func.sum(cls.size), 0)).where(cls.expires_at > now())
        count, size = db.session.execute(held).one()
        if count >= MOST_FILES or size + attachment.size > MOST_BYTES:
            raise NoRoom
        file = cls(team_id=team_id, kind=attachment.kind, mime=attachment.mime, filename=attachment.name)
        file.content_type, file.size, file.sha256 = attachment.content_type, attachment.size, attachment.sha256
        file.storage_key, file.expires_at = stores.new_key(current_tenant_id()), now() + ARRIVES_WITHIN
        db.session.add(file)
        db.session.flush()
        return file

    @classmethod
    def usable(cls) -> Select[Self]:
        """Those that have arrived and are not over."""
        return select(cls).where(cls.stored_at.is_not(None), cls.expires_at > now())

    @classmethod
    def expired(cls) -> Select[Self]:
        return select(cls).where(cls.expires_at <= now()).order_by(cls.expires_at)

    def end(self) -> None:
        """Expires it now, so it is not shown any more; a job deletes it."""
        self.expires_at = now()

    def check_voice(self) -> None:
        """Raises `Refused` where WhatsApp would not take it as a voice note."""
        if self.content_type != "audio/ogg":
            raise Refused(NOT_OPUS, name=self.filename)

    def copy(self) -> Attachment:
        """A copy to send with a message; commits before, as that is slow. Raises `NotStored`, `StorageUnavailable`."""
        commit()
        copy = tempfile.TemporaryFile()  # noqa: SIM115  closed by whoever sends it
        try:
            for chunk in outside().storage.stream(self.storage_key):
                copy.write(chunk)
        except (NotStored, StorageUnavailable):
            copy.close()
            raise
        return Attachment(copy, self.filename, self.kind, self.mime, self.content_type, self.size, self.sha256)


# Two who upload at once would each see room for one more.
LOCK = text("select pg_advisory_xact_lock(hashtextextended('uploaded files', 0) # hashtextextended(:tenant, 0))")
