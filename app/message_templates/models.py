"""The message templates of each WABA: what Meta has of them, and those that are only begun here."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Self, cast

from sqlalchemy import CheckConstraint, Select, UniqueConstraint, false, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.meta import message_templates as meta
from app.meta.errors import MetaError
from app.meta.outgoing.kinds import Outgoing, Refused
from app.meta.payload import mapping
from app.meta.template_calls import AUTO_GENERATED, Fetched
from app.meta.template_rules import Problem, problems_of
from app.tenancy import Actor, Membership, TenantModel, announce, belongs_to, db, exists, happened, later, now, uuid7
from app.wabas.models import Waba
from app.words import N_

from .changes import TemplateChange
from .samples import TemplateSample, default_files, sample_ids_in, with_handles, without_samples
from .settings import TemplateSettings
from .uses import Use, needs_of, uses_of
from .versions import Content, EditLimit, TemplateVersion, says_the_same

FRESH = dt.timedelta(minutes=10)
REFRESH_AGAIN_AFTER = dt.timedelta(seconds=30)
HOUR = dt.timedelta(hours=1)
MOST_OFFERED = 200
# Of templates with the same text, in other languages or below other cards.
MOST_ALIKE = 100
# Of versions in which the approved text is looked for.
MOST_VERSIONS = 20
# Not at Meta yet. Every other status is Meta's word.
DRAFT = "DRAFT"
GONE = "DELETED"
# Meta's quality of a template that it has not rated.
UNRATED = "UNKNOWN"
GOING = ("DELETED", "PENDING_DELETION")
EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
# How long Meta keeps the name of a deleted template from being used again, if it ever was approved.
NAME_LOCK = dt.timedelta(days=30)
ON_ITS_WAY = N_("This version is on its way to Meta. Wait a moment.")


class NameTaken(ValueError):
    """The account has a template of this name in this language."""


class NameLocked(NameTaken):
    """A template of this name was deleted, and Meta takes the name again at `until`."""

    def __init__(self, until: dt.datetime) -> None:
        super().__init__("name locked")
        self.until = until


class BreaksUses(Refused):
    """What uses the template could not send the new text. `uses` are those."""

    def __init__(self, uses: list[Use]) -> None:
        super().__init__(N_("Something that sends this template couldn't send the new text."))
        self.uses = uses


class TooManyEdits(ValueError):
    """Meta takes the next edit at `next_at`."""

    def __init__(self, next_at: dt.datetime) -> None:
        super().__init__("edited too often")
        self.next_at = next_at


class TemplateList(TenantModel):
    """When a WABA's templates were last fetched, and with what result."""

    __table_args__ = (UniqueConstraint("tenant_id", "waba_id"), belongs_to("wabas", "waba_id"))

    waba_id: Mapped[uuid.UUID]
    asked_at: Mapped[dt.datetime | None]
    fetched_at: Mapped[dt.datetime | None]
    error: Mapped[dict[str, Any] | None]
    # Since when Meta counts what is sent, as far as we know; None where it doesn't, or was never asked.
    counts_since: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def of(cls, waba_id: uuid.UUID) -> Self:
        return db.session.scalar(select(cls).where(cls.waba_id == waba_id)) or cls(waba_id=waba_id)

    @classmethod
    def fresh(cls, waba_id: uuid.UUID) -> Self:
        """The list of a WABA; Meta is asked again when it is old."""
        template_list = cls.of(waba_id)
        if template_list.is_due:
            template_list.refresh()
        return template_list

    @classmethod
    def refresh_all(cls) -> None:
        for waba_id in db.session.scalars(select(Waba.id)):
            cls.fresh(waba_id)

    def note_counting(self, counts: bool) -> None:
        """Meta counts for this account, or refuses figures as it doesn't."""
        self.counts_since = (self.counts_since or now()) if counts else None
        db.session.add(self)

    @property
    def is_loading(self) -> bool:
        """Whether the first answer of Meta's is still to come."""
        return self.fetched_at is None and self.error is None

    @property
    def is_due(self) -> bool:
        """Whether Meta should be asked again, and no job is at it. A list with nothing to send is soon asked again."""
        fresh = FRESH if exists(MessageTemplate.sendable_of(self.waba_id)) else REFRESH_AGAIN_AFTER
        return (self.fetched_at is None or self.fetched_at < now() - fresh) and self.may_refresh

    @property
    def may_refresh(self) -> bool:
        """Whether no job is at it."""
        return self.asked_at is None or self.asked_at < now() - REFRESH_AGAIN_AFTER

    def refresh(self) -> None:
        self.asked_at = now()
        db.session.add(self)
        later("message_templates.fetch", self.waba_id)

    def store(self, templates: Sequence[Fetched], *, since: dt.datetime) -> None:
        """Stores what Meta returned to a request made at `since`. What changed here meanwhile stays as it is."""
        stored = {(one.name, one.language): one for one in db.session.scalars(MessageTemplate.of(self.waba_id))}
        for fetched in each_once(templates):
            if row := stored.pop((fetched.template.name, fetched.template.language), None):
                row.copy(fetched, since=since)
            else:
                db.session.add(MessageTemplate.new(self.waba_id, fetched))
        for row in stored.values():
            if row.meta_id and not row.is_newer_than(since):
                row.turn(GONE, source="sync")
        self.fetched_at, self.error = now(), None
        announce("templates", self.waba_id)
        happened("template.refreshed", self.waba_id)

    def fail(self, error: MetaError) -> None:
        self.error = error.as_dict()
        announce("templates", self.waba_id)


