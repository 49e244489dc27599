"""Somebody has proved to hold the number."""

from __future__ import annotations

from app.contacts import countries
from app.contacts.settings import ContactSettings
from app.extensions import graph
from app.meta import phone_numbers
from app.meta.errors import GraphError
from app.onboarding.models import Onboarding
from app.onboarding.trouble import Trouble
from app.tenancy import commit
from app.words import N_

from .registry import step


@step()
def number_verified(onboarding: Onboarding) -> None:
    """The Facebook window verifies a number on the way, but may be left before."""
    number, token = onboarding.phone_number, onboarding.waba.token
    meta_id = number.meta_id
    if country := countries.code_of(number.display_number):
        # Most customers of a business are where its number is.
        ContactSettings.assume_country(country)
    commit()
    seen = phone_numbers.fetch(graph, token, meta_id)
    if not (seen.is_verified or seen.is_registered or seen.is_on_biz_app):
        raise unverified()


def unverified(error: GraphError | None = None) -> Trouble:
    return Trouble(
        N_("WhatsApp doesn't know yet that this number is yours."),
        N_("Request a code by text message or call, and enter it here."),
        asks="code",
    ).quoting(error)
