"""The list of subscriptions, the page of each, renewing and cancelling, and what reminds of their end."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response as AnyResponse

from app.notifications.attempts import words_of
from app.notifications.models import Notification
from app.subscriptions.blueprint import bp
from app.subscriptions.forms import RenewalForm, SubscriptionFilter, SubscriptionSettingsForm
from app.subscriptions.models import (
    COLUMNS,
    DAY_WORDS,
    FACTS,
    Subscription,
    SubscriptionReminder,
    SubscriptionSettings,
    business_zone,
    zone_called,
)
from app.templating import in_zone
from app.tenancy import Paged, as_uuid, current_actor, in_menu, requires
from app.words import N_, pN_

PAGE = 50
STATUS_WORDS = {
    "active": (pN_("of a subscription", "Active"), "success"),
    "cancelled": (pN_("of a subscription", "Cancelled"), ""),
    "ended": (N_("Ended"), "warning"),
}
REMINDER_WORDS = {
    "waiting": (N_("Planned"), "info"),
    "sent": (N_("Sent"), "success"),
    "skipped": (N_("Not sent"), "warning"),
    "cancelled": (N_("Taken back"), ""),
}
Answer = str | tuple[str, int] | AnyResponse


@bp.get("/")
@in_menu("records", N_("Subscriptions"), "calendar-sync", order=50)
@requires("subscriptions.view")
def index() -> str:
    wanted = SubscriptionFilter.read(request.args)
    page = Paged.of(wanted.query().options(selectinload(Subscription.contact)), PAGE)
    settings = SubscriptionSettings.current()
    reminds = any(settings.chosen(days) for days in COLUMNS)
    return render_template("subscriptions/index.html", page=page, wanted=wanted, statuses=STATUS_WORDS, reminds=reminds)


@bp.get("/<uuid:subscription_id>")
@requires("subscriptions.view")
def show(subscription_id: uuid.UUID) -> str:
    return page_of(Subscription.get_or_404(subscription_id))


def page_of(subscription: Subscription, form: RenewalForm | None = None) -> str:
    reminders = SubscriptionReminder.of(subscription)
    return render_template(
        "subscriptions/show.html",
        subscription=subscription,
        reminders=reminders,
        problems={one.id: words_of(one.problem) for one in reminders},
        due={one.id: local_words(one.due_at, subscription.zone) for one in reminders},
        statuses=STATUS_WORDS,
        reminder_words=REMINDER_WORDS,
        day_words=DAY_WORDS,
        form=form or RenewalForm(subscription),
    )


def local_words(moment: dt.datetime, zone: str) -> str:
    """5 December 2026, 09:00 UTC: by the clock that the reminder goes by."""
    return in_zone(moment.astimezone(zone_called(zone)))


@bp.post("/<uuid:subscription_id>/renewal")
@requires("subscriptions.edit")
def renew(subscription_id: uuid.UUID) -> Answer:
    subscription = Subscription.get_or_404(subscription_id).refresh_locked()
    form = RenewalForm(subscription)
    if not form.validate() or form.ends_on.data is None:
        return page_of(subscription, form), 422
    subscription.renew(form.ends_on.data, by=current_actor())
    flash(_("Renewed. Reminders of the earlier end are taken back."))
    return redirect(url_for(".show", subscription_id=subscription_id), 303)


@bp.post("/<uuid:subscription_id>/cancellation")
@requires("subscriptions.edit")
def cancel(subscription_id: uuid.UUID) -> AnyResponse:
    Subscription.get_or_404(subscription_id).refresh_locked().cancel()
    flash(_("Cancelled. The customer gets no more reminders."))
    return redirect(url_for(".show", subscription_id=subscription_id), 303)


@bp.get("/settings")
@requires("subscriptions.edit")
def settings() -> str:
    return settings_page(SubscriptionSettingsForm(SubscriptionSettings.current()))


def settings_page(form: SubscriptionSettingsForm) -> str:
    chosen = {name: Notification.find(as_uuid(form[name].data)) for name in COLUMNS.values()}
    lacks = {name: one.lacks(FACTS) if one else [] for name, one in chosen.items()}
    return render_template(
        "subscriptions/settings.html",
        form=form,
        names=list(COLUMNS.values()),
        chosen=chosen,
        lacks=lacks,
        facts=FACTS,
        zone=business_zone(),
    )


@bp.post("/settings")
@requires("subscriptions.edit")
def save_settings() -> Answer:
    settings = SubscriptionSettings.to_change()
    form = SubscriptionSettingsForm(settings)
    if not form.validate():
        return settings_page(form), 422
    settings.save(int(form.hour.data), form.chosen)
    flash(_("Saved."))
    return redirect(url_for(".settings"), 303)
