"""How far a message is, and which of them the outbox looks for."""

from __future__ import annotations

# Ticks only ever climb this ladder. A `failed` that comes late never hides a proof of delivery.
RANKS = {
    "queued": 0,
    "dispatching": 1,
    "unknown": 2,
    "accepted": 10,
    "sent": 20,
    "failed": 30,
    "delivered": 40,
    "read": 50,
    "played": 60,
}
STATES = ("received", "scheduled", *RANKS, "cancelled", "expired")
# The replies of people go before what is automatic, and that before campaigns, whose pace leaves a share for both.
LANES = ("replies", "automation", "campaigns")
# The source of what an automation says beside others: it greets, and leaves what was asked to whoever answers.
GREETING = "greeting"
# Who sent a message, as a filter offers it: the kinds of `Actor` behind each choice.
SENDERS = {
    "customer": ("customer",),
    "people": ("agent", "phone"),
    "automation": ("automation", "assistant", "sequence"),
    "campaigns": ("campaign",),
    "api": ("api",),
    "system": ("system",),
}

# What a person may have to look after (see failures.py).
TROUBLE = ("failed", "unknown", "expired")
IN_TROUBLE = "state in ('failed', 'unknown', 'expired')"
OUTBOX_INDEXES = (
    ("lane", ("tenant_id", "phone_number_id", "lane", "id"), "state = 'queued'"),
    ("due", ("tenant_id", "phone_number_id", "next_attempt_at"), "state = 'queued'"),
    ("pair", ("tenant_id", "conversation_id", "id"), "state in ('queued', 'dispatching')"),
    ("leased", ("lease_until",), "state = 'dispatching'"),
    ("expiring", ("expires_at",), "state = 'queued'"),
    ("scheduled", ("send_at",), "state = 'scheduled'"),
    ("unknown", ("tenant_id", "id"), "state = 'unknown' and may_repeat"),
)
