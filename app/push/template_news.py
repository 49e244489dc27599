"""Which news of templates becomes a notification, and for whom."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from app.message_templates.models import MessageTemplate
from app.tenancy import Happened, Membership, db, now

from .models import NotificationRule, PushNotification, PushSubscription
from .news import FRESH

KINDS = ("template.awaiting", "template.changed")
# Statuses that somebody has to do something about.
TROUBLE = ("REJECTED", "PAUSED", "DISABLED", "LIMIT_EXCEEDED", "FLAGGED")


def notify(happenings: list[Happened]) -> None:
    """Queues a push message for each browser of those who can do something about it."""
    news = {one.subject_id: one for one in happenings if needs_somebody(one)}
    listed = select(MessageTemplate.id).where(MessageTemplate.id.in_(list(news)))
    existing = set(db.session.scalars(listed)) if news else set()
    if existing:
        browsers = awake_browsers()
        for template_id in sorted(existing):
            notify_each(browsers, template_id, news[template_id])


def needs_somebody(one: Happened) -> bool:
    if one.at < now() - FRESH:
        return False
    if one.kind == "template.awaiting":
        return True
    is_metas = one.facts.source != "member"
    return is_metas and (one.facts.what == "category" or (one.facts.what == "status" and one.facts.after in TROUBLE))


def awake_browsers() -> list[PushSubscription]:
    rules = {rule.membership_id: rule for rule in db.session.scalars(select(NotificationRule))}
    return [one for one in PushSubscription.awake() if is_wanted(rules.get(one.membership.id))]


def is_wanted(rule: NotificationRule | None) -> bool:
    return rule is None or (rule.templates and not rule.is_quiet(now()))


def notify_each(browsers: list[PushSubscription], template_id: uuid.UUID, one: Happened) -> None:
    permission = "templates.approve" if one.kind == "template.awaiting" else "templates.edit"
    for browser in browsers:
        if browser.membership.may(permission) and not is_by(one, browser.membership):
            PushNotification.put_about_template(browser, template_id)


def is_by(one: Happened, member: Membership) -> bool:
    return one.actor is not None and one.actor.user_id == member.user_id
