"""What the builder calls versions, buttons and times."""

from __future__ import annotations

from app.words import N_

# A version that is being worked on, beside the status at Meta.
OPEN_STATES: dict[str, tuple[str, str]] = {
    "draft": (N_("Unsubmitted changes"), ""),
    "awaiting": (N_("Waiting for approval"), "warning"),
    "submitting": (N_("Being submitted"), "info"),
}
FORMATS = {
    "IMAGE": N_("Image"),
    "VIDEO": N_("Video"),
    "DOCUMENT": N_("Document"),
    "LOCATION": N_("Location"),
    "PRODUCT": N_("Product"),
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
    "MARKETING": N_("It counts only in the Marketing Messages API, which isn't used here. Leave it empty."),
}
