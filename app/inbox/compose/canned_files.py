"""The file that a canned reply carries: kept in our own store, and sent as a copy each time."""

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
from app.storage import NotKept
from app.tenancy import Membership, TenantModel, belongs_to, db, now, of_tenant, one_of
from app.words import N_

from .canned_replies import CannedReply

GONE = N_("The file of this canned reply was removed meanwhile. Take it out, then send again.")


class CannedFile(TenantModel):
    """Whose reply is gone goes too: the row stays until its bytes have left the store (`desk_jobs`)."""

    __table_args__ = (
        of_tenant(),
        belongs_to("canned_replies", "canned_reply_id", ondelete="SET NULL (canned_reply_id)"),
        UniqueConstraint("tenant_id", "canned_reply_id"),
        one_of("kind", KINDS),
        Index("ix_canned_files_left", "created_at", postgresql_where=text("canned_reply_id is null")),
    )

    canned_reply_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    filename: Mapped[str]
    # What it proved to be, whatever its name says.
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    storage_key: Mapped[str]
    thumbnail_key: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def store(cls, attachment: Attachment) -> Self:
        """Raises `StorageAway`."""
        file = cls(kind=attachment.kind, filename=attachment.name, content_type=attachment.content_type)
        file.size, file.sha256 = attachment.size, attachment.sha256
        file.storage_key = attachment.stored()
        thumbnail = attachment.thumbnail()
        file.thumbnail_key = stored(io.BytesIO(thumbnail.data)) if thumbnail else None
        return file

    @classmethod
    def for_member(cls, id: object, member: Membership) -> Self | None:
        """The file, if its reply may be used by this member."""
        replies = CannedReply.for_member(member).order_by(None).with_only_columns(CannedReply.id)
        found = cls.find(id)
        mine = found and db.session.scalar(replies.where(CannedReply.id == found.canned_reply_id))
        return found if mine else None

    @classmethod
    def of(cls, reply: CannedReply) -> Self | None:
        return db.session.scalar(select(cls).where(cls.canned_reply_id == reply.id))

    @classmethod
    def by_reply(cls, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID | None, Self]:
        files = db.session.scalars(select(cls).where(cls.canned_reply_id.in_(list(ids))))
        return {file.canned_reply_id: file for file in files}

    def belong_to(self, reply: CannedReply) -> None:
        self.canned_reply_id = reply.id
        db.session.add(self)

    def leave(self) -> None:
        """Another file takes its place, or none."""
        self.canned_reply_id = None
        db.session.flush()

    @classmethod
    def copy_for(cls, member: Membership, id: object) -> Attachment:
        """Raises `Refused`, `StorageAway`."""
        if (file := cls.for_member(id, member)) is None:
            raise Refused(GONE)
        return file.attach()

    def attach(self) -> Attachment:
        """A copy of it, on its way into a message. Raises `Refused`, `StorageAway`."""
        copy = tempfile.TemporaryFile()  # noqa: SIM115  closed when it has been sent (`Writing`)
        try:
            for chunk in outside().storage.stream(self.storage_key):
                copy.write(chunk)
        except NotKept:
            raise Refused(GONE) from None
        copy.seek(0)
        return Attachment.of(copy, self.filename)
