"""Writing templates by program: drafts in Meta's shape, samples, submitting, deleting."""

from __future__ import annotations

import dataclasses
import json
import uuid
from typing import IO, Annotated, Any, BinaryIO, Literal, Self, cast

from flask_babel import gettext as _
from pydantic import Field
from sqlalchemy import func, select

from app.api import Fault, Problem, Shape, check_match, current_key, endpoint, problem
from app.api.declaring import Time
from app.message_templates.models import (
    GONE,
    BreaksUses,
    MessageTemplate,
    NameLocked,
    NameTaken,
    TooManyEdits,
)
from app.message_templates.samples import LARGEST, MB, TYPES, TemplateSample, sample_ids_in, with_handles
from app.message_templates.uses import Use
from app.message_templates.versions import Content
from app.meta import template_calls as calls
from app.meta.message_templates import MOST_CHARACTERS, Template
from app.meta.outgoing.kinds import Refused
from app.meta.template_rules import problems_of
from app.storage import StorageUnavailable
from app.tenancy import db, now
from app.wabas.asking import ask
from app.wabas.models import Waba
from app.words import N_

from . import reach
from .pointers import faults_of
from .shapes import TemplateShape
from .templates import TAG, WRITE

MOST_SAMPLES, MOST_SAMPLE_BYTES = 1_000, 1024 * MB
NAME_TAKEN = problem(
    "name_taken",
    409,
    "The account has a template of this name in this language",
    N_("Choose another name or language, or change the template that there is."),
)
NAME_LOCKED = problem(
    "name_locked",
    409,
    "A template of this name was deleted not long ago",
    N_("Meta takes the name again from {until}. Choose another one until then."),
)
NOT_EDITABLE = problem(
    "not_editable", 409, "The template can't be changed now", N_("The detail says why, and what to do.")
)
TOO_MANY_EDITS = problem(
    "too_many_edits",
    409,
    "The template was changed too often",
    N_("Meta takes the next change of an approved template from {next_at}."),
)
IN_USE = problem(
    "template_in_use",
    409,
    "The template is in use",
    N_("The list “errors” names what sends it. Change that first, or send the request with {parameter}=true."),
)
META_REFUSED = problem("meta_refused", 409, "Meta did not do it", N_("The detail says why, and what to do."))
TOO_MANY_SAMPLES = problem(
    "too_many_samples", 409, "There are too many samples", N_("Use a sample that you have uploaded before.")
)
Components = Annotated[list[dict[str, Any]], Field(max_length=20)]
HOW_WRITTEN = "As Meta writes them. A file is named by `example: {sample: <id>}` (`POST /template-samples`)."
Category = Literal["MARKETING", "UTILITY", "AUTHENTICATION"]
Format = Literal["POSITIONAL", "NAMED"]
Name = Annotated[str, Field(min_length=1, max_length=512)]
Language = Annotated[str, Field(min_length=1, max_length=20)]
Validity = Annotated[int, Field(ge=-1, le=10_000_000)]


class NewTemplate(Shape):
    """A template to begin. `waba_id` may be left out where there is one account."""

    waba_id: uuid.UUID | None = None
    name: Name
    language: Language
    category: Category
    parameter_format: Format = "POSITIONAL"
    components: Components = Field(description=HOW_WRITTEN)
    validity_seconds: Validity | None = None

    @property
    def content(self) -> Content:
        return Content(self.category, self.parameter_format == "NAMED", self.components, self.validity_seconds)


@endpoint(
    "POST",
    "/templates",
    scope=WRITE,
    body=NewTemplate,
    gives=TemplateShape,
    status=201,
    tag=TAG,
    problems=(NAME_TAKEN, NAME_LOCKED),
)
def create_template(body: NewTemplate) -> TemplateShape:
    """Create the draft of a template.

    It is checked against Meta's rules, and each part that Meta would refuse is pointed at. Meta sees it once it is
    submitted.
    """
    waba = reach.account(body.waba_id)
    check(body.name, body.language, body.content)
    try:
        made = MessageTemplate.begin(waba.id, body.name, body.language, body.content, by=current_key().actor)
    except NameTaken as error:
        raise name_problem(error) from None
    db.session.flush()
    return TemplateShape.of(made)


