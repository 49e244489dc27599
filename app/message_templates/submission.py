"""A version on its way to Meta: samples uploaded, the template made or changed once, whatever happens in between."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import structlog

from app.crypto import Undecryptable
from app.extensions import outside
from app.meta import template_calls as calls
from app.meta.codes.sending import CORRECT_MESSAGE
from app.meta.errors import Kind, MetaError, NoAnswer, NotUploaded, explain
from app.meta.message_templates import Template
from app.storage import NotStored, StorageUnavailable
from app.tenancy import announce, commit, later, now
from app.wabas.models import Waba
from app.words import N_

from .changes import TemplateChange
from .models import MessageTemplate, TemplateList
from .samples import TemplateSample, sample_ids_in, with_handles
from .versions import LEASE, TemplateVersion, says_the_same

log = structlog.get_logger()

TRIES = 20
NOT_ACCEPTED = N_("Part of the template isn't as Meta requires.")
CORRECT_TEMPLATE = N_("Change the part that Meta names below, and submit it again.")
# Meta's code for a token that is none.
NO_ACCESS = 190
# Passing: worth another try in a while.
PASSING = (Kind.RETRY, Kind.THROTTLE, Kind.PAUSE_NUMBER)


class Submission:
    """One try. The version is leased to it, and nothing is held open while Meta is being called."""

    def __init__(self, version: TemplateVersion) -> None:
        self.version = version
        self.template = MessageTemplate.get_or_404(version.template_id)
        waba = Waba.get_or_404(self.template.waba_id)
        self.token, self.waba_meta_id = access_to(waba), waba.meta_id
        self.graph = outside().graph
        # Samples that go by a handle of an earlier submission, which may have expired.
        self.reused: list[TemplateSample] = []

    @classmethod
    def claim(cls, version_id: uuid.UUID) -> Submission | None:
        """Leases the version, unless it is not on its way or another job has it."""
        version = TemplateVersion.get_or_404(version_id).refresh_locked()
        is_leased = version.attempts and version.lease_until and version.lease_until > now()
        if version.state != "submitting" or is_leased:
            return None
        version.attempts += 1
        version.lease_until = now() + LEASE
        return cls(version)

    def run(self) -> None:
        commit()
        try:
            if not self.token:
                raise MetaError(explain(NO_ACCESS))
            handles = self.upload_samples()
            wanted = self.wanted(handles)
            created = self.existing(wanted) if self.version.attempts > 1 else None
            created = created or self.send(wanted)
        except MetaError as error:
            self.settle_refusal(error)
        else:
            self.settle(created, wanted)
        announce("templates", self.template.waba_id)

    def upload_samples(self) -> dict[str, str]:
        """Meta's handles of the samples, by our ids. Raises MetaError."""
        handles = {}
        for id in sorted(sample_ids_in(self.version.components)):
            # Meta says itself that a file is missing.
            if (sample := TemplateSample.find(id)) is None:
                continue
            if not sample.needs_handle:
                self.reused.append(sample)
            else:
                name, mime = sample.name, sample.mime
                commit()
                if (content := content_of(sample)) is None:
                    continue
                handle = calls.upload_sample(self.graph, self.token, self.graph.app_id, name, mime, content)
                sample.handle, sample.handle_at = handle, now()
                commit()
            handles[str(id)] = sample.handle or ""
        commit()
        return handles

    def wanted(self, handles: dict[str, str]) -> Template:
        mine = self.version.definition(self.template.name, self.template.language)
        return dataclasses.replace(mine, components=with_handles(self.version.components, handles))

    def existing(self, wanted: Template) -> calls.Created | None:
        """What an earlier try has made of it at Meta, whose answer was lost."""
        there = calls.find(self.graph, self.token, self.waba_meta_id, wanted.name, wanted.language)
        if there is None or not says_the_same(there.template.components, wanted.components):
            return None
        return calls.Created(there.id, there.template.status, there.template.category)

    def send(self, wanted: Template) -> calls.Created:
        if meta_id := self.template.meta_id:
            # The category of an approved template cannot be changed, and need not be repeated.
            calls.edit(self.graph, self.token, meta_id, wanted, with_category=self.template.status != "APPROVED")
            return calls.Created(meta_id, "PENDING", wanted.category)
        try:
            return calls.create(self.graph, self.token, self.waba_meta_id, wanted)
        except NoAnswer:
            raise
        except MetaError:
            # The name may be taken by an earlier try that Meta was still busy with when we looked.
            if self.version.attempts > 1 and (created := self.existing(wanted)):
                return created
            raise

    def settle(self, created: calls.Created, wanted: Template) -> None:
        """A webhook may have been faster: what it said of the status is newer."""
        template, version = self.template.refresh_locked(), self.version.refresh_locked()
        version.arrive()
        if template.meta_id is None:
            template.meta_id, template.components = created.id, wanted.components
            template.parameter_format, template.ttl_seconds = version.parameter_format, version.ttl_seconds
            template.recategorise(version.category, source="member", by=version.submitter)
            template.turn(created.status, source="submission", by=version.submitter)
        elif not TemplateChange.has_news_since_submission(template.id):
            template.turn(created.status, source="submission", by=version.submitter)
        template.recategorise(created.category, source="submission")
        version.settle(template.status, template.status_facts, now())
        # Meta may have written something differently.
        TemplateList.of(template.waba_id).refresh()

    def settle_refusal(self, error: MetaError) -> None:
        log.info("template not submitted", version_id=str(self.version.id), meta_code=error.code, kind=error.kind)
        version = self.version.refresh_locked()
        is_open = isinstance(error, NoAnswer) or error.kind is Kind.UNKNOWN_OUTCOME
        if self.reused and not is_open and error.kind not in PASSING:
            for sample in self.reused:
                sample.handle = None
            version.lease_until = now()
            later("message_templates.submit", version.id)
        elif version.attempts < TRIES and (is_open or error.kind in PASSING):
            version.error = error.as_dict()
            version.lease_until = now() + dt.timedelta(seconds=min(5 * 2**version.attempts, 600))
        else:
            version.come_back(refusal(error))


def refusal(error: MetaError) -> dict[str, Any]:
    """What Meta says; where our words are of any message, they are of a template."""
    facts = error.as_dict()
    return facts | {"title": NOT_ACCEPTED, "fix": CORRECT_TEMPLATE} if error.fix == CORRECT_MESSAGE else facts


def access_to(waba: Waba) -> str:
    """The account's token; empty where there is none that can be read."""
    try:
        return waba.token or ""
    except Undecryptable:
        return ""


def content_of(sample: TemplateSample) -> bytes | None:
    """None where our store has lost the file. Raises NotUploaded while the store is unavailable."""
    try:
        return b"".join(sample.stream())
    except NotStored:
        log.warning("sample lost", sample_id=str(sample.id))
        return None
    except StorageUnavailable as error:
        failure = NotUploaded(type(error).__name__)
    raise failure
