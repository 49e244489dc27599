"""Background jobs of the composer: forget old drafts, delete the files of canned replies that are gone."""

from __future__ import annotations

import structlog
from sqlalchemy import delete, select

from app.extensions import outside
from app.storage import StorageAway
from app.tenancy import commit, db, platform_scope, sweep

from .canned_files import CannedFile
from .drafts import Draft

log = structlog.get_logger()

AT_ONCE = 50


@sweep(every=3600)
def forget_old_drafts() -> None:
    with platform_scope("drafts that nobody came back to"):
        Draft.forget_old()


@sweep(every=60)
def throw_left_files_away() -> None:
    """First the bytes, then the row: what cannot be deleted now is tried again."""
    left = select(CannedFile).where(CannedFile.canned_reply_id.is_(None)).order_by(CannedFile.created_at)
    with platform_scope("files whose canned replies are gone"):
        files = db.session.scalars(left.limit(AT_ONCE)).all()
        commit()
        try:
            for file in files:
                for key in filter(None, (file.storage_key, file.thumbnail_key)):
                    outside().storage.delete(key)
                mine = (CannedFile.tenant_id == file.tenant_id) & (CannedFile.id == file.id)
                db.session.execute(delete(CannedFile).where(mine))
                commit()
        except StorageAway as problem:
            log.error("file of a canned reply not deleted", reason=str(problem))
