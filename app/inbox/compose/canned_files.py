"""The files of canned replies: stored once, and sent as a copy each time."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
import uuid
from collections.abc import Iterable
from typing import Self

from sqlalchemy import Index, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import outside
from app.inbox.files.attachments import Attachment, stored
from app.meta.media import KINDS
from app.meta.outgoing import Refused
from app.storage import NotStored
from app.tenancy import Membership, TenantModel, belongs_to, commit, db, now, of_tenant, one_of
from app.words import N_

from .canned_replies import CannedReply

GONE = N_("The file of this canned reply was removed. Remove it from your message, then send again.")


class CannedFile(TenantModel):
    """The file of a reply, if there is one. A row without a reply stays until its bytes are deleted (jobs.py)."""

    __table_args__ = (
        of_tenant(),
        belongs_to("canned_replies", "canned_reply_id", nulled=True),
        UniqueConstraint("tenant_id", "canned_reply_id"),
        one_of("kind", KINDS),
        Index("ix_canned_files_left", "created_at", postgresql_where=text("canned_reply_id is null")),
    )

    canned_reply_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    filename: Mapped[str]
    # What its first bytes prove, whatever its name says.
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    storage_key: Mapped[str]
    thumbnail_key: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def store(cls, attachment: Attachment) -> Self:
        """Stores an attachment and its thumbnail; commits before, as that is slow. Raises `StorageUnavailable`."""
        commit()
        file = cls(kind=attachment.kind, filename=attachment.name, content_type=attachment.content_type)
        file.size, file.sha256 = attachment.size, attachment.sha256
        file.storage_key = attachment.stored()
        thumbnail = attachment.thumbnail()
        file.thumbnail_key = stored(io.BytesIO(thumbnail.data)) if thumbnail else None
        return file

    @classmethod
    def for_member(cls, id: object, member: Membership) -> Self | None:
        """The file with this id, if this member may use its reply."""
        replies = CannedReply.for_member(member).order_by(None).with_only_columns(CannedReply.id)
        file = cls.find(id)
        is_usable = file and db.session.scalar(replies.where(CannedReply.id == file.canned_reply_id))
        return file if is_usable else None

    @classmethod
    def of_reply(cls, reply: CannedReply) -> Self | None:
        return db.session.scalar(select(cls).where(cls.canned_reply_id == reply.id))

    @classmethod
    def by_reply(cls, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID | None, Self]:
        files = db.session.scalars(select(cls).where(cls.canned_reply_id.in_(list(ids))))
        return {file.canned_reply_id: file for file in files}

    def attach_to(self, reply: CannedReply) -> None:
        """Makes it the file of a reply."""
        self.canned_reply_id = reply.id
        db.session.add(self)

    def orphan(self) -> None:
        """Takes it from its reply; a job deletes it."""
        self.canned_reply_id = None
        db.session.flush()

    @classmethod
    def copy_for(cls, member: Membership, id: object) -> Attachment:
        """A copy of the file, if this member may use its reply. Raises `Refused`, `StorageUnavailable`."""
        if (file := cls.for_member(id, member)) is None:
            raise Refused(GONE)
        return file.copy()

    def copy(self) -> Attachment:
        """A copy to send with a message; commits before, as that is slow. Raises `Refused`, `StorageUnavailable`."""
        commit()
        copy = tempfile.TemporaryFile()  # noqa: SIM115  closed by `Writing`
        try:
            for chunk in outside().storage.stream(self.storage_key):
                copy.write(chunk)
        except NotStored:
            raise Refused(GONE) from None
        copy.seek(0)
        return Attachment.of(copy, self.filename)
