"""Uploaded files end after a while."""

from __future__ import annotations

import structlog
from sqlalchemy import delete

from app.extensions import outside
from app.storage import StorageAway
from app.tenancy import commit, db, platform_scope, sweep

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
        except StorageAway as problem:
            log.error("uploaded file not deleted", reason=str(problem))
