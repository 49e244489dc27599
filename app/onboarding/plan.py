"""The steps of connecting a number, in their order, with the title that people read."""

from __future__ import annotations

from app.words import N_

PLAN: dict[str, str] = {
    "code_exchanged": N_("Facebook sign-in accepted"),
    "token_inspected": N_("Permissions checked"),
    "assets_confirmed": N_("WhatsApp account and number found"),
    "webhooks_subscribed": N_("Messages reach Switchboard"),
    "system_user_assigned": N_("Access to your WhatsApp account set up"),
    "credit_line_shared": N_("Payment to Meta set up"),
    "credit_line_verified": N_("Payment to Meta confirmed"),
    "number_verified": N_("Number verified"),
    "number_registered": N_("Number registered with WhatsApp"),
    "health_checked": N_("Number can send and receive"),
    "app_synchronised": N_("Contacts and message history requested"),
    "hello_seen": N_("First message received"),
}