def name_problem(error: NameTaken) -> Problem:
    fault = Fault("name_taken", _("This name can't be used."), pointer="/name")
    if isinstance(error, NameLocked):
        return Problem(NAME_LOCKED, errors=[fault], until=error.until.isoformat(timespec="minutes"))
    return Problem(NAME_TAKEN, errors=[fault])


def check(name: str, language: str, content: Content) -> None:
    """Raises a `Problem` that names all that Meta would refuse."""
    components = content.components
    if len(json.dumps(components)) > MOST_CHARACTERS:
        words = f"All components together may have {MOST_CHARACTERS:,} characters."
        raise Problem("invalid_request", errors=[Fault("too_long", words, pointer="/components")])
    named = select(TemplateSample.id).where(TemplateSample.id.in_(sample_ids_in(components)))
    handles = {str(id): "4::sample" for id in db.session.scalars(named)}
    definition = Template(name, language, content.category, "", content.is_named, components, content.ttl_seconds)
    seen = dataclasses.replace(definition, components=with_handles(components, handles))
    if faults := faults_of(problems_of(seen), components):
        raise Problem("invalid_request", errors=faults)


class TemplateChanges(Shape):
    """What is left out stays as it is. Name and language can change while Meta does not have the template."""

    name: Name | None = None
    language: Language | None = None
    category: Category | None = None
    parameter_format: Format | None = None
    components: Components | None = Field(None, description=HOW_WRITTEN)
    validity_seconds: Validity | None = Field(None, description="Null takes it away.")

    def content_after(self, before: Content) -> Content:
        format = self.parameter_format or before.parameter_format
        ttl = self.validity_seconds if "validity_seconds" in self.model_fields_set else before.ttl_seconds
        components = before.components if self.components is None else self.components
        return Content(self.category or before.category, format == "NAMED", components, ttl)


@endpoint(
    "PATCH",
    "/templates/<uuid:template_id>",
    scope=WRITE,
    body=TemplateChanges,
    gives=TemplateShape,
    tag=TAG,
    problems=(NAME_TAKEN, NOT_EDITABLE),
)
def change_template(template_id: uuid.UUID, body: TemplateChanges) -> TemplateShape:
    """Change the draft of a template.

    Where there is none, one begins with the text that Meta has. Meta sees the change once it is submitted.
    """
    template, by = reach.find_template(template_id).refresh_locked(), current_key().actor
    check_match(TemplateShape.of(template))
    if template.status == GONE:
        raise Problem(NOT_EDITABLE, _("Meta doesn't have this template any more. Create it anew."))
    version = template.version_to_edit(by)
    if version.state == "submitting":
        raise Problem(NOT_EDITABLE, _("This version is on its way to Meta. Wait a moment."))
    name, language = body.name or template.name, body.language or template.language
    content = body.content_after(version.content)
    check(name, language, content)
    is_renamed = (name, language) != (template.name, template.language)
    rename(template, name, language)
    version.save(content, revision=version.revision, by=by, is_renamed=is_renamed)
    if template.is_draft:
        template.category, template.parameter_format = content.category, content.parameter_format
    db.session.flush()
    return TemplateShape.of(template)


def rename(template: MessageTemplate, name: str, language: str) -> None:
    try:
        template.rename(name, language)
    except NameTaken as error:
        raise name_problem(error) from None
    except Refused as error:
        raise Problem(NOT_EDITABLE, error.explain(_)) from None


class SubmissionQuery(Shape):
    breaks_uses: bool = Field(
        False, description="Submit it although something that sends the template couldn't send the new text."
    )


@endpoint(
    "POST",
    "/templates/<uuid:template_id>/submission",
    scope=WRITE,
    query=SubmissionQuery,
    gives=TemplateShape,
    status=202,
    tag=TAG,
    problems=(NOT_EDITABLE, TOO_MANY_EDITS, IN_USE),
)
def submit_template(template_id: uuid.UUID, query: SubmissionQuery) -> TemplateShape:
    """Submit the draft of a template to Meta.

    Where the business wants an owner to approve templates first, `draft.state` is `awaiting` until one has.
    """
    template = reach.find_template(template_id)
    version = template.locked_version()
    if version and (faults := faults_of(template.problems(version), version.components)):
        raise Problem(NOT_EDITABLE, _("Fix the problems below, then submit again."), errors=faults)
    try:
        template.submit(by=current_key().actor, membership=None, breaks_uses=query.breaks_uses)
    except TooManyEdits as error:
        seconds = max(round((error.next_at - now()).total_seconds()), 1)
        at = error.next_at.isoformat(timespec="minutes")
        raise Problem(TOO_MANY_EDITS, headers={"Retry-After": str(seconds)}, next_at=at) from None
    except BreaksUses as error:
        raise Problem(IN_USE, errors=used_by(error.uses), parameter="breaks_uses") from None
    except Refused as error:
        raise Problem(NOT_EDITABLE, error.explain(_)) from None
    db.session.flush()
    return TemplateShape.of(template)