# The columns that a definition is made of, beside its components.
DEFINING = ("name", "language", "category", "status", "parameter_format", "ttl_seconds")


class MessageTemplate(TenantModel):
    """One template in one language. `components` are those that Meta has; what is being written is a version.

    A template that is not at Meta has no `meta_id`; one that Meta no longer has keeps its own, with the status DELETED.
    """

    __table_args__ = (
        UniqueConstraint("tenant_id", "waba_id", "name", "language"),
        CheckConstraint("(status = 'DRAFT') = (meta_id is null)", name="draft_has_no_meta_id"),
        belongs_to("wabas", "waba_id"),
    )

    waba_id: Mapped[uuid.UUID]
    meta_id: Mapped[str | None]
    name: Mapped[str]
    language: Mapped[str]
    category: Mapped[str]
    status: Mapped[str]
    parameter_format: Mapped[str]
    components: Mapped[list[dict[str, Any]]]
    ttl_seconds: Mapped[int | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    # When it got its status, and what Meta said about it: the reason of a rejection, how long a pause is.
    status_at: Mapped[dt.datetime | None]
    status_facts: Mapped[dict[str, Any] | None]
    quality_score: Mapped[str | None]
    # What Meta will make of the category, or has made of it.
    correct_category: Mapped[str | None]
    previous_category: Mapped[str | None]
    # Meta's word where it is no ordinary one: AUTO_GENERATED.
    source: Mapped[str] = mapped_column(default="", server_default="")
    folder: Mapped[str] = mapped_column(default="", server_default="")
    # Whether agents are not offered it.
    is_hidden: Mapped[bool] = mapped_column(default=False, server_default=false())
    # When somebody here last sent it: what is used is offered first.
    used_at: Mapped[dt.datetime | None]

    @classmethod
    def of(cls, waba_id: uuid.UUID) -> Select[Self]:
        return select(cls).where(cls.waba_id == waba_id).order_by(cls.name, cls.language)

    @classmethod
    def listed(cls) -> Select[Self]:
        """All but what Meta made of messages sent directly."""
        return select(cls).where(cls.source != AUTO_GENERATED)

    @classmethod
    def sendable(cls, waba_id: uuid.UUID) -> list[Self]:
        """The first MOST_OFFERED of those that Meta lets one send."""
        return list(db.session.scalars(cls.sendable_of(waba_id).limit(MOST_OFFERED)))

    @classmethod
    def sendable_of(cls, waba_id: uuid.UUID) -> Select[Self]:
        """Those that agents are offered."""
        offered = cls.status.in_(meta.SENDABLE), cls.is_hidden.is_(False), cls.source != AUTO_GENERATED
        return cls.of(waba_id).where(*offered)

    @classmethod
    def sendable_called(cls, waba_id: uuid.UUID, name: str, language: str) -> Self | None:
        called = cls.of(waba_id).where(cls.name == name, cls.language == language, cls.status.in_(meta.SENDABLE))
        return db.session.scalar(called)

    @classmethod
    def whole(cls) -> list[Self]:
        """Those of any WABA that go out as they are, with nothing to fill in: one for each name and language."""
        sendable = (
            cls.listed()
            .where(cls.status.in_(meta.SENDABLE))
            .order_by(cls.name, cls.language, cls.id)
            .limit(MOST_OFFERED)
        )
        whole = [one for one in db.session.scalars(sendable) if one.goes_as_it_is]
        return list({one.key: one for one in whole}.values())

    @classmethod
    def sent_as(cls, waba_id: uuid.UUID, raw: dict[str, Any]) -> Self | None:
        """The one that a message names, as messages name them."""
        language = mapping(raw.get("language")).get("code")
        named = cls.name == str(raw.get("name")), cls.language == str(language)
        return db.session.scalar(select(cls).where(cls.waba_id == waba_id, *named))

    @classmethod
    def twin_of(cls, definition: meta.Template, waba_id: uuid.UUID, own: uuid.UUID | None) -> Self | None:
        """Another one at Meta with the same text and footer, for which Meta may reject this one."""
        if definition.is_code or not definition.body.strip():
            return None
        part = {"type": "BODY", "text": definition.body}
        there = cls.meta_id.is_not(None), cls.status.not_in((*GOING, "REJECTED")), cls.id != own
        alike = db.session.scalars(cls.of(waba_id).where(*there, cls.components.contains([part])).limit(MOST_ALIKE))
        return next((one for one in alike if one.definition.wording == definition.wording), None)

    @property
    def is_sendable(self) -> bool:
        return self.status in meta.SENDABLE and not self.is_generated

    @property
    def is_generated(self) -> bool:
        """Whether Meta made it of messages sent directly: it is neither sent, changed nor deleted."""
        return self.source == AUTO_GENERATED

    @property
    def is_draft(self) -> bool:
        return self.status == DRAFT

    @property
    def key(self) -> str:
        """Names it in a form, and in every WABA that has it."""
        return f"{self.name}|{self.language}"

    @property
    def definition(self) -> meta.Template:
        """What the row holds. Made once for as long as that stays: thousands of messages may be of one template."""
        # Read past the ORM's attributes, which cost more than what is done with it. One that has expired is None.
        held = self.__dict__
        made_of, made = held.get("_definition", (None, None))
        if made is None or made_of != tuple(map(held.get, DEFINING)) or made.components is not held.get("components"):
            is_named = self.parameter_format == "NAMED"
            facts = self.name, self.language, self.category, self.status, is_named
            made = meta.Template(*facts, self.components, self.ttl_seconds)
            held["_definition"] = tuple(map(held.get, DEFINING)), made
        return cast("meta.Template", made)

    @property
    def files(self) -> list[str]:
        """For each place of a file the picture or video that its reviewers have seen; "" where there is none here.

        A document is for one customer, so none is taken from there.
        """
        places = self.definition.files
        if not places or self.definition.needs_document:
            return [""] * len(places)
        versions = db.session.scalars(TemplateVersion.submitted(self.id).limit(MOST_VERSIONS))
        same = next((one for one in versions if says_the_same(one.components, self.components)), None)
        files_by_place = default_files(same.components) if same else []
        return files_by_place if len(files_by_place) == len(places) else [""] * len(places)

    @property
    def goes_as_it_is(self) -> bool:
        """Whether there is nothing to fill in and no file to choose."""
        return self.definition.goes_as_it_is and all(self.files)

    def filled(self, values: Mapping[str, str], payloads: Sequence[str] = (), files: Sequence[str] = ()) -> Outgoing:
        """The message to send. `files` are chosen ones; where none is, its own file goes. Raises `Refused`."""
        chosen = [given or own for given, own in zip_longest(files, self.files, fillvalue="")]
        return self.definition.filled(values, payloads, chosen)

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()

    def use(self) -> None:
        """It is sent now. Stored once an hour, so that those who send it at the same time don't wait for each other."""
        if self.used_at is None or self.used_at < now() - HOUR:
            self.used_at = now()

    def is_newer_than(self, moment: dt.datetime) -> bool:
        """Whether its status was learnt later: what was asked for before that is old news."""
        return self.status_at is not None and self.status_at > moment

    @classmethod
    def new(cls, waba_id: uuid.UUID, fetched: Fetched) -> Self:
        """One that was made elsewhere."""
        row = cls(id=uuid7(), waba_id=waba_id, name=fetched.template.name, language=fetched.template.language)
        row.category, row.status = fetched.template.category, metas_word(fetched.template.status)
        row.quality_score, row.status_facts = fetched.quality_score, facts_of(fetched)
        row.describe(fetched)
        return row

    def copy(self, fetched: Fetched, *, since: dt.datetime) -> None:
        """Takes over what Meta has of it, unless more is known by now than at `since`."""
        if self.is_newer_than(since):
            return
        self.describe(fetched)
        self.turn(fetched.template.status, source="sync", facts=facts_of(fetched))
        self.recategorise(fetched.template.category, source="sync")
        self.rate(fetched.quality_score, source="sync")

    def describe(self, fetched: Fetched) -> None:
        self.meta_id, self.source = fetched.id, AUTO_GENERATED if fetched.is_generated else fetched.source or ""
        self.ttl_seconds = fetched.template.ttl
        self.components = fetched.template.components
        self.parameter_format = "NAMED" if fetched.template.is_named else "POSITIONAL"
        # Meta's list doesn't always say what a webhook has announced.
        self.correct_category = fetched.correct_category or self.correct_category
        self.previous_category = fetched.previous_category or self.previous_category

    @property
    def is_editable(self) -> bool:
        """Whether Meta takes another text of it."""
        return self.status in EDITABLE

    @property
    def edit_limit(self) -> EditLimit:
        return EditLimit.of(self.id)

    @property
    def content(self) -> Content:
        """What Meta has of it, to begin another version with. Samples come back as links that expire."""
        is_named = self.parameter_format == "NAMED"
        return Content(self.category, is_named, without_samples(self.components), self.ttl_seconds)

    @classmethod
    def begin(cls, waba_id: uuid.UUID, name: str, language: str, content: Content, *, by: Actor) -> Self:
        """A new one, with its first version. Raises `NameTaken`, `NameLocked`.

        One that Meta no longer has begins again, with the history it has.
        """
        called = cls.of(waba_id).where(cls.name == name, cls.language == language, cls.status == GONE)
        if gone := db.session.scalar(called.with_for_update(key_share=True)):
            return gone.begin_again(content, by=by)
        row = cls(id=uuid7(), waba_id=waba_id, name=name, language=language, status=DRAFT, category=content.category)
        row.parameter_format, row.components, row.folder = content.parameter_format, [], ""
        row.status_at = now()
        try:
            with db.session.begin_nested():
                db.session.add(row)
        except IntegrityError:
            raise NameTaken from None
        TemplateVersion.begin(row.id, content, by=by)
        happened("template.created", row.id, by=by)
        return row

    def begin_again(self, content: Content, *, by: Actor) -> Self:
        if until := self.name_locked_until:
            raise NameLocked(until)
        self.meta_id, self.category, self.parameter_format = None, content.category, content.parameter_format
        self.turn(DRAFT, source="member", by=by)
        if version := self.locked_version():
            version.save(content, revision=version.revision, by=by)
        else:
            TemplateVersion.begin(self.id, content, by=by)
        return self

    @property
    def name_locked_until(self) -> dt.datetime | None:
        """Until when Meta takes no template of this name and language, because this one was deleted."""
        until = (self.status_at or now()) + NAME_LOCK
        return until if self.status == GONE and self.was_approved and until > now() else None

    @property
    def was_approved(self) -> bool:
        return self.is_sendable or exists(TemplateChange.approvals_of(self.id))

    def locked_version(self) -> TemplateVersion | None:
        """The version that is being worked on, if any; others neither change nor begin one meanwhile."""
        self.refresh_locked()
        return TemplateVersion.open_of(self.id, is_fresh=True)

    def version_to_edit(self, by: Actor) -> TemplateVersion:
        """The version that is being worked on; a new one begins with what Meta has."""
        return self.locked_version() or TemplateVersion.begin(self.id, self.content_to_edit, by=by)

    @property
    def content_to_edit(self) -> Content:
        """What the next version begins with: what Meta has, with its files."""
        latest = db.session.scalar(TemplateVersion.submitted(self.id).limit(1))
        # Ours knows its files, which Meta returns as links that expire.
        is_ours = latest and says_the_same(latest.components, self.components)
        return latest.content if latest and is_ours else self.content

    def rename(self, name: str, language: str) -> None:
        """While it is a draft. Raises `NameTaken`."""
        if (name, language) == (self.name, self.language):
            return
        if not self.is_draft:
            raise Refused(N_("A template that Meta has keeps its name and language. Copy it to use another one."))
        try:
            with db.session.begin_nested():
                self.name, self.language = name, language
                db.session.flush()
        except IntegrityError:
            db.session.refresh(self)
            raise NameTaken from None

    def problems(self, version: TemplateVersion) -> list[Problem]:
        """What Meta would say of a version."""
        ids = sample_ids_in(version.components)
        handles = {str(id): "4::sample" for id in ids if TemplateSample.find(id)}
        shown = version.definition(self.name, self.language)
        return problems_of(dataclasses.replace(shown, components=with_handles(version.components, handles)))

    @property
    def uses(self) -> list[Use]:
        return uses_of(self.name, self.language)

    def broken_by(self, new: meta.Template) -> list[Use]:
        """What sends it and could not send a new text, which needs other values or has other quick replies.

        Of a template that was never approved nothing is sent yet, so nothing breaks.
        """
        if not self.was_approved:
            return []
        present = self.definition
        return [use for use in self.uses if use.is_broken_by(new, present)]

    def out_of_step_with(self, new: meta.Template) -> list[Self]:
        """Its other languages whose variables differ from those of a new text."""
        others = (one for one in self.languages() if one.id != self.id)
        return [one for one in others if needs_of(one.newest) != needs_of(new)]

    @property
    def newest(self) -> meta.Template:
        """What is being written; else what Meta has."""
        version = TemplateVersion.open_of(self.id)
        return version.definition(self.name, self.language) if version else self.definition

    def submit(self, *, by: Actor, membership: Membership | None, breaks_uses: bool = False) -> TemplateVersion:
        """Has the version that is being worked on sent to Meta, or waits for an owner to approve it.

        A program has no membership. Raises `Refused` with the reason why Meta would not take it now, `TooManyEdits`,
        and `BreaksUses` unless somebody has agreed to that.
        """
        version = self.locked_version()
        if version is None:
            raise Refused(N_("There is nothing to submit. Change the template first."))
        if version.state == "submitting":
            return version
        if any(not problem.is_warning for problem in self.problems(version)):
            raise Refused(N_("Fix the problems below, then submit again."))
        if not (self.is_draft or self.is_editable):
            raise Refused(N_("Meta doesn't let you change this template now. Copy it to use another text."))
        is_edit = self.status == "APPROVED"
        if is_edit and (next_at := self.edit_limit.next_at):
            raise TooManyEdits(next_at)
        if not breaks_uses and (broken := self.broken_by(version.definition(self.name, self.language))):
            raise BreaksUses(broken)
        self.adopt()
        if TemplateSettings.current().lets_submit(membership):
            version.leave(by, is_edit=is_edit)
            later("message_templates.submit", version.id)
        elif version.state == "draft":
            version.wait_for_approval(by)
        announce("templates", self.waba_id)
        return version

    @property
    def is_from_elsewhere(self) -> bool:
        """Whether Meta has it, and none of its texts was submitted here."""
        numbered = TemplateVersion.of(self.id).where(TemplateVersion.number.is_not(None))
        return self.meta_id is not None and not exists(numbered)

    def adopt(self) -> None:
        """Stores the text that was made elsewhere, before another one replaces it."""
        if self.is_from_elsewhere:
            state = "rejected" if self.status == "REJECTED" else "approved"
            TemplateVersion.adopt(self.id, self.content, state=state, at=self.status_at or now())

    def send_back(self, note: str, *, by: Actor) -> None:
        """The version that waits for approval is to be changed first. Does nothing where none waits any more."""
        version = self.locked_version()
        if version and version.state == "awaiting":
            version.send_back(note, by)
            announce("templates", self.waba_id)

    def restore(self, earlier: TemplateVersion, *, by: Actor) -> TemplateVersion:
        """An earlier text as the one that is being worked on. Raises `Refused` while one is on its way to Meta."""
        version = self.locked_version()
        if version is None:
            return TemplateVersion.begin(self.id, earlier.content, by=by)
        if version.state == "submitting":
            raise Refused(ON_ITS_WAY)
        version.save(earlier.content, revision=version.revision, by=by)
        return version

    def discard(self) -> None:
        """Throws away the version that is being worked on; a template that never was more than that goes with it."""
        version = self.locked_version()
        if version and version.state == "submitting":
            raise Refused(ON_ITS_WAY)
        if self.is_draft:
            db.session.delete(self)
        elif version:
            db.session.delete(version)

    def languages(self) -> list[Self]:
        """It and the same template in other languages, as far as they are not deleted."""
        same = MessageTemplate.name == self.name, MessageTemplate.status != GONE
        return list(db.session.scalars(type(self).of(self.waba_id).where(*same)))

    def move_to(self, folder: str) -> None:
        for one in self.languages():
            one.folder = folder

    def remove(self, *, by: Actor) -> None:
        """Meta has deleted it, or never had it. Raises `Refused` while it is on its way to Meta."""
        if self.is_draft:
            self.discard()
        else:
            self.refresh_locked().turn(GONE, source="member", by=by)
            announce("templates", self.waba_id)

    def turn(
        self,
        status: str,
        *,
        source: str,
        by: Actor | None = None,
        facts: dict[str, Any] | None = None,
        at: dt.datetime | None = None,
    ) -> None:
        """It has this status now. `source` says how that is known: `webhook`, `sync`, `submission`, `member`."""
        if source != "member":
            status = metas_word(status)
        if status == (before := self.status):
            # A list says less than the webhook before it.
            self.status_facts = {**(self.status_facts or {}), **(facts or {})} or None
            return
        self.status, self.status_at, self.status_facts = status, at or now(), facts
        TemplateChange.record(self.id, "status", before, status, source=source, by=by, facts=facts, at=at)
        if version := TemplateVersion.in_review(self.id):
            version.settle(status, facts, self.status_at)

    def recategorise(self, category: str, *, source: str, by: Actor | None = None) -> None:
        before, self.category = self.category, category
        if category == self.correct_category:
            self.correct_category = None
        if before and before != category:
            TemplateChange.record(self.id, "category", before, category, source=source, by=by)
            if source != "member":
                self.previous_category = before

    def rate(self, score: str | None, *, source: str) -> None:
        before, self.quality_score = self.quality_score or UNRATED, score
        if score and before != score:
            TemplateChange.record(self.id, "quality", before, score, source=source)


def each_once(templates: Iterable[Fetched]) -> Iterable[Fetched]:
    """One for each name and language: one that is being deleted may be listed beside the one that replaces it."""
    chosen: dict[tuple[str, str], Fetched] = {}
    for one in templates:
        key = one.template.name, one.template.language
        if key not in chosen or chosen[key].template.status in GOING:
            chosen[key] = one
    return chosen.values()


def metas_word(status: str) -> str:
    """A status that Meta gave. DRAFT is ours: what Meta has is none any more."""
    return "PENDING" if status == DRAFT else status


def facts_of(fetched: Fetched) -> dict[str, Any] | None:
    """What Meta says about the status."""
    reason = fetched.rejected_reason
    return {"reason": reason} if reason and reason != "NONE" else None
