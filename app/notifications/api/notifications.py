"""Notifications for programs: send one by its name; list, get, put, change and delete them."""

from __future__ import annotations

import re
import uuid
from functools import partial
from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.exceptions import NotFound

from app.api import (
    ApiKey,
    Created,
    Fault,
    Page,
    PageQuery,
    Place,
    Problem,
    check_match,
    current_key,
    endpoint,
    problem,
    scope,
)
from app.api.pages import after, page_of
from app.contacts.fields import ContactField
from app.inbox.api import reach
from app.inbox.api.messages import client_id, number_of, recipient_of
from app.inbox.api.refused import SENDING, as_problem
from app.inbox.api.shapes import MessageShape
from app.inbox.compose.first_messages import Recipient
from app.inbox.compose.problems import NOT_SENT
from app.inbox.conversations import Conversation, Message
from app.notifications.models import InUse, NameTaken, Notification
from app.notifications.refusals import Invalid, SentLately, Unavailable
from app.notifications.values import mistakes_in
from app.tenancy import db
from app.wabas.models import PhoneNumber
from app.words import N_

from .shapes import (
    GivenNotification,
    NotificationChange,
    NotificationSending,
    NotificationShape,
    NotificationSummary,
)

SEND = scope("notifications:send", N_("Send notifications by their names"))
READ = scope("notifications:read", N_("Read notifications and the schemas of their variables"))
WRITE = scope("notifications:write", N_("Make, change and delete notifications"))
TAG = "Notifications"
SLUG = re.compile(r"[a-z][a-z0-9_]{0,59}")
NOT_ALLOWED = problem(
    "notification_not_allowed",
    403,
    "This key may not send this notification",
    N_("Choose the key on the notification's page, or let any key with the scope send it."),
)
UNAVAILABLE = problem(
    "notification_unavailable",
    409,
    "The notification can't be sent now",
    N_("The detail says why. Fix it on the notification's page."),
)
SENT_LATELY = problem(
    "notification_sent_lately",
    409,
    "The contact got it a moment ago",
    N_("Too soon after the last one to the same contact. Its page says how long to wait."),
)
IN_USE = problem(
    "notification_in_use", 409, "Something sends this notification", N_("Choose another notification there first.")
)


def find_notification(name: str) -> Notification:
    if (results := Notification.named(name)) is None:
        raise NotFound
    return results


@endpoint(
    "POST",
    "/notifications/<name>",
    scope=SEND,
    body=NotificationSending,
    gives=MessageShape,
    status=202,
    tag=TAG,
    problems=(*SENDING, NOT_ALLOWED, UNAVAILABLE, SENT_LATELY),
)
def send_notification(name: str, body: NotificationSending) -> MessageShape:
    """Send a notification.

    To a phone number, a contact or a conversation. It goes out with its template in the recipient's language; values
    such as dates and amounts are written as that language writes them. The problem of a value names its variable.
    """
    notification = find_notification(name)
    if not notification.may_be_sent_by(current_key().id):
        raise Problem(NOT_ALLOWED)
    try:
        return MessageShape.of(put_to(recipient_of(body), notification, body))
    except Invalid as error:
        faults = [
            Fault("invalid_variable", why.explain(_), pointer=pointer(key)) for key, why in error.mistakes.items()
        ]
        raise Problem("invalid_request", error.explain(_), errors=faults) from None
    except SentLately as error:
        raise Problem(SENT_LATELY, error.explain(_)) from None
    except Unavailable as error:
        raise Problem(UNAVAILABLE, error.explain(_)) from None
    except NOT_SENT as error:
        raise as_problem(error, "/variables") from None


def pointer(name: str) -> str:
    return "/variables/" + name[:100].replace("~", "~0").replace("/", "~1")


def put_to(recipient: Recipient | Conversation, notification: Notification, body: NotificationSending) -> Message:
    send = partial(put, notification, body)
    if isinstance(recipient, Conversation):
        return send(recipient)
    number = number_of(body) if body.from_ else notification.number_for(recipient, reach.numbers())
    if conversation := recipient.conversations.get(number.id):
        return send(conversation)
    if obstacle := recipient.obstacle_on(number):
        raise Problem("unreachable", obstacle, errors=[Fault("unreachable", obstacle, pointer="/to")])
    return recipient.write(number, send, by=current_key().actor, name=body.to.name)


def put(notification: Notification, body: NotificationSending, conversation: Conversation) -> Message:
    return notification.send(
        conversation,
        body.variables,
        by=current_key().actor,
        client_id=client_id(),
        language=body.language,
        send_at=body.send_at,
    )


