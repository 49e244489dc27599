"""How the states of messages and conversations read: keys of gettext."""

from __future__ import annotations

from app.words import N_

MESSAGE_STATES = {
    "received": N_("Received"),
    "scheduled": N_("Scheduled"),
    "queued": N_("Queued"),
    "dispatching": N_("Sending"),
    "accepted": N_("Accepted by WhatsApp"),
    "sent": N_("Sent"),
    "delivered": N_("Delivered"),
    "read": N_("Read"),
    "played": N_("Played"),
    "failed": N_("Failed"),
    "unknown": N_("Delivery unconfirmed"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Expired"),
}
CONVERSATION_STATES = {
    "open": N_("Open"),
    "pending": N_("Pending"),
    "snoozed": N_("Snoozed"),
    "resolved": N_("Resolved"),
    "archived": N_("Archived"),
    "spam": N_("Spam"),
    "blocked": N_("Blocked"),
    "merged": N_("Merged"),
}
