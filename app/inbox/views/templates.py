"""Sending a template, which WhatsApp allows at any time: choose one, fill in its variables, preview it, send it."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.billing.terms import Terms
from app.contacts.models import Contact
from app.inbox.blueprint import bp
from app.inbox.compose.forms import WritingForm
from app.inbox.compose.offers import Offer, available_values
from app.inbox.compose.problems import NOT_SENT, explain, variable_of
from app.inbox.compose.template_files import TemplateFiles
from app.inbox.conversations import Conversation, Message
from app.inbox.files.attachments import LARGEST, Attachment
from app.inbox.files.media import Media
from app.message_templates.models import MessageTemplate, TemplateList
from app.meta.message_templates import Template
from app.meta.outgoing import Refused
from app.tenancy import Paged, commit, current_actor, now, requires, takes_files
from app.tenancy.guard import is_fragment
from app.wabas.models import PhoneNumber
from app.words import N_
from app.zones import find_zone, moment_at, reader_zone

from .compose import deliver
from .helpers import offer_context

PAGE = 50


@bp.get("/<uuid:conversation_id>/templates")
@requires("inbox.reply")
def templates(conversation_id: uuid.UUID) -> str:
    """The templates that can be sent now, with their prices."""
    conversation = Conversation.get_or_404(conversation_id)
    refused = conversation.gate.refused_purposes
    context = list_context(conversation.phone_number, conversation.terms, refused) | addresses(conversation)
    name = "inbox/compose/_templates.html" if is_fragment() else "inbox/compose/templates.html"
    return render_template(name, **context)


def list_context(number: PhoneNumber, terms: Terms, refused_purposes: set[str]) -> dict[str, Any]:
    """The templates of a number's account, and which of them the customer has opted out of."""
    page = Paged.of(MessageTemplate.sendable_of(number.waba_id), PAGE)
    return {
        "waba_id": number.waba_id,
        "template_list": TemplateList.fresh(number.waba_id),
        "page": page,
        "prices": {one.id: terms.price_of(one.category, now()) for one in page.rows},
        "refused_purposes": refused_purposes,
    }


def addresses(conversation: Conversation) -> dict[str, Any]:
    """Where the list of templates is, each template's form, and the way back."""
    return {
        "conversation": conversation,
        "list_address": url_for("inbox.templates", conversation_id=conversation.id),
        "address_of": partial(url_for, "inbox.template", conversation_id=conversation.id),
        "back_address": url_for("inbox.show", conversation_id=conversation.id),
    }


@bp.get("/<uuid:conversation_id>/templates/<uuid:template_id>")
@requires("inbox.reply")
def template(conversation_id: uuid.UUID, template_id: uuid.UUID) -> str:
    """The form of a template, with a preview of what is filled in so far."""
    conversation, chosen = Conversation.get_or_404(conversation_id), template_or_404(conversation_id, template_id)
    return render_form(conversation, chosen, TemplateFiles(chosen, request.args))


@bp.post("/<uuid:conversation_id>/templates/<uuid:template_id>")
@requires("inbox.reply")
@takes_files(LARGEST + 1_000_000)
def send_template(conversation_id: uuid.UUID, template_id: uuid.UUID) -> str | tuple[str, int] | AnyResponse:
    conversation, chosen = Conversation.get_or_404(conversation_id), template_or_404(conversation_id, template_id)
    form, files = WritingForm(), TemplateFiles(chosen, request.form)
    form.validate()
    try:
        files.take(request.files)
        if "preview" in request.form:
            return render_form(conversation, chosen, files)
        message = queue_template(conversation, chosen, form, files)
    except NOT_SENT as problem:
        return render_form(conversation, chosen, files, problem), 422
    return deliver(conversation, message)


@bp.get("/<uuid:conversation_id>/offer")
@requires("inbox.reply")
def offer(conversation_id: uuid.UUID) -> str:
    return render_template("inbox/compose/_offered.html", **offer_context(Conversation.get_or_404(conversation_id)))


