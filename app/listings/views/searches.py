"""Saved searches of customers, and the alerts that they got."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from app import dates
from app.contacts.consents import Consent
from app.contacts.models import Contact
from app.contacts.refusals import Refusal
from app.listings.alerts import ListingAlert
from app.listings.blueprint import bp
from app.listings.forms import SearchForm
from app.listings.saved_searches import FREQUENCIES, MOST_OF_CONTACT, NoConsent, SavedSearch, has_consent
from app.listings.settings import ListingSettings
from app.tenancy import Paged, current_actor, db, requires
from app.tenancy.guard import is_fragment
from app.words import N_

PAGE, MOST_ALERTS = 50, 20
Answer = str | tuple[str, int] | AnyResponse
ALERT_STATES = {
    "due": (N_("Queued"), "info"),
    "sent": (N_("Sent"), "success"),
    "skipped": (N_("Not sent"), ""),
    "refused": (N_("Not sent"), "warning"),
    "capped": (N_("Held back by WhatsApp"), "warning"),
}
REASONS = {
    "gone": N_("Everything in it was sold, let or withdrawn before it was sent."),
    "stopped": N_("The search was stopped before it was sent."),
    "late": N_("It couldn't be sent on the day it was for."),
    "no_consent": N_("The customer no longer agrees to marketing."),
    "held_back": N_("WhatsApp limits how much marketing a person gets. The next alert waits two days."),
    "unsubscribed": N_("The customer has opted out of marketing."),
    "number_unavailable": N_("The number was not connected."),
    "business_closed": N_("The business was closed."),
    "not_funded": N_("The balance or the spending cap didn't cover it."),
}
OTHER_REASON = N_("The notification could not be sent to this customer. Look at the notification and its template.")


@bp.get("/searches")
@requires("listings.view")
def searches() -> str:
    query = select(SavedSearch).options(joinedload(SavedSearch.contact)).order_by(SavedSearch.id.desc())
    alerts = select(ListingAlert).options(joinedload(ListingAlert.contact)).order_by(ListingAlert.created_at.desc())
    return render_template(
        "listings/searches.html",
        page=Paged.of(query, PAGE),
        alerts=db.session.scalars(alerts.limit(MOST_ALERTS)).all(),
        settings=ListingSettings.current(),
        states=ALERT_STATES,
        reasons=REASONS,
        other_reason=OTHER_REASON,
    )


@bp.get("/searches/of/<uuid:contact_id>")
@requires("listings.view")
def searches_of_one_contact(contact_id: uuid.UUID) -> str:
    """A part of the contact's page, loaded when it is opened; without JavaScript, a page of its own."""
    contact = Contact.get_or_404(contact_id)
    searches = db.session.scalars(SavedSearch.of_contact(contact.id).limit(MOST_OF_CONTACT)).all()
    page = "_of_contact" if is_fragment() else "of_contact"
    return render_template(f"listings/{page}.html", contact=contact, searches=searches, frequencies=FREQUENCIES)


@bp.get("/searches/new")
@requires("listings.edit")
def new_search() -> str:
    contact = contact_or_404(request.args.get("contact"))
    form = SearchForm(formdata=None, data={"contact_id": str(contact.id)})
    return search_page(form, contact)


def contact_or_404(id: str | None) -> Contact:
    contact = Contact.get_or_404(id)
    if contact.is_erased:
        raise NotFound
    return contact


def search_page(form: SearchForm, contact: Contact) -> str:
    return render_template(
        "listings/search.html",
        form=form,
        contact=contact,
        has_consent=has_consent(contact.id),
        settings=ListingSettings.current(),
    )


@bp.post("/searches")
@requires("listings.edit")
def save_search() -> Answer:
    form = SearchForm()
    contact = contact_or_404(form.contact_id.data)
    if not form.validate():
        return search_page(form, contact), 422
    by = current_actor()
    try:
        with db.session.begin_nested():
            if form.consent_source.data:
                evidence = {"source": form.consent_source.data, "evidence": form.consent_evidence.data}
                Consent.record(contact.id, "marketing", is_granted=True, by=by, **evidence)
            SavedSearch.begin(
                contact,
                form.criteria,
                source="agent",
                by=by,
                name=form.name.data,
                frequency=form.frequency.data,
                wants_drops=form.wants_drops.data,
            )
    except Refusal as refusal:
        form.blame(refusal)
        return search_page(form, contact), 422
    flash(" ".join((_("Search saved."), when_alerts_go(form.frequency.data))))
    return redirect(url_for("contacts.show", contact_id=contact.id), 303)


def when_alerts_go(frequency: str) -> str:
    settings = ListingSettings.current()
    notification = settings.alert_notification
    if notification is None:
        return str(_("No alerts are sent until a notification for them is chosen in the listing settings."))
    if not notification.is_active:
        return str(_("No alerts are sent until the notification for them is resumed."))
    if frequency == "daily":
        return str(_("New listings are sent once a day, from %(time)s.", time=dates.hour(settings.alert_hour)))
    return str(_("An alert goes out when something new matches, at most once a day."))


@bp.post("/searches/<uuid:saved_search_id>/stop")
@requires("listings.edit")
def stop_search(saved_search_id: uuid.UUID) -> AnyResponse:
    search = SavedSearch.get_or_404(saved_search_id)
    if search.stop(by=current_actor(), how="agent"):
        flash(_("Alerts about this search are stopped."))
    return redirect(url_for(".searches"), 303)


@bp.post("/searches/<uuid:saved_search_id>/resumption")
@requires("listings.edit")
def resume_search(saved_search_id: uuid.UUID) -> AnyResponse:
    search = SavedSearch.get_or_404(saved_search_id)
    try:
        search.resume()
    except NoConsent as refusal:
        flash(refusal.explain(_), "error")
    else:
        flash(" ".join((_("Search resumed."), when_alerts_go(search.frequency))))
    return redirect(url_for(".searches"), 303)


@bp.post("/searches/<uuid:saved_search_id>/removal")
@requires("listings.edit")
def remove_search(saved_search_id: uuid.UUID) -> AnyResponse:
    db.session.delete(SavedSearch.get_or_404(saved_search_id))
    flash(_("Search deleted."))
    return redirect(url_for(".searches"), 303)
