"""The pictures and videos of templates at Meta: uploaded once for each number, for all messages that show them."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable
from typing import Any, Self

import structlog
from sqlalchemy import Index, Row, UniqueConstraint, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.inbox.conversations.statuses import record_progress, show_ticks
from app.inbox.files.media import LEASE, UPLOAD_IS_NEW, UPLOAD_LASTS
from app.message_templates.samples import TemplateSample
from app.meta.errors import Kind, MetaError
from app.meta.template_sending import samples_in
from app.tenancy import (
    TenantModel,
    announce,
    belongs_to,
    commit,
    current_tenant_id,
    database_now,
    db,
    later,
    now,
    uuid7,
)
from app.wabas.models import PhoneNumber
from app.words import N_

from .uploads import PAUSED_SECONDS, RETRY_SECONDS, upload_stored

log = structlog.get_logger()

# A message whose file isn't at Meta yet is claimed again after this long, or as soon as it is there.
WAIT = dt.timedelta(seconds=15)
WAITING = {
    "title": N_("A picture or video of the template is being uploaded to WhatsApp."),
    "fix": N_("No action needed. The message goes out by itself."),
}


class SampleUpload(TenantModel):
    """One sample as a file of one number's messages. `next_attempt_at` is when it is uploaded, until it has `meta_id`.

    Meta deletes it after 30 days; before that it is uploaded again for the next message.
    """

    __table_args__ = (
        belongs_to("template_samples", "sample_id", ondelete="CASCADE"),
        belongs_to("phone_numbers", "phone_number_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "sample_id", "phone_number_id"),
        Index("ix_sample_uploads_due", "next_attempt_at", postgresql_where=text("next_attempt_at is not null")),
    )

    sample_id: Mapped[uuid.UUID]
    phone_number_id: Mapped[uuid.UUID]
    meta_id: Mapped[str] = mapped_column(default="", server_default="")
    uploaded_at: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    next_attempt_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def ready(cls, number_id: uuid.UUID, sample_ids: Iterable[str]) -> dict[str, str]:
        """Meta's ids of those that are there; the uploads of the others are begun."""
        wanted = sorted(set(sample_ids))
        uploads_there = cls.of(number_id, wanted)
        if missing := [id for id in wanted if id not in uploads_there]:
            same = {"tenant_id": current_tenant_id(), "phone_number_id": number_id, "created_at": now()}
            rows = [same | {"id": uuid7(), "sample_id": uuid.UUID(id)} for id in missing]
            db.session.execute(insert(cls).on_conflict_do_nothing(), rows)
            uploads_there = cls.of(number_id, wanted)
        for upload in uploads_there.values():
            if not upload.is_ready and upload.next_attempt_at is None:
                upload.begin()
        return {id: upload.meta_id for id, upload in uploads_there.items() if upload.is_ready}

    @classmethod
    def of(cls, number_id: uuid.UUID, sample_ids: Iterable[str]) -> dict[str, Self]:
        mine = cls.phone_number_id == number_id, cls.sample_id.in_([uuid.UUID(id) for id in sample_ids])
        return {str(one.sample_id): one for one in db.session.scalars(select(cls).where(*mine))}

    @classmethod
    def upload_again(cls, number_id: uuid.UUID, sample_ids: Iterable[str]) -> bool:
        """Begins anew with those that Meta may have deleted. Returns whether that can help."""
        before = now() - UPLOAD_IS_NEW
        old = [one for one in cls.of(number_id, sample_ids).values() if one.uploaded_at and one.uploaded_at < before]
        for upload in old:
            upload.begin()
        return bool(old)

    @classmethod
    def claim(cls, id: str) -> Self | None:
        """Returns it if its upload is due and not claimed. The claim lasts for LEASE."""
        due = (cls.id == id) & (cls.next_attempt_at <= database_now())
        claim = {"attempts": cls.attempts + 1, "next_attempt_at": database_now() + LEASE}
        return db.session.scalar(update(cls).where(due).values(claim).returning(cls))

    @property
    def is_ready(self) -> bool:
        return bool(self.meta_id and self.uploaded_at and self.uploaded_at > now() - UPLOAD_LASTS)

    def begin(self) -> None:
        self.meta_id, self.uploaded_at, self.attempts, self.next_attempt_at = "", None, 0, now()
        later("outbound.upload_sample", self.id)

    def run(self) -> None:
        """Uploads it. Messages that wait for it go out then, or fail where it can't be uploaded."""
        sample = TemplateSample.get_or_404(self.sample_id)
        number, attempt = PhoneNumber.get_or_404(self.phone_number_id), self.attempts
        token, meta_id = number.waba.token or "", number.meta_id
        commit()
        try:
            file_id = upload_stored(token, meta_id, key=sample.storage_key, name=sample.name, mime=sample.mime)
        except MetaError as error:
            log.info("sample not uploaded", sample_id=str(self.sample_id), meta_code=error.code, kind=error.kind)
            if self.owns_claim(attempt):
                self.record_failure(error)
        else:
            if self.owns_claim(attempt):
                self.meta_id, self.uploaded_at, self.next_attempt_at = file_id, now(), None
                db.session.flush()
                db.session.execute(RELEASE, self.named)
                later("outbound.deliver")

    def owns_claim(self, attempt: int) -> bool:
        """Whether no other worker has claimed the upload since; locks its row."""
        self.refresh_locked()
        return self.next_attempt_at is not None and self.attempts == attempt

    def record_failure(self, error: MetaError) -> None:
        may_pass = error.kind not in (Kind.FINAL, Kind.HUMAN)
        if error.kind is Kind.PAUSE_NUMBER:
            PhoneNumber.get_or_404(self.phone_number_id).pause(error.title, error.fix)
            self.next_attempt_at = now() + dt.timedelta(seconds=PAUSED_SECONDS)
        elif may_pass and (error.wait or self.attempts <= len(RETRY_SECONDS)):
            self.next_attempt_at = now() + dt.timedelta(seconds=error.wait or RETRY_SECONDS[self.attempts - 1])
        else:
            self.next_attempt_at = None
            rows = db.session.execute(FAIL, self.named | {"error": json.dumps(error.as_dict())}).all()
            record_progress(rows, "message.failed")
            show_ticks([row.id for row in rows])
            for conversation_id in {row.conversation_id for row in rows}:
                announce("conversation", conversation_id)

    @property
    def named(self) -> dict[str, Any]:
        return {"tenant": current_tenant_id(), "number": self.phone_number_id, "sample": str(self.sample_id)}


