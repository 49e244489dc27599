"""How a notification reads. Names and words of customers only for whoever chose to see them."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from flask import current_app
from flask_babel import gettext as _

from app.inbox.conversations import Conversation
from app.message_templates.models import MessageTemplate
from app.message_templates.versions import TemplateVersion
from app.meta.template_statuses import CATEGORIES, status_words
from app.templating import in_language_of, manifest
from app.tenancy import Tenant, db

from .models import NotificationRule, PushNotification
from .news import Unread
from .template_news import TROUBLE


def path(endpoint: str, **values: object) -> str:
    """An address on this site, made without a request."""
    return current_app.url_map.bind("").build(endpoint, values)


def payload(notification: PushNotification) -> dict[str, object]:
    """What the service worker shows (assets/service-worker.js)."""
    membership = notification.subscription.membership
    tenant = db.session.get_one(Tenant, notification.tenant_id)
    rule = NotificationRule.of(membership)
    conversation, template = notification.conversation, notification.template
    with in_language_of(membership.user):
        if template:
            title, body = of_template(template, tenant.name)
        else:
            title, body = in_words(notification.kind, conversation, tenant, preview=rule.preview)
    return {
        "title": title,
        "body": body,
        "url": address(tenant, conversation, template),
        "tag": str(topic(notification)),
        "icon": picture("icon-192.png"),
        "badge": picture("badge.png"),
        "unread": Unread.of(membership, rule).count,
    }


def picture(name: str) -> str:
    return path("static", filename=f"dist/{manifest()[name]}")


def topic(notification: PushNotification) -> uuid.UUID:
    """What a newer one replaces: the conversation's news is one thing, being mentioned in it another."""
    about = notification.conversation_id or notification.template_id or notification.subscription_id
    return about if notification.kind in ("message", "closing") else uuid.uuid5(about, notification.kind)


def address(tenant: Tenant, conversation: Conversation | None, template: MessageTemplate | None = None) -> str:
    if template:
        return path("message_templates.show", tenant_slug=tenant.slug, template_id=template.id)
    if conversation is None:
        return path("push.index", tenant_slug=tenant.slug)
    return path("inbox.show", tenant_slug=tenant.slug, conversation_id=conversation.id)


def in_words(kind: str, conversation: Conversation | None, tenant: Tenant, *, preview: bool) -> tuple[str, str]:
    if conversation is None:
        return _("It works"), _("This is how Switchboard notifies you of new messages.")
    who = preview and conversation.contact.name
    return WORDS[kind](conversation, who or _("A customer"), tenant.name, preview)


def of_message(conversation: Conversation, who: str, business: str, preview: bool) -> tuple[str, str]:
    if preview:
        return who, conversation.last_line or _("New message")
    return business, _("A customer wrote.")


def of_mention(_conversation: Conversation, who: str, business: str, _preview: bool) -> tuple[str, str]:
    return _("A colleague mentioned you"), _("%(business)s: about %(who)s", business=business, who=who)


def of_assignment(_conversation: Conversation, who: str, business: str, _preview: bool) -> tuple[str, str]:
    return _("A conversation was assigned to you"), _("%(business)s: %(who)s", business=business, who=who)


def of_closing(_conversation: Conversation, who: str, _business: str, _preview: bool) -> tuple[str, str]:
    return _("Less than an hour to reply"), _("%(who)s is waiting. After that, only a template can be sent.", who=who)


def of_template(template: MessageTemplate, business: str) -> tuple[str, str]:
    """By how the template is now: it may have changed again since."""
    version = TemplateVersion.open_of(template.id)
    if version and version.state == "awaiting":
        title = _("A template is waiting for your approval")
    elif template.status in TROUBLE:
        words = status_words(template.status)
        title = _("A template needs attention: %(status)s", status=_(words.name))
    else:
        category = _(CATEGORIES.get(template.correct_category or template.category, template.category))
        title = _("Meta changes a template's category to %(category)s", category=category)
    name = f"{template.title} ({template.language})"
    return title, _("%(business)s: %(name)s", business=business, name=name)


WORDS: dict[str, Callable[[Conversation, str, str, bool], tuple[str, str]]] = {
    "message": of_message,
    "mention": of_mention,
    "assignment": of_assignment,
    "closing": of_closing,
}
