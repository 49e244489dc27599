"""Uploaded files end after a while; stored files that nothing shows any more are deleted."""

from __future__ import annotations

from sqlalchemy import delete, select

from app.tenancy import db, job, later, now, platform_scope, sweep

from .deletions import FileDeletion, delete_later, delete_unwanted
from .uploaded_files import UploadedFile

AT_ONCE = 500


@sweep(every=60)
def delete_expired_files() -> None:
    """By a job of each business: the store takes its time, and a business may have a hundred thousand."""
    with platform_scope("uploaded files that are over"):
        over = select(UploadedFile.tenant_id).where(UploadedFile.expires_at <= now()).distinct()
        for tenant_id in db.session.scalars(over):
            later("files.forget_uploads", tenant_id=tenant_id)


@job("files.forget_uploads", "files")
def forget_uploads() -> None:
    """The rows go with a note of their files, which are deleted after that."""
    files = db.session.scalars(UploadedFile.expired().limit(AT_ONCE)).all()
    delete_later(file.storage_key for file in files)
    db.session.execute(delete(UploadedFile).where(UploadedFile.id.in_([file.id for file in files])))
    if len(files) == AT_ONCE:
        later("files.forget_uploads")


@job("files.delete", "files", seconds=240)
def delete_files() -> None:
    delete_unwanted()


@sweep(every=60)
def enqueue_deletions() -> None:
    """Enqueues what Redis lost, and what the store has refused."""
    with platform_scope("stored files that are to be deleted"):
        for tenant_id in db.session.scalars(select(FileDeletion.tenant_id).distinct()):
            later("files.delete", tenant_id=tenant_id)
