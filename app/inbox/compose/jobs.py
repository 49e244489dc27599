"""Background jobs of the composer: forget old drafts, delete the files of canned replies that are gone."""

from __future__ import annotations

import structlog
from sqlalchemy import delete, select

from app.extensions import outside
from app.storage import StorageUnavailable
from app.tenancy import commit, db, platform_scope, sweep

from .canned_files import CannedFile
from .drafts import Draft

log = structlog.get_logger()

AT_ONCE = 50


@sweep(every=3600)
def forget_old_drafts() -> None:
    """Deletes drafts that were not touched for `LIFETIME`."""
    with platform_scope("drafts that are too old"):
        Draft.forget_old()


@sweep(every=60)
def delete_orphaned_files() -> None:
    """Deletes the files of removed canned replies: first the bytes, then the row, so that a failure is retried."""
    orphans = select(CannedFile).where(CannedFile.canned_reply_id.is_(None)).order_by(CannedFile.created_at)
    with platform_scope("files whose canned replies are gone"):
        files = db.session.scalars(orphans.limit(AT_ONCE)).all()
        commit()
        try:
            for file in files:
                for key in filter(None, (file.storage_key, file.thumbnail_key)):
                    outside().storage.delete(key)
                mine = (CannedFile.tenant_id == file.tenant_id) & (CannedFile.id == file.id)
                db.session.execute(delete(CannedFile).where(mine))
                commit()
        except StorageUnavailable as problem:
            log.error("file of a canned reply not deleted", reason=str(problem))
