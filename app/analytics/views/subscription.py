"""Getting the figures of each week by email, or no longer."""

from __future__ import annotations

from flask import flash, g, redirect, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app import dates, zones
from app.analytics.blueprint import bp
from app.analytics.models import ReportSubscription
from app.tenancy import db, now, requires
from app.tenancy.limits import one_at_a_time


@bp.post("/subscription")
@requires("reports.read")
def subscribe() -> AnyResponse:
    """In the zone and language that the page is read in. Saving again takes the present ones."""
    one_at_a_time("report_subscriptions")
    subscription = ReportSubscription.of(g.membership) or ReportSubscription(membership_id=g.membership.id)
    subscription.time_zone, subscription.language = zones.reader_zone().key, str(get_locale() or "en")
    subscription.next_at = subscription.next_after(now(), zones.tenant_zone())
    db.session.add(subscription)
    flash(_("You get last week's figures every Monday at %(time)s.", time=dates.hour(8)))
    return redirect(url_for("analytics.index"), 303)


@bp.post("/subscription/removal")
@requires("reports.read")
def unsubscribe() -> AnyResponse:
    if subscription := ReportSubscription.of(g.membership):
        db.session.delete(subscription)
    flash(_("You no longer get these emails."))
    return redirect(url_for("analytics.index"), 303)
