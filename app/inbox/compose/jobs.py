"""Background jobs of the composer: forget old drafts, delete the files of canned replies that are gone."""

from __future__ import annotations

from sqlalchemy import delete, select

from app.inbox.files.deletions import delete_later
from app.tenancy import db, job, later, platform_scope, sweep

from .canned_files import CannedFile
from .drafts import Draft

AT_ONCE = 500


@sweep(every=3600)
def forget_old_drafts() -> None:
    """Deletes drafts that were not touched for `LIFETIME`."""
    with platform_scope("drafts that are too old"):
        Draft.forget_old()


@sweep(every=60)
def delete_orphaned_files() -> None:
    """The files of removed canned replies, by a job of each business: the store takes its time."""
    with platform_scope("files whose canned replies are gone"):
        orphans = select(CannedFile.tenant_id).where(CannedFile.canned_reply_id.is_(None)).distinct()
        for tenant_id in db.session.scalars(orphans):
            later("compose.forget_files", tenant_id=tenant_id)


@job("compose.forget_files", "files")
def forget_files() -> None:
    """The rows go with a note of their files, which are deleted after that."""
    orphans = select(CannedFile).where(CannedFile.canned_reply_id.is_(None)).order_by(CannedFile.created_at)
    files = db.session.scalars(orphans.limit(AT_ONCE)).all()
    delete_later(key for file in files for key in (file.storage_key, file.thumbnail_key))
    db.session.execute(delete(CannedFile).where(CannedFile.id.in_([file.id for file in files])))
    if len(files) == AT_ONCE:
        later("compose.forget_files")
