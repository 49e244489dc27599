"""Uploaded files end after a while; stored files that nothing shows any more are deleted."""

from __future__ import annotations

import structlog
from sqlalchemy import delete, select

from app.extensions import outside
from app.storage import StorageUnavailable
from app.tenancy import commit, db, job, later, platform_scope, sweep

from .deletions import FileDeletion, delete_unwanted
from .uploaded_files import UploadedFile

log = structlog.get_logger()

AT_ONCE = 50


@sweep(every=60)
def delete_expired_files() -> None:
    """First the bytes, then the row, so that a failure is retried."""
    with platform_scope("uploaded files that are over"):
        files = db.session.scalars(UploadedFile.expired().limit(AT_ONCE)).all()
        commit()
        try:
            for file in files:
                outside().storage.delete(file.storage_key)
                mine = (UploadedFile.tenant_id == file.tenant_id) & (UploadedFile.id == file.id)
                db.session.execute(delete(UploadedFile).where(mine))
                commit()
        except StorageUnavailable as problem:
            log.error("uploaded file not deleted", reason=str(problem))


@job("files.delete", "files", seconds=240)
def delete_files() -> None:
    delete_unwanted()


@sweep(every=60)
def enqueue_deletions() -> None:
    """Enqueues what Redis lost, and what the store has refused."""
    with platform_scope("stored files that are to be deleted"):
        for tenant_id in db.session.scalars(select(FileDeletion.tenant_id).distinct()):
            later("files.delete", tenant_id=tenant_id)