def queue_template(
    conversation: Conversation, chosen: MessageTemplate, form: WritingForm, files: TemplateFiles
) -> Message:
    """Puts the template into the outbox, with what was filled in. Raises what `Conversation.send` does, `Refused`."""
    if has_own_file(chosen):
        definition = chosen.definition
        outgoing = definition.filled(with_moment(definition, request.form))
        conversation.gate.check(outgoing.type, outgoing.raw, by=current_actor(), file_kind=definition.file_kind or "")
    media = header_file(chosen, is_stored=conversation.message_with(form.id) is not None)
    return queue_filled(conversation, chosen=chosen, form=form, files=files, media=media)


def queue_filled(
    conversation: Conversation,
    *,
    chosen: MessageTemplate,
    form: WritingForm,
    files: TemplateFiles,
    media: Media | None,
) -> Message:
    """The same with the file of its header, where one was chosen, as `header_file` has stored it."""
    definition = chosen.definition
    values = with_moment(definition, request.form)
    if media:
        outgoing = definition.filled(values)
    else:
        outgoing = chosen.filled(values, (), files.ids)
        files.check()
    return conversation.send(outgoing, by=current_actor(), client_id=form.id, media=media)


def header_file(chosen: MessageTemplate, *, is_stored: bool) -> Media | None:
    """The file that was chosen for its header. `is_stored`: by an earlier try. Raises `Refused`, `StorageUnavailable`.

    Ends the transaction: storing takes a while.
    """
    if not chosen.is_sendable:
        raise Refused(N_("WhatsApp doesn't allow this template any more. Choose another one."))
    if not has_own_file(chosen):
        return None
    upload = request.files["file"]
    attachment = Attachment.of(upload.stream, upload.filename or "")
    if attachment.kind != chosen.definition.file_kind:
        raise Refused(N_("“{name}” is the wrong kind of file for this template."), name=attachment.name)
    commit()
    return attachment.row(is_stored=is_stored)


def has_own_file(chosen: MessageTemplate) -> bool:
    upload = request.files.get("file")
    return bool(chosen.definition.file_kind and upload and upload.filename)


def render_form(
    conversation: Conversation, chosen: MessageTemplate, files: TemplateFiles, problem: Exception | None = None
) -> str:
    context = addresses(conversation) | form_context(
        chosen, files, conversation.contact, conversation.phone_number, conversation.terms, problem
    )
    page = "inbox/compose/_template_form.html" if is_fragment() else "inbox/compose/template_form.html"
    return render_template(page, **context)


def form_context(
    chosen: MessageTemplate,
    files: TemplateFiles,
    contact: Contact,
    number: PhoneNumber,
    terms: Terms,
    problem: Exception | None,
) -> dict[str, Any]:
    """The form of a template, with what is typed or else with what is available for its variables."""
    values: Mapping[str, Any] = request.form
    if request.method == "GET":
        available = available_values(contact, number, by=current_actor(), tenant=g.tenant)
        values = Offer.fill(chosen, available).values | request.args.to_dict()
    definition = chosen.definition
    return {
        "template": chosen,
        "estimate": terms.price_of(chosen.category, now()),
        "definition": definition,
        "values": values,
        "shown": definition.shown(with_moment(definition, values), files.ids),
        "files": files.by_card,
        "zone": zone_of(values),
        "client_id": values.get("client_id") or str(uuid.uuid4()),
        "problem": explain(problem) if problem else "",
        "problem_key": variable_of(problem) if problem else "",
    }


def with_moment(definition: Template, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with the end of an offer as Meta takes it; it is typed by the clock of the zone beside it."""
    filled = dict(values)
    for variable in definition.variables:
        if variable.place == "expiration":
            # A time that the clocks skip is refused as one without a zone.
            with suppress(ValueError):
                typed = dt.datetime.fromisoformat(str(filled.get(variable.key, "")))
                filled[variable.key] = moment_at(typed, zone_of(values)).isoformat()
    return filled


def zone_of(values: Mapping[str, Any]) -> zoneinfo.ZoneInfo:
    return find_zone(values.get("zone")) or reader_zone()


def template_or_404(conversation_id: uuid.UUID, template_id: uuid.UUID) -> MessageTemplate:
    conversation, chosen = Conversation.get_or_404(conversation_id), MessageTemplate.get_or_404(template_id)
    if chosen.waba_id != conversation.phone_number.waba_id:
        abort(404)
    return chosen
