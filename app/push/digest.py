"""A mail that says how many customers wait and since when, with links. What they wrote stays in the inbox."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from flask import render_template
from flask_babel import ngettext
from sqlalchemy import ColumnElement, select, text

from app.extensions import mailer, settings
from app.inbox.conversations import Conversation
from app.templating import in_language_of, in_zone
from app.tenancy import Tenant, commit, current_tenant_id, db, now

from .models import NotificationRule
from .words import path

WAITS = dt.timedelta(minutes=15)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
LOOK_AGAIN = LEASE = dt.timedelta(minutes=5)
LISTED = 10
MOST = 100


def is_due() -> tuple[ColumnElement[bool], ...]:
    return NotificationRule.digest != "off", NotificationRule.next_digest_at <= now()


@dataclass(frozen=True, slots=True)
class Waiting:
    """An unread conversation, and since when."""

    conversation: Conversation
    since: dt.datetime


class Digest:
    """One member's mail."""

    def __init__(self, rule: NotificationRule) -> None:
        self.rule, self.member, self.at = rule, rule.membership, now()

    def go(self) -> None:
        rule = self.rule
        if rule.is_quiet(self.at):
            rule.next_digest_at = rule.quiet_ends(self.at)
            return
        waiting = self.waiting()
        if waiting and self.is_worth_a_mail(waiting):
            self.send(waiting)
            rule.digest_sent_at = self.at
            rule.next_digest_at = rule.next_digest_after(self.at) if rule.digest == "daily" else self.at + HOUR
        else:
            rule.next_digest_at = rule.next_digest_after(self.at + LOOK_AGAIN)

    def waiting(self) -> list[Waiting]:
        """The longest first."""
        since = {row.id: row.since for row in db.session.execute(UNREAD, {"tenant": current_tenant_id(), "most": MOST})}
        query = select(Conversation).where(Conversation.id.in_(since))
        waiting = [
            Waiting(conversation, since[conversation.id])
            for conversation in db.session.scalars(query)
            if self.rule.covers(conversation, self.member.user_id) and since[conversation.id] < self.at - WAITS
        ]
        return sorted(waiting, key=lambda one: one.since)

    def is_worth_a_mail(self, waiting: list[Waiting]) -> bool:
        """Whether somebody new waits since the last mail; the same customers are listed once a day at most."""
        last = self.rule.digest_sent_at
        return last is None or last < self.at - DAY or any(one.since + WAITS > last for one in waiting)

    def send(self, waiting: list[Waiting]) -> None:
        tenant = db.session.get_one(Tenant, self.rule.tenant_id)
        with in_language_of(self.member.user):
            lines = [(self.name(one), self.clock(one.since), self.link(tenant, one.conversation.id)) for one in waiting]
            subject = ngettext(
                "%(num)d customer waits at %(business)s",
                "%(num)d customers wait at %(business)s",
                len(waiting),
                business=tenant.name,
            )
            body = render_template(
                "push/mail/digest.txt",
                user=self.member.user,
                count=len(waiting),
                since=self.clock(waiting[0].since),
                lines=lines[:LISTED],
                more=len(lines[LISTED:]),
                inbox=settings.public_url + path("inbox.index", tenant_slug=tenant.slug),
                rules=settings.public_url + path("push.index", tenant_slug=tenant.slug),
            )
        address = self.member.user.email
        # Until it is sent no other worker sends it; whoever is killed meanwhile has it sent again after a while.
        self.rule.next_digest_at = self.at + LEASE
        commit()
        mailer.send(address, subject, body)

    def name(self, one: Waiting) -> str:
        return one.conversation.contact.name if self.rule.preview else ""

    def clock(self, moment: dt.datetime) -> str:
        local = moment.astimezone(self.rule.zone)
        return in_zone(local, "MMMMd")

    def link(self, tenant: Tenant, conversation_id: uuid.UUID) -> str:
        return settings.public_url + path("inbox.show", tenant_slug=tenant.slug, conversation_id=conversation_id)


# Since the oldest of the messages that are still unread.
UNREAD = text("""
    select c.id, coalesce(first.occurred_at, c.last_inbound_at) as since
    from conversations c
    left join lateral (
        select min(m.occurred_at) as occurred_at from (
            select occurred_at from messages
            where tenant_id = :tenant and conversation_id = c.id and direction = 'inbound'
            order by occurred_at desc, id desc limit c.unread_count
        ) m
    ) first on true
    where c.tenant_id = :tenant and c.state in ('open', 'pending') and c.unread_count > 0
      and c.last_inbound_at is not null
    order by c.last_message_at desc limit :most
""")
