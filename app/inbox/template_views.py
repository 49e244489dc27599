"""Sending a template, which WhatsApp allows at any time: choosing one, filling its gaps, seeing it, sending it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import abort, g, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.message_templates.models import MessageTemplate, TemplateList
from app.meta.codes.explanation import N_
from app.meta.outgoing import Refused
from app.tenancy import later, now, requires, takes_files
from app.tenancy.guard import is_fragment

from .attachments import LARGEST, Attachment
from .compose_views import sent
from .forms import WritingForm
from .models import Conversation, Message
from .offers import Offer, best_offer, known_of, sent_since_closed
from .problems import NOT_SENT, told
from .views import bp


@bp.get("/<uuid:conversation_id>/templates")
@requires("inbox.reply")
def templates(conversation_id: uuid.UUID) -> str:
    """Those that may be sent now."""
    conversation = Conversation.get_or_404(conversation_id)
    waba_id = conversation.phone_number.waba_id
    known = known_templates(waba_id)
    sendable, terms = MessageTemplate.sendable(waba_id), conversation.terms
    prices = {one.id: terms.price_of(one.category, now()) for one in sendable}
    context = {"conversation": conversation, "known": known, "waba_id": waba_id, "prices": prices}
    page = "inbox/_templates.html" if is_fragment() else "inbox/templates.html"
    return render_template(page, templates=sendable, **context)


def known_templates(waba_id: uuid.UUID) -> TemplateList:
    """Meta is asked again when the list is old."""
    known = TemplateList.of(waba_id)
    if known.is_due:
        known.ask()
        later("message_templates.fetch", waba_id)
    return known


@bp.get("/<uuid:conversation_id>/templates/<uuid:template_id>")
@requires("inbox.reply")
def template(conversation_id: uuid.UUID, template_id: uuid.UUID) -> str:
    """Its form, with the preview of what is filled in so far."""
    conversation, chosen = Conversation.get_or_404(conversation_id), template_or_404(conversation_id, template_id)
    return render_form(conversation, chosen)


@bp.post("/<uuid:conversation_id>/templates/<uuid:template_id>")
@requires("inbox.reply")
@takes_files(LARGEST + 1_000_000)
def send_template(conversation_id: uuid.UUID, template_id: uuid.UUID) -> str | tuple[str, int] | AnyResponse:
    conversation, chosen = Conversation.get_or_404(conversation_id), template_or_404(conversation_id, template_id)
    if "preview" in request.form:
        return render_form(conversation, chosen)
    form = WritingForm()
    form.validate()
    try:
        message = filled(conversation, chosen, form)
    except NOT_SENT as problem:
        return render_form(conversation, chosen, told(problem)), 422
    return sent(conversation, message)


@bp.get("/<uuid:conversation_id>/offer")
@requires("inbox.reply")
def offer(conversation_id: uuid.UUID) -> str:
    return render_template("inbox/_offered.html", **offer_context(Conversation.get_or_404(conversation_id)))


@bp.app_template_global()
def offer_context(conversation: Conversation) -> dict[str, Any]:
    """What to send while only templates may be sent. Meta is asked when nothing is known yet."""
    found = best_offer(conversation, by=current_user, tenant=g.tenant)
    if found is None:
        known_templates(conversation.phone_number.waba_id)
    return {
        "conversation": conversation,
        "offer": found,
        "estimate": found and conversation.terms.price_of(found.template.category, now()),
        "sent": sent_since_closed(conversation),
    }


def filled(conversation: Conversation, chosen: MessageTemplate, form: WritingForm) -> Message:
    outgoing = chosen.definition.filled(request.form)
    conversation.refuse_what_cannot_go(outgoing)
    media = None
    if kind := chosen.definition.file_kind:
        upload = request.files.get("file")
        if not (upload and upload.filename):
            raise Refused(N_("This template begins with a file: choose one."))
        attachment = Attachment.of(upload.stream, upload.filename)
        if attachment.kind != kind:
            raise Refused(N_("This template begins with another kind of file than “{name}”."), name=attachment.name)
        media = attachment.row(is_known=conversation.said_before(form.id) is not None)
    chosen.use()
    return conversation.send(outgoing, by=current_user, client_id=form.id, media=media)


def render_form(conversation: Conversation, chosen: MessageTemplate, problem: str = "") -> str:
    values: Mapping[str, Any] = request.form
    if request.method == "GET":
        known = Offer.of(chosen, known_of(conversation, by=current_user, tenant=g.tenant))
        values = known.values | request.args.to_dict()
    definition = chosen.definition
    context = {
        "conversation": conversation,
        "template": chosen,
        "estimate": conversation.terms.price_of(chosen.category, now()),
        "definition": definition,
        "values": values,
        "shown": definition.shown(values),
        "client_id": values.get("client_id") or str(uuid.uuid4()),
        "problem": problem,
    }
    page = "inbox/_template_form.html" if is_fragment() else "inbox/template_form.html"
    return render_template(page, **context)


def template_or_404(conversation_id: uuid.UUID, template_id: uuid.UUID) -> MessageTemplate:
    conversation, chosen = Conversation.get_or_404(conversation_id), MessageTemplate.get_or_404(template_id)
    if chosen.waba_id != conversation.phone_number.waba_id:
        abort(404)
    return chosen
