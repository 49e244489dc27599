"""Background jobs of notifications: push messages to browsers, digests by email."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog
from sqlalchemy import select

from app.egress import Answer, Egress, Refused, Unreachable
from app.extensions import outside, settings
from app.tenancy import Tenant, commit, db, in_turn, job, later, now, platform_scope, sweep

from . import digest as digests
from .models import NotificationRule, PushNotification, PushSubscription
from .web_push import Target, send
from .words import payload, topic

log = structlog.get_logger()

AT_ONCE = 200
TOGETHER = 50
THREADS = 16
GONE = (404, 410)


@job("push.send", seconds=120)
def push() -> None:
    """Sends what is due to the push services of the browsers it is for."""
    PushSubscription.let_sleep()
    claimed = PushNotification.claim(TOGETHER)
    for stale in [one for one in claimed if not one.is_news]:
        stale.finish()
        claimed.remove(stale)
    pushes = [partial(deliver, outside().egress, *push_message(one)) for one in claimed]
    commit()
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda send: send(), pushes))
    for one, answer in zip(claimed, answers, strict=True):
        settle(one, answer)
    if len(claimed) == TOGETHER:
        later("push.send")


def push_message(one: PushNotification) -> tuple[Target, dict[str, object], uuid.UUID, str, str]:
    return one.subscription.destination, payload(one), topic(one), settings.secret_key, settings.public_url


def deliver(
    egress: Egress, target: Target, words: dict[str, object], about: uuid.UUID, secret_key: str, contact: str
) -> Answer | Refused | Unreachable:
    try:
        return send(egress, target, words, about=about, secret_key=secret_key, contact=contact)
    except (Refused, Unreachable) as problem:
        return problem


def settle(one: PushNotification, answer: Answer | Refused | Unreachable) -> None:
    browser = PushSubscription.find(one.subscription_id)
    if browser is None:
        return
    match answer:
        case Answer(status=status) if status in GONE:
            db.session.delete(browser)
        case Answer(status=status) if status < 300:
            browser.note_delivery()
            one.finish()
        case Refused():
            db.session.delete(browser)
            log.warning("push refused", reason=str(answer))
        case _:
            log.info("push not taken", answer=answer.status if isinstance(answer, Answer) else str(answer))
            browser.note_failure()
            one.retry_later()


@sweep(every=5)
def enqueue_due_pushes() -> None:
    with platform_scope("notifications that are due"):
        due = select(PushNotification.tenant_id).where(PushNotification.next_attempt_at <= now()).distinct()
        for tenant_id in db.session.scalars(due):
            later("push.send", tenant_id=tenant_id)


@job("push.digest")
def digest(rule_id: str) -> None:
    """Mails one member what waits, if it is time and anything does."""
    due = select(NotificationRule).where(NotificationRule.id == rule_id, *digests.is_due())
    if rule := db.session.scalar(due.with_for_update(of=NotificationRule, skip_locked=True)):
        digests.Digest(rule).go()


@sweep(every=60)
def enqueue_due_digests() -> None:
    is_open = NotificationRule.tenant_id.not_in(Tenant.closed_ones())
    due = select(NotificationRule.tenant_id, NotificationRule.id).where(*digests.is_due(), is_open)
    with platform_scope("digests that are due"):
        for tenant_id, rule_id in db.session.execute(in_turn(due, NotificationRule.next_digest_at, AT_ONCE)):
            later("push.digest", rule_id, tenant_id=tenant_id)
