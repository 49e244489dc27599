"""The list of notifications, the page of each, and its form."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.api.snippets import Request as ApiRequest
from app.billing.terms import category_words
from app.extensions import settings
from app.inbox.compose.first_messages import Recipient
from app.inbox.compose.problems import NOT_SENT, explain
from app.inbox.conversations import Conversation, Message
from app.message_templates.models import MessageTemplate
from app.meta.message_templates import SENDABLE
from app.meta.outgoing import Refused
from app.meta.template_schema import keys_of, name_of
from app.meta.written_numbers import NotRead
from app.notifications.blueprint import bp
from app.notifications.figures import Caller, Figures, newest
from app.notifications.forms import NotificationForm, TestForm
from app.notifications.models import InUse, NameTaken, Notification
from app.notifications.uses import uses_of
from app.notifications.values import TYPES
from app.tenancy import Paged, current_actor, db, in_menu, requires
from app.wabas.models import PhoneNumber
from app.words import N_

PAGE = 50
MOST_TEMPLATES = 300
Answer = str | tuple[str, int] | AnyResponse


@bp.get("/")
@in_menu(
    "settings",
    N_("Notifications"),
    "megaphone",
    order=125,
    group="inbox",
    hint=N_("Templates that your systems send by name."),
)
@requires("notifications.view")
def index() -> str:
    page = Paged.of(Notification.in_order(), PAGE)
    figures = Figures.by_notification([one.id for one in page.rows])
    variants = {one.id: usable(one) for one in page.rows}
    return render_template("notifications/index.html", page=page, figures=figures, usable=variants)


def usable(notification: Notification) -> list[str]:
    """The languages in which it can be sent now."""
    return sorted({one.language for one in notification.variants() if notification.obstacle(one) is None})


@bp.get("/new")
@requires("notifications.edit")
def new() -> str:
    """First which template, then what fills it in."""
    name = request.args.get("template", "")
    if not name or not (variants := Notification(template=name, language="").variants()):
        return render_template("notifications/choose.html", templates=offered())
    return form_page(NotificationForm(begun(name, variants)))


def offered() -> list[MessageTemplate]:
    """One for each name that can be sent, the newest use first."""
    query = MessageTemplate.listed().where(MessageTemplate.status.in_(SENDABLE)).order_by(MessageTemplate.name)
    by_name: dict[str, MessageTemplate] = {}
    for one in db.session.scalars(query.limit(MOST_TEMPLATES)):
        if one.definition.can_be_filled and all(one.files):
            by_name.setdefault(one.name, one)
    return list(by_name.values())


def begun(name: str, variants: list[MessageTemplate]) -> Notification:
    sendable = [one for one in variants if one.is_sendable] or variants
    made = Notification(template=name, language=sendable[0].language, title=sendable[0].title, mapping=[])
    made.name, made.api_key_ids, made.access, made.pause_minutes = free_name(name[:50]), [], "any", 0
    return made


def free_name(name: str) -> str:
    return name if Notification.named(name) is None else f"{name}_2"


@bp.post("/new")
@requires("notifications.edit")
def create() -> Answer:
    name = request.args.get("template", "")
    variants = Notification(template=name, language="").variants()
    if not variants:
        return redirect(url_for(".new"), 303)
    return save(NotificationForm(begun(name, variants)))


@bp.get("/<uuid:notification_id>/edit")
@requires("notifications.edit")
def edit(notification_id: uuid.UUID) -> str:
    return form_page(NotificationForm(with_template(notification_id)))


@bp.post("/<uuid:notification_id>/edit")
@requires("notifications.edit")
def change(notification_id: uuid.UUID) -> Answer:
    return save(NotificationForm(with_template(notification_id)))


def with_template(notification_id: uuid.UUID) -> Notification:
    """It with another template, where the address names one. Nothing is stored by that."""
    one = Notification.get_or_404(notification_id)
    name = request.args.get("template", "")
    if name and (variants := Notification(template=name, language="").variants()):
        with db.session.no_autoflush:
            db.session.expunge(one)
            one.template = name
            if one.language not in {each.language for each in variants}:
                one.language = variants[0].language
    return one


def save(form: NotificationForm) -> Answer:
    if not form.validate():
        return form_page(form), 422
    try:
        notification = form.save()
        notification.save(by=current_actor())
    except NameTaken:
        form.name.errors = [_("Another notification has this name.")]
        return form_page(form), 422
    flash(_("“%(name)s” saved.", name=notification.title))
    return redirect(url_for(".show", notification_id=notification.id), 303)


def form_page(form: NotificationForm) -> str:
    return render_template("notifications/form.html", form=form, notification=form.notification, templates=offered())


@bp.get("/<uuid:notification_id>")
@requires("notifications.view")
def show(notification_id: uuid.UUID) -> str:
    return page_of(Notification.get_or_404(notification_id), TestForm(formdata=None, client_id=uuid.uuid4()))


def page_of(notification: Notification, form: TestForm) -> str:
    variants = notification.variants()
    obstacles = {one.id: why.explain(_) for one in variants if (why := notification.obstacle(one))}
    usable = [one for one in variants if one.id not in obstacles]
    form.language.choices = [(code, code) for code in dict.fromkeys(one.language for one in usable)]
    return render_template(
        "notifications/show.html",
        notification=notification,
        variants=variants,
        obstacles=obstacles,
        previews=[(one, preview(notification, one)) for one in usable],
        category_words=category_words,
        types=TYPES,
        figures=Figures.by_notification([notification.id]).get(notification.id, Figures()),
        callers=Caller.of(notification.id),
        sent=newest(notification.id),
        uses=uses_of(notification.id),
        call=call_of(notification),
        number=PhoneNumber.find(notification.phone_number_id),
        form=form,
    )


def preview(notification: Notification, variant: MessageTemplate) -> dict[str, Any]:
    """How it looks with its examples, in this language."""
    needed = {name_of(place) for place in variant.definition.variables}
    values: dict[str, str] = {}
    for row in notification.variables:
        if row.target in needed and (given := row.example or row.default):
            try:
                values[row.target] = row.read(given, variant.language)
            except Refused:
                continue
    return variant.definition.shown(keys_of(variant.definition, values))


def examples(notification: Notification) -> dict[str, str]:
    return {row.name: row.example for row in notification.variables if row.example}


def call_of(notification: Notification) -> ApiRequest:
    address = f"{settings.public_url}/api/v1/notifications/{notification.name}"
    body = {"to": {"phone": "+221771234567", "name": "Awa"}, "variables": examples(notification)}
    return ApiRequest("POST", address, {}, body, is_repeatable=True)


@bp.post("/<uuid:notification_id>/pause")
@requires("notifications.edit")
def pause(notification_id: uuid.UUID) -> AnyResponse:
    notification = Notification.get_or_404(notification_id).refresh_locked()
    notification.pause()
    notification.save(by=current_actor())
    flash(_("Paused. Nothing sends it until you resume it."))
    return redirect(url_for(".show", notification_id=notification_id), 303)


@bp.post("/<uuid:notification_id>/pause/removal")
@requires("notifications.edit")
def resume(notification_id: uuid.UUID) -> AnyResponse:
    notification = Notification.get_or_404(notification_id).refresh_locked()
    notification.resume()
    notification.save(by=current_actor())
    flash(_("Resumed."))
    return redirect(url_for(".show", notification_id=notification_id), 303)


@bp.post("/<uuid:notification_id>/removal")
@requires("notifications.edit")
def remove(notification_id: uuid.UUID) -> AnyResponse:
    notification = Notification.get_or_404(notification_id)
    try:
        notification.remove(by=current_actor())
    except InUse as error:
        flash(error.explain(_), "error")
        return redirect(url_for(".show", notification_id=notification_id), 303)
    flash(_("“%(name)s” deleted.", name=notification.title))
    return redirect(url_for(".index"), 303)


@bp.post("/<uuid:notification_id>/tests")
@requires("notifications.edit")
def send_test(notification_id: uuid.UUID) -> Answer:
    """Sends it with its examples to a phone, as a message like any other."""
    notification, form = Notification.get_or_404(notification_id), TestForm()
    form.language.choices = [(code, code) for code in usable(notification)]
    if not form.validate():
        return page_of(notification, form), 422
    try:
        message = put(notification, Recipient.of_number(form.phone.data), form)
    except NotRead as error:
        form.phone.errors = [error.explain(_)]
    except NOT_SENT as error:
        form.phone.errors = [explain(error)]
    else:
        flash(_("Sent. See in the conversation what becomes of it."))
        return redirect(url_for("inbox.show", conversation_id=message.conversation_id), 303)
    return page_of(notification, form), 422


def put(notification: Notification, recipient: Recipient, form: TestForm) -> Message:
    def send(conversation: Conversation) -> Message:
        values, by = examples(notification), current_actor()
        return notification.send(
            conversation, values, by=by, client_id=form.client_id.data, language=form.language.data
        )

    number = notification.number_for(recipient, select(PhoneNumber))
    if conversation := recipient.conversations.get(number.id):
        return send(conversation)
    return recipient.write(number, send, by=current_actor())