def used_by(uses: list[Use]) -> list[Fault]:
    return [Fault("in_use", f"{_(use.kind)}: {use.name}" if use.name else _(use.kind)) for use in uses]


class DeletionQuery(Shape):
    force: bool = Field(False, description="Delete it although something sends it.")


@endpoint(
    "DELETE",
    "/templates/<uuid:template_id>",
    scope=WRITE,
    query=DeletionQuery,
    tag=TAG,
    problems=(IN_USE, META_REFUSED, NOT_EDITABLE),
)
def delete_template(template_id: uuid.UUID, query: DeletionQuery) -> None:
    """Delete a template in this language, here and at Meta.

    Meta does not take the name again for 30 days if the template ever was approved.
    """
    template = reach.find_template(template_id)
    if not query.force and (uses := template.uses):
        raise Problem(IN_USE, errors=used_by(uses), parameter="force")
    if template.meta_id and template.status != GONE:
        delete_at_meta(template)
    try:
        template.remove(by=current_key().actor)
    except Refused as error:
        raise Problem(NOT_EDITABLE, error.explain(_)) from None


def delete_at_meta(template: MessageTemplate) -> None:
    waba, name, meta_id = Waba.get_or_404(template.waba_id), template.name, template.meta_id
    waba_meta_id = waba.meta_id
    _done, refused = ask(waba, lambda graph, token: calls.delete(graph, token, waba_meta_id, name, meta_id))
    if refused:
        words = " ".join(filter(None, (_(refused.title), _(refused.fix), refused.details)))
        more = {"meta": {"code": refused.code, "fbtrace_id": refused.fbtrace_id}}
        raise Problem(META_REFUSED, words, more=more)


class SampleQuery(Shape):
    format: Literal["IMAGE", "VIDEO", "DOCUMENT"] = Field(description="Of the header that it is a sample of.")
    filename: Annotated[str, Field(max_length=255)] = ""


class SampleShape(Shape):
    """A file that shows Meta's reviewers what a header holds."""

    id: uuid.UUID
    format: str
    filename: str
    size: int
    created_at: Time

    @classmethod
    def of(cls, sample: TemplateSample) -> Self:
        return cls(
            id=sample.id,
            format=sample.format,
            filename=sample.name,
            size=sample.size,
            created_at=sample.created_at,
        )


@endpoint(
    "POST",
    "/template-samples",
    scope=WRITE,
    query=SampleQuery,
    takes=("application/octet-stream", *(mime for types in TYPES.values() for mime in types)),
    most_bytes=max(LARGEST.values()),
    gives=SampleShape,
    status=201,
    tag=TAG,
    problems=("unacceptable_sample", "storage_away", TOO_MANY_SAMPLES),
)
def upload_template_sample(query: SampleQuery, body: IO[bytes]) -> SampleShape:
    """Upload the sample file of a template's header.

    The same file is stored once. Name it in the header as `example: {sample: <id>}`.
    """
    count, size = db.session.execute(select(func.count(), func.coalesce(func.sum(TemplateSample.size), 0))).one()
    if count >= MOST_SAMPLES or size >= MOST_SAMPLE_BYTES:
        raise Problem(TOO_MANY_SAMPLES)
    try:
        sample = TemplateSample.store(query.format, cast("BinaryIO", body), query.filename)
    except Refused as error:
        raise Problem("unacceptable_sample", error.explain(_)) from None
    except StorageUnavailable:
        raise Problem("storage_away", headers={"Retry-After": "5"}) from None
    return SampleShape.of(sample)


problem(
    "unacceptable_sample", 422, "Meta would not take this file as a sample", N_("Choose a file as the detail says.")
)
