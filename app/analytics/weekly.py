"""The figures of last week by email: numbers and links, none of what people wrote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from flask import current_app, render_template
from flask_babel import force_locale, pgettext
from flask_babel import gettext as _

from app.extensions import mailer, settings
from app.hours.models import ServicePolicy
from app.templating import percent
from app.tenancy import Tenant, commit, db, now

from .figures import Report
from .models import ReportSubscription
from .periods import Period
from .words import compared, number, took

# Until it is sent no other worker sends it; if this one is killed, it is sent again after a while.
LEASE = dt.timedelta(minutes=10)


def send_week(subscription: ReportSubscription) -> None:
    """Of the last whole week before it is due, in the business's days; an agent gets their own figures."""
    member = subscription.membership
    zone = ServicePolicy.current().hours.zone
    due = subscription.next_at.astimezone(subscription.zone).date()
    who = None if member.may("reports.read_all") else member.user_id
    report = Report(Period.week_before(due, zone), who=who)
    tenant = db.session.get_one(Tenant, subscription.tenant_id)
    with force_locale(subscription.language):
        subject = _("%(business)s: last week's figures", business=tenant.name)
        body = render_template(
            "analytics/mail/week.txt",
            user=member.user,
            tenant=tenant,
            report=report,
            period=report.period,
            lines=lines_of(report),
            address=address_of(tenant, report.period),
        )
    following = subscription.next_after(max(now(), subscription.next_at), zone)
    subscription.next_at = now() + LEASE
    commit()
    mailer.send(member.user.email, subject, body)
    subscription.next_at = following


def lines_of(report: Report) -> Iterator[tuple[str, str, str]]:
    """Each figure's name, what it is, and how it compares."""
    if report.who is None:
        received = report.received(), report.received(is_now=False)
        yield str(_("Messages received")), number(received[0]), compared(*received)
    sent = report.outbound(), report.outbound(is_now=False)
    yield str(_("Messages sent")), number(sent[0]), compared(*sent)
    names = (
        ("opened", _("New conversations")),
        ("reopened", pgettext("of conversations", "Reopened")),
        ("resolved", pgettext("of conversations", "Resolved")),
    )
    for kind, name in names:
        counts = report.fact(kind).count, report.fact_before(kind).count
        yield str(name), number(counts[0]), compared(*counts)
    for kind, name in (("first_response", _("First response")), ("next_response", _("Next response"))):
        before = report.fact_before(kind).timing.median
        words = str(_("%(time)s before", time=took(before))) if before is not None else ""
        yield str(_("%(name)s, median", name=name)), took(report.fact(kind).timing.median), words
    missed = report.fact("promise").missed, report.fact_before("promise").missed
    yield str(_("Missed targets")), number(missed[0]), compared(*missed)
    ratings = {row.is_now: row for row in report.ratings("all")}
    if ratings.get(True):
        before_words = str(_("%(percent)s before", percent=percent(ratings[False].percent))) if False in ratings else ""
        yield str(_("Survey score")), percent(ratings[True].percent), before_words


def address_of(tenant: Tenant, period: Period) -> str:
    days = {"from": period.first.isoformat(), "to": period.last.isoformat()}
    path = current_app.url_map.bind("").build("analytics.index", {"tenant_slug": tenant.slug} | days)
    return f"{settings.public_url}{path}"
