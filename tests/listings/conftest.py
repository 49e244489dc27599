"""An agency in Dakar: listings, a customer who agreed to alerts, and the notification that alerts are sent by."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.contacts.consents import Consent
from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message
from app.listings.alerts import ListingAlert
from app.listings.criteria import Criteria
from app.listings.inquiries import Inquiry
from app.listings.jobs import send_alerts
from app.listings.matching import match
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch
from app.listings.settings import ListingSettings
from app.notifications.models import Notification
from app.notifications.values import Variable
from app.tenancy import Actor, Tenant, db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import caller, shop  # noqa: F401  (fixtures)
from tests.message_templates.templates import approved
from tests.world import World, conversation

VILLA = {
    "title": "Villa with a garden",
    "kind": "sale",
    "type": "villa",
    "city": "Dakar",
    "district": "Almadies",
    "price_micros": 500_000_000_000,
    "currency": "XOF",
    "rooms": 5.0,
    "area": 240.0,
    "url": "https://agency.example/dkr-204",
}
NAMES = ("first_name", "count", "title", "price", "link")
STOP = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Stop alerts"}]}


def body(answer: TestResponse) -> Any:
    return answer.json


@dataclass
class Agency:
    """Bakery, as if it sold houses."""

    app: Flask
    world: World
    number: PhoneNumber
    talk: Conversation

    @property
    def tenant(self) -> Tenant:
        return self.world.bakery

    @property
    def by(self) -> Actor:
        return Actor.agent(self.world.ann)

    def put(self, external_id: str = "DKR-204", **given: Any) -> Listing:
        with tenant_scope(self.tenant.id):
            listing, _ = Listing.put(external_id, VILLA | given, source="api", by=self.by)
            db.session.flush()
            db.session.refresh(listing)
        return listing

    def change(self, external_id: str, **given: Any) -> None:
        with tenant_scope(self.tenant.id):
            listing = Listing.with_external_id(external_id)
            assert listing
            listing.refresh_locked().change(given, by=self.by)

    def agree(self, *, is_granted: bool = True) -> None:
        with tenant_scope(self.tenant.id):
            Consent.record(self.talk.contact_id, "marketing", is_granted=is_granted, source="paper", by=self.by)

    def look_for(
        self, contact_id: uuid.UUID | None = None, *, since: dt.timedelta = dt.timedelta(hours=1), **given: Any
    ) -> SavedSearch:
        """A search that was saved a while ago."""
        more = {name: given.pop(name) for name in ("frequency", "wants_drops", "name") if name in given}
        with tenant_scope(self.tenant.id):
            contact = Contact.get_or_404(contact_id or self.talk.contact_id)
            criteria = Criteria.of(given or {"kind": "sale", "places": ["Dakar"]})
            search = SavedSearch.begin(contact, criteria, source="agent", by=self.by, **more)
            search.seen_until = now() - since
        return search

    def notify(
        self, purpose: str = "alert", names: tuple[str, ...] = NAMES, language: str = "en_US", **more: Any
    ) -> None:
        """Chooses a notification for a purpose, with a template that Meta has approved."""
        examples = [{"param_name": name, "example": "x"} for name in names]
        body = "Hello. " + " ".join(f"{{{{{name}}}}} and" for name in names) + " more."
        components: list[dict[str, Any]] = [
            {"type": "BODY", "text": body, "example": {"body_text_named_params": examples}}
        ]
        components += [STOP] if purpose == "alert" else []
        category = "MARKETING" if purpose == "alert" else "UTILITY"
        approved(self.number, f"t_{purpose}", language, category=category, components=components)
        rows = [Variable(name, "text", True, "x", "", name).row for name in names]
        with tenant_scope(self.tenant.id):
            made = Notification(name=purpose, title=purpose, template=f"t_{purpose}", language=language)
            made.mapping, made.api_key_ids = rows, []
            made.save(by=self.by)
            settings = ListingSettings.current()
            setattr(settings, f"{purpose}_notification_id", made.id)
            for name, value in more.items():
                setattr(settings, name, value)
            settings.save()

    def match(self, hour: int = 12, days: int = 0) -> int:
        """What the worker does at an hour of the business's clock."""
        with tenant_scope(self.tenant.id):
            at = now().replace(hour=hour) + dt.timedelta(days=days)
            return match(ListingSettings.current(), at)

    def send(self) -> None:
        send_alerts(self.tenant.id)

    def alerts(self) -> list[ListingAlert]:
        with tenant_scope(self.tenant.id):
            return list(db.session.query(ListingAlert).order_by(ListingAlert.created_at))

    def inquiries(self) -> list[Inquiry]:
        with tenant_scope(self.tenant.id):
            return list(db.session.query(Inquiry).order_by(Inquiry.id))

    def sent(self, source: str = "listing_alert") -> list[Message]:
        with tenant_scope(self.tenant.id):
            return list(db.session.query(Message).filter(Message.source == source).order_by(Message.id))


@pytest.fixture
def agency(app: Flask, world: World) -> Agency:
    number, _ = world.connect_numbers()
    return Agency(app, world, number, conversation(number, wa_id="221771234567", name="Awa Diop"))
