"""How the states of messages and conversations read: keys of gettext."""

from __future__ import annotations

from app.words import N_, pN_

MESSAGE_STATES = {
    "received": pN_("of a message", "Received"),
    "scheduled": pN_("of a message", "Scheduled"),
    "queued": pN_("of a message", "Queued"),
    "dispatching": N_("Sending"),
    "accepted": N_("Accepted by WhatsApp"),
    "sent": pN_("of a message", "Sent"),
    "delivered": pN_("of a message", "Delivered"),
    "read": pN_("of a message", "Read"),
    "played": pN_("of a message", "Played"),
    "failed": pN_("of a message", "Failed"),
    "unknown": N_("Delivery unconfirmed"),
    "cancelled": pN_("of a message", "Cancelled"),
    "expired": pN_("of a message", "Expired"),
}
CONVERSATION_STATES = {
    "open": pN_("of a conversation", "Open"),
    "pending": N_("Pending"),
    "snoozed": pN_("of a conversation", "Snoozed"),
    "resolved": pN_("of a conversation", "Resolved"),
    "archived": pN_("of a conversation", "Archived"),
    "spam": N_("Spam"),
    "blocked": pN_("of a conversation", "Blocked"),
    "merged": pN_("of a conversation", "Merged"),
}
