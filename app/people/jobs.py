"""Files that erased people got, and that more than their messages may show: deleted once nothing else does."""

from __future__ import annotations

import json

from sqlalchemy import cast, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from app.inbox.files.deletions import delete_later
from app.inbox.files.media import Media
from app.inbox.files.uploaded_files import UploadedFile
from app.message_templates.models import MessageTemplate
from app.message_templates.samples import TemplateSample
from app.message_templates.versions import TemplateVersion
from app.tenancy import current_tenant_id, db, first_id, job, later, platform_scope, sweep


@job("people.erase_files", seconds=240)
def erase_files() -> None:
    """Ends each that nothing shows any more; its bytes go with the commit."""
    marked = TemplateSample.erasure_at.is_not(None)
    for sample in db.session.scalars(select(TemplateSample).where(marked).with_for_update(skip_locked=True)):
        if is_shown(sample):
            sample.erasure_at = None
        else:
            delete_later([sample.storage_key])
            db.session.delete(sample)
    db.session.flush()
    marked = UploadedFile.erasure_at.is_not(None)
    for file in db.session.scalars(select(UploadedFile).where(marked).with_for_update(skip_locked=True)):
        file.erasure_at = None
        if not others_have(file):
            file.end()


@sweep(every=300)
def erase_remaining_files() -> None:
    with platform_scope("files of erased people"):
        for model in (TemplateSample, UploadedFile):
            for tenant_id in db.session.scalars(
                select(model.tenant_id).where(model.erasure_at.is_not(None)).distinct()
            ):
                later("people.erase_files", tenant_id=tenant_id)


def is_shown(sample: TemplateSample) -> bool:
    """Whether a template has it as its own, or a message of somebody else shows it."""
    named = {"id": str(sample.id)}
    for model in (MessageTemplate, TemplateVersion):
        has_it = func.jsonb_path_exists(model.components, cast(TEMPLATE, JSONPATH), cast(named, JSONB))
        if db.session.scalar(select(model.id).where(has_it).limit(1)):
            return True
    values = {"tenant": current_tenant_id(), "since": first_id(sample.created_at), "named": json.dumps(named)}
    return db.session.scalar(MESSAGE_WITH, values) is not None


def others_have(file: UploadedFile) -> bool:
    """Whether a message still has a copy, or a template: those of the erased person are gone."""
    copies = (
        select(Media.id).where(Media.id >= first_id(file.created_at), Media.sha256 == file.sha256),
        select(TemplateSample.id).where(TemplateSample.sha256 == file.sha256),
    )
    return any(db.session.scalar(copy.limit(1)) for copy in copies)


TEMPLATE = "lax $.**.sample ? (@ == $id)"
# Reads the messages since the file was stored, by their primary key; in a job, and only for files of erased people.
MESSAGE_WITH = text("""
    select m.id from messages m
    where m.tenant_id = :tenant and m.id >= :since and m.type = 'template'
      and jsonb_path_exists(m.content, 'lax $.raw.components.**.sample ? (@ == $id)', cast(:named as jsonb))
    limit 1
""")