@endpoint("GET", "/notifications", scope=READ, query=PageQuery, gives=Page[NotificationSummary], tag=TAG)
def list_notifications(query: PageQuery) -> Page[NotificationSummary]:
    """List notifications.

    By their names.
    """
    rows = after(select(Notification), query.after, Notification.id, Notification.name, ascending=True)
    results = db.session.scalars(rows.limit(query.limit + 1))
    return page_of(results, query.limit, NotificationSummary.of, lambda one: Place(one.id, one.name))


@endpoint("GET", "/notifications/<name>", scope=READ, gives=NotificationShape, tag=TAG)
def get_notification(name: str) -> NotificationShape:
    """Get a notification.

    With the JSON Schema of its variables, the languages that it can be sent in, and what keeps the others.
    """
    return NotificationShape.of(find_notification(name))


@endpoint(
    "PUT", "/notifications/<name>", scope=WRITE, body=GivenNotification, gives=NotificationShape, tag=TAG, creates=True
)
def put_notification(name: str, body: GivenNotification) -> NotificationShape | Created:
    """Make or replace a notification.

    Under a name of small letters, digits and underscores.
    """
    check(body)
    if (notification := Notification.named(name)) is None:
        if request.headers.get("If-Match") is not None:
            raise Problem("changed_meanwhile")
        if not SLUG.fullmatch(name):
            words = "Use small letters a to z, digits and underscores, up to 60."
            raise Problem("invalid_request", errors=[Fault("invalid_name", words, parameter="name")])
        try:
            return Created(store(Notification(name=name), body))
        except NameTaken:
            notification = find_notification(name)
    check_match(NotificationShape.of(notification.refresh_locked()))
    return store(notification, body)


@endpoint("PATCH", "/notifications/<name>", scope=WRITE, body=NotificationChange, gives=NotificationShape, tag=TAG)
def update_notification(name: str, body: NotificationChange) -> NotificationShape:
    """Change a notification.

    `is_paused` stops and resumes it.
    """
    notification = find_notification(name).refresh_locked()
    present = NotificationShape.of(notification)
    check_match(present)
    names = GivenNotification.model_fields.keys()
    values: dict[str, Any] = {key: value for key, value in present if key in names}
    nullable = ("language_field_id", "from_")
    values |= {
        key: value for key, value in body if key in body.model_fields_set and (key in nullable or value is not None)
    }
    wanted = GivenNotification(**values)
    check(wanted)
    return store(notification, wanted)


@endpoint("DELETE", "/notifications/<name>", scope=WRITE, tag=TAG, problems=(IN_USE,))
def delete_notification(name: str) -> None:
    """Delete a notification.

    Messages that were sent stay.
    """
    try:
        find_notification(name).remove(by=current_key().actor)
    except InUse:
        raise Problem(IN_USE) from None


def store(notification: Notification, body: GivenNotification) -> NotificationShape:
    notification.title, notification.template, notification.language = body.title, body.template, body.language
    notification.mapping = [one.variable.row for one in body.variables]
    notification.language_field_id, notification.phone_number_id = body.language_field_id, body.from_
    notification.access, notification.api_key_ids = body.access, [str(id) for id in body.api_key_ids]
    notification.pause_minutes = body.pause_minutes
    if body.is_paused:
        notification.pause()
    else:
        notification.resume()
    notification.save(by=current_key().actor)
    return NotificationShape.of(notification)


def check(body: GivenNotification) -> None:
    """Raises a `Problem` that names every part that is wrong."""
    faults = [
        Fault("invalid_variable", why.explain(_), pointer=f"/variables/{place}")
        for place, why in mistakes_in([one.variable for one in body.variables]).items()
    ]
    if body.from_ and not db.session.scalar(reach.numbers().where(PhoneNumber.id == body.from_)):
        faults.append(missing("/from"))
    if body.language_field_id and not ContactField.find(body.language_field_id):
        faults.append(missing("/language_field_id"))
    # A test key works where no keys are.
    ids = set() if current_key().is_test else set(body.api_key_ids)
    existing = set(db.session.scalars(select(ApiKey.id).where(ApiKey.id.in_(ids)))) if ids else set[uuid.UUID]()
    faults += [missing(f"/api_key_ids/{place}") for place, id in enumerate(body.api_key_ids) if id in ids - existing]
    if faults:
        raise Problem("invalid_request", errors=faults)


def missing(pointer: str) -> Fault:
    return Fault("not_found", "There is nothing with this id.", pointer=pointer)