def with_files(rows: list[Row[Any]], number_id: uuid.UUID) -> tuple[list[Row[Any]], dict[str, str]]:
    """The claimed messages whose files Meta has, and its ids of them. The others are queued again, and wait."""
    named = {row.id: ids for row in rows if row.type == "template" and (ids := sample_ids(row.raw))}
    if not named:
        return rows, {}
    ready = SampleUpload.ready(number_id, (id for ids in named.values() for id in ids))
    waiting = {id: ids for id, ids in named.items() if not ids <= ready.keys()}
    if waiting:
        errors = [
            {"message": str(id), "error": WAITING | {"kind": "upload", "samples": sorted(ids)}}
            for id, ids in waiting.items()
        ]
        values = {"tenant": current_tenant_id(), "again_at": database_now() + WAIT, "rows": json.dumps(errors)}
        db.session.execute(QUEUE_AGAIN, values)
    return [row for row in rows if row.id not in waiting], ready


def sample_ids(raw: dict[str, Any] | None) -> set[str]:
    return {id for _kind, id in samples_in(raw or {})}


# A message whose files are not at Meta yet waits; its attempt did not take place.
QUEUE_AGAIN = text("""
    update messages m set state = 'queued', attempts = m.attempts - 1, lease_until = null,
        next_attempt_at = :again_at, error = r.error
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(message uuid, error jsonb)
    where m.tenant_id = :tenant and m.id = r.message and m.state = 'dispatching'
""")
# Those of the number that wait for this file are due now. Index: ix_messages_due.
RELEASE = text("""
    update messages set next_attempt_at = null
    where tenant_id = :tenant and phone_number_id = :number and state = 'queued' and error ->> 'kind' = 'upload'
      and error -> 'samples' @> to_jsonb(cast(:sample as text))
""")
FAIL = text("""
    update messages set state = 'failed', next_attempt_at = null, error = cast(:error as jsonb)
    where tenant_id = :tenant and phone_number_id = :number and state = 'queued' and error ->> 'kind' = 'upload'
      and error -> 'samples' @> to_jsonb(cast(:sample as text))
    returning id, conversation_id, state, source, author_kind, author_id, author_name, (error ->> 'code')::int as code
""")
