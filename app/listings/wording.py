"""What customers read about listings, in their language; and what fills in a notification about one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from app.notifications.models import Notification

from .amounts import price_words, typed_price
from .models import Listing

# fmt: off
STOPPED = {
    "en": "Alerts for “{search}” are stopped. You can ask us to start them again at any time.",
    "fr": "Les alertes pour « {search} » sont arrêtées. Vous pouvez nous demander de les reprendre à tout moment.",
    "ar": "تم إيقاف التنبيهات عن «{search}». يمكنك أن تطلب منا استئنافها في أي وقت.",
    "es": "Las alertas de «{search}» se han detenido. Puedes pedirnos que las reanudemos cuando quieras.",
    "pt": "Os alertas de “{search}” foram interrompidos. Pode pedir-nos para os retomar a qualquer momento.",
    "de": "Die Hinweise zu „{search}“ sind beendet. Sie können sie bei uns jederzeit wieder bestellen.",
}
# fmt: on
# What alerts fill in, what the message to an owner does, and what a program reads of it.
ALERT_VARIABLES = ("first_name", "count", "title", "place", "price", "link", "listings")
INQUIRY_VARIABLES = ("customer", "title", "reference", "place", "price", "link")


def in_language(texts: dict[str, str], language: str) -> str:
    return texts.get(language.partition("_")[0]) or texts["en"]


def language_for(notification: Notification, contact_id: uuid.UUID) -> str:
    """In which a notification reaches a contact, as Meta writes languages: fr, pt_BR."""
    return (notification.language_of(contact_id) or notification.language).replace("-", "_")


def filled(notification: Notification, listing: Listing, values: dict[str, str], language: str) -> dict[str, str]:
    """The variables that the notification has, of a listing and these values.

    A price is an amount where the notification takes money, else as the language writes it.
    """
    amount = f"{typed_price(listing.price_micros)} {listing.currency}" if listing.price_micros else "–"
    value_of = {
        "title": listing.title,
        "reference": listing.external_id,
        "place": listing.location or listing.title,
        "price": price_words(listing.price_micros, listing.currency, language) or "–",
        "link": listing.url or "–",
    } | values
    types = {variable.name: variable.type for variable in notification.variables}
    value_of |= {"price": amount} if types.get("price") == "money" else {}
    return {name: value for name, value in value_of.items() if name in types}


def unfilled(notification: Notification | None, names: Sequence[str]) -> list[str]:
    """The variables that a notification needs and that are none of these."""
    rows: list[Any] = notification.variables if notification else []
    return sorted({row.name for row in rows if row.is_required and row.name not in names})
