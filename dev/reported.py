"""What the demo's bakery sends by name, and what its shop reports: notifications, payments, standing orders."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select

from app.contacts.models import ContactIdentity
from app.notifications.models import Notification
from app.notifications.values import Variable
from app.payments.models import Given as Paid
from app.payments.models import Payment, PaymentSettings
from app.subscriptions.models import Given as Ordered
from app.subscriptions.models import Subscription, SubscriptionSettings, end_of, zone_called
from app.tenancy import Actor, db, now

EURO, ZONE = 1_000_000, "Europe/Berlin"
# Name, category, text, examples: as `dev.seed` makes templates.
TEMPLATES = (
    (
        "payment_received",
        "UTILITY",
        "Hello {{1}}, we received {{2}} for {{3}}. Thank you.",
        ["Carla", "48 €", "a cake"],
    ),
    (
        "standing_order_ending",
        "UTILITY",
        "Hello {{1}}, your standing order {{2}} ends on {{3}}. Write to us to go on.",
        ["Emre", "Café", "5 December 2026"],
    ),
)
PAID = (
    ("order-1041", "4915798765432", 48, "Birthday cake, raspberry", "received", 2),
    ("order-1040", "905321234567", 186, "Café order of last week", "received", 50),
    ("order-1039", "16505551234", 9, "Two loaves of rye bread", "refunded", 74),
    ("order-1042", "919812345678", 75, "30 croissants", "failed", 5),
)
ORDERED = (
    ("so-17", "905321234567", "Café, every Monday", 3, 120, False),
    ("so-18", "919812345678", "Office breakfast", 12, 75, False),
    ("so-12", "447911123456", "Sourdough, every Saturday", 80, 6, True),
)


def report(by: Actor) -> None:
    """In the bakery's scope. What is there already stays as it is."""
    if Notification.named("payment_received"):
        return
    name = Variable("name", "text", False, "Carla", "there", "1")
    paid = [
        name,
        Variable("amount", "money", True, "48 EUR", "", "2"),
        Variable("title", "text", True, "a cake", "", "3"),
    ]
    ends = [
        name,
        Variable("title", "text", True, "Café", "", "2"),
        Variable("date", "date", True, "2026-12-05", "", "3"),
    ]
    confirmation = notification("payment_received", "Payment received", "payment_received", paid, by)
    ending = notification("standing_order_ending", "Standing order ends", "standing_order_ending", ends, by)
    PaymentSettings(notification_id=confirmation.id).save()
    SubscriptionSettings.current().save(9, dict.fromkeys((-14, -3, 0), ending.id))
    for external_id, wa_id, amount, title, status, hours in PAID:
        paid_at = now() - dt.timedelta(hours=hours)
        given = Paid(contact_of(wa_id), amount * EURO, "EUR", title, external_id.upper(), paid_at, status)
        payment, _is_new = Payment.claim(external_id, given)
        payment.settle(by=by, confirms=False)
    for external_id, wa_id, title, days, price, renews in ORDERED:
        ends_on = now().date() + dt.timedelta(days=days)
        ends_at = end_of(ends_on, zone_called(ZONE))
        order = Ordered(contact_of(wa_id), title, ends_on, ends_at, ZONE, renews, price * EURO, "EUR", "active")
        subscription, _is_new = Subscription.claim(external_id, order)
        subscription.schedule()


def notification(name: str, title: str, template: str, rows: list[Variable], by: Actor) -> Notification:
    made = Notification(name=name, title=title, template=template, language="en_US", api_key_ids=[])
    made.mapping = [row.row for row in rows]
    made.save(by=by)
    return made


def contact_of(wa_id: str) -> uuid.UUID:
    mine = ContactIdentity.kind == "wa_id", ContactIdentity.value == wa_id
    return db.session.scalars(select(ContactIdentity.contact_id).where(*mine)).one()
