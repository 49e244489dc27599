"""What Meta's words for templates are called here."""

from __future__ import annotations

from app.words import N_

# With how a badge shows it. What Meta may add is shown as Meta writes it.
STATUSES: dict[str, tuple[str, str]] = {
    "DRAFT": (N_("Draft"), ""),
    "PENDING": (N_("In review"), "info"),
    "APPROVED": (N_("Approved"), "success"),
    "REINSTATED": (N_("Approved again"), "success"),
    "FLAGGED": (N_("Quality warning"), "warning"),
    "REJECTED": (N_("Rejected"), "error"),
    "PAUSED": (N_("Paused"), "warning"),
    "LOCKED": (N_("Held back"), "warning"),
    "DISABLED": (N_("Disabled"), "error"),
    "IN_APPEAL": (N_("In appeal"), "info"),
    "LIMIT_EXCEEDED": (N_("Limit reached"), "error"),
    "ARCHIVED": (N_("Archived"), ""),
    "PENDING_DELETION": (N_("Being deleted"), ""),
    "DELETED": (N_("Deleted"), ""),
}
# A version that is being worked on, beside the status at Meta.
OPEN_STATES: dict[str, tuple[str, str]] = {
    "draft": (N_("Unsubmitted changes"), ""),
    "awaiting": (N_("Waiting for approval"), "warning"),
    "submitting": (N_("Being submitted"), "info"),
}
CATEGORIES = {"UTILITY": N_("Utility"), "MARKETING": N_("Marketing"), "AUTHENTICATION": N_("Authentication")}
QUALITIES: dict[str, tuple[str, str]] = {
    "GREEN": (N_("High"), "success"),
    "YELLOW": (N_("Medium"), "warning"),
    "RED": (N_("Low"), "error"),
}
BUTTONS = {
    "QUICK_REPLY": N_("Quick reply"),
    "URL": N_("Open a website"),
    "PHONE_NUMBER": N_("Call a number"),
    "COPY_CODE": N_("Copy a code"),
    "FLOW": N_("Open a flow"),
    "CATALOG": N_("View catalog"),
    "MPM": N_("View several products"),
    "SPM": N_("View the product"),
    "VOICE_CALL": N_("Call on WhatsApp"),
    "REQUEST_CONTACT_INFO": N_("Share contact info"),
}
VALIDITIES = {
    "UTILITY": N_("If WhatsApp can't deliver it for so long, it isn't sent. 30 to 43,200; -1 or empty: 30 days."),
    "AUTHENTICATION": N_("If WhatsApp can't deliver it for so long, it isn't sent. 30 to 900; empty: 10 minutes."),
    "MARKETING": N_("Meta takes it only on accounts with the Marketing Messages API. Leave it empty."),
}
