"""One button makes what a purpose needs: the draft of a template and a notification."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from app.appointments.settings import AppointmentSettings
from app.listings.settings import ListingSettings
from app.message_templates.models import MessageTemplate
from app.message_templates.versions import TemplateVersion
from app.notifications.models import Notification
from app.notifications.purposes import PURPOSES, stages_of
from app.payments.models import PaymentSettings
from app.subscriptions.models import SubscriptionSettings
from app.tenancy import Actor, db, tenant_scope
from app.wabas.models import PhoneNumber, Waba
from tests.client import Browser
from tests.message_templates.templates import approved
from tests.world import World

BY = Actor.system("tests")


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


@pytest.fixture
def ann(app: Flask, world: World, number: PhoneNumber) -> Browser:
    return Browser(app, "bakery").signed_in_as(world.ann)


def begin(browser: Browser, purpose: str, language: str = "fr") -> int:
    return browser.post(f"~/notifications/purposes/{purpose}", {"language": language}).status_code


def approve(number: PhoneNumber) -> None:
    """What Meta does with every draft."""
    with tenant_scope(number.tenant_id):
        for one in db.session.scalars(select(MessageTemplate)):
            version = TemplateVersion.open_of(one.id)
            assert version
            one.components, one.status, one.meta_id = version.components, "APPROVED", f"1{one.id.int % 10**9}"
            db.session.delete(version)


@pytest.mark.parametrize("key", sorted(PURPOSES))
def test_what_is_made_is_chosen_and_lacks_only_metas_approval(number: PhoneNumber, key: str) -> None:
    purpose = PURPOSES[key]
    with tenant_scope(number.tenant_id):
        made = purpose.begin(Waba.get_or_404(number.waba_id), "ar", by=BY)
        assert made and purpose.find() == made and made.lacks(purpose.fills) == []
        assert "draft" in next(one for one in stages_of(purpose.endpoint) if one.purpose == purpose).words
    approve(number)
    with tenant_scope(number.tenant_id):
        assert [one.language for one in made.variants() if made.obstacle(one) is None] == ["ar"]
        assert purpose not in [one.purpose for one in stages_of(purpose.endpoint)]


def test_alerts_are_marketing_and_what_an_owner_gets_is_not(ann: Browser, number: PhoneNumber) -> None:
    assert begin(ann, "listings.alerts") == begin(ann, "listings.inquiries") == 303
    with tenant_scope(number.tenant_id):
        settings = ListingSettings.current()
        assert settings.alert_notification and settings.alert_notification.category == "MARKETING"
        assert settings.inquiry_notification and settings.inquiry_notification.category == "UTILITY"


def test_the_next_one_is_offered_in_the_same_language(ann: Browser, number: PhoneNumber) -> None:
    answer = ann.post("~/notifications/purposes/listings.alerts", {"language": "ar"})
    after = ann.get(answer.headers["Location"].partition("#")[0]).text
    assert 'value="ar" selected' in " ".join(after.split())
    nonsense = ann.get("~/listings/settings?language=xx").text
    assert 'value="en_US" selected' in " ".join(nonsense.split())


def test_the_button_twice_makes_one(ann: Browser, number: PhoneNumber) -> None:
    for _ in range(2):
        begin(ann, "payments.confirmation")
    with tenant_scope(number.tenant_id):
        (notification,) = db.session.scalars(select(Notification))
        (template,) = db.session.scalars(select(MessageTemplate))
        assert PaymentSettings.current().notification_id == notification.id and template.language == "fr"


def test_days_before_the_end_share_one_template(ann: Browser, number: PhoneNumber) -> None:
    for purpose in ("before_14", "before_3", "on_day"):
        begin(ann, f"subscriptions.{purpose}")
    with tenant_scope(number.tenant_id):
        settings = SubscriptionSettings.current()
        assert settings.before_14_id == settings.before_3_id == settings.on_day_id is not None
        assert len(db.session.scalars(select(MessageTemplate)).all()) == 1


def test_reminders_get_it_where_they_had_nothing(ann: Browser, number: PhoneNumber) -> None:
    begin(ann, "appointments.reminder")
    with tenant_scope(number.tenant_id):
        assert {one.notification for one in AppointmentSettings.current().plan} == {"appointment_soon"}


def test_the_page_says_what_is_still_to_happen(ann: Browser) -> None:
    page = ann.get("~/payments/settings").get_data(as_text=True)
    assert "Create from the gallery" in page
    begin(ann, "payments.confirmation")
    page = ann.get("~/payments/settings").get_data(as_text=True)
    assert "Create from the gallery" not in page and "the template is a draft" in page


@pytest.mark.parametrize("feature", ["listings", "appointments", "subscriptions"])
def test_every_settings_page_has_its_buttons(ann: Browser, feature: str) -> None:
    assert "Create from the gallery" in ann.get(f"~/{feature}/settings").get_data(as_text=True)


def test_a_template_of_the_same_name_with_other_variables_stays_as_it_is(ann: Browser, number: PhoneNumber) -> None:
    approved(number, "payment_confirmed", "fr")
    begin(ann, "payments.confirmation")
    with tenant_scope(number.tenant_id):
        made = PaymentSettings.current().notification
        assert made and made.template == "payment_confirmed_2" and made.lacks(["amount", "date"]) == []


def test_the_form_of_a_drafts_notification_has_its_variables(ann: Browser, number: PhoneNumber) -> None:
    begin(ann, "payments.confirmation")
    with tenant_scope(number.tenant_id):
        made = PaymentSettings.current().notification
    assert made
    page = ann.get(f"~/notifications/{made.id}/edit").get_data(as_text=True)
    assert all(f'value="{row.target}"' in page for row in made.variables) and len(made.variables) == 4


def test_an_agent_may_not_begin_one(app: Flask, world: World, number: PhoneNumber) -> None:
    ben = Browser(app, "bakery").signed_in_as(world.ben)
    assert begin(ben, "payments.confirmation") == 403


@pytest.mark.parametrize("purposes", [("appointments.booked", "appointments.moved"), ("payments", "payments")])
def test_two_that_are_begun_at_once_are_both_there(
    app: Flask, world: World, number: PhoneNumber, purposes: tuple[str, str]
) -> None:
    keys = [next(key for key in PURPOSES if key.startswith(one)) for one in purposes]
    browsers = [Browser(app, "bakery").signed_in_as(world.ann) for _ in keys]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(begin, browsers, keys)) == [303, 303]
    with tenant_scope(number.tenant_id):
        assert all(PURPOSES[key].find() for key in keys)
        assert len(db.session.scalars(select(Notification)).all()) == len(set(keys))


def test_a_language_is_added_to_what_is_sent_already(ann: Browser, number: PhoneNumber) -> None:
    begin(ann, "appointments.booked", "fr")
    assert "further-appointments.booked" in ann.get("~/appointments/settings").text
    for _again in range(2):
        ann.post("~/notifications/purposes/appointments.booked", {"further-appointments.booked": "ar"})
    with tenant_scope(number.tenant_id):
        made = PURPOSES["appointments.booked"].find()
        assert made and sorted(one.language for one in made.variants()) == ["ar", "fr"]
