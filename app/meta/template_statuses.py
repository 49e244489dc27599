"""What Meta's statuses, reasons and pauses mean, and what to do next.

https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates, webhook
`message_template_status_update`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.words import N_, pN_


@dataclass(frozen=True, slots=True)
class StatusWords:
    """`tone` is the colour of a badge: success, warning, error, info or none."""

    name: str
    meaning: str
    next: str
    tone: str = ""

    @property
    def is_alarming(self) -> bool:
        return self.tone in ("warning", "error")


STATUSES = {
    "DRAFT": StatusWords(
        N_("Draft"),
        N_("Meta hasn't seen this template yet."),
        N_("Submit it when it is ready. Meta usually decides within minutes, at most within a day."),
    ),
    "PENDING": StatusWords(
        N_("In review"),
        N_("Meta is reviewing this template. It can't be sent yet."),
        N_("Wait. Most reviews take minutes, some up to 24 hours. This page shows the result."),
        "info",
    ),
    "APPROVED": StatusWords(
        pN_("of a template", "Approved"), N_("It can be sent to customers at any time."), "", "success"
    ),
    "REINSTATED": StatusWords(N_("Approved again"), N_("Meta has lifted its decision. It can be sent."), "", "success"),
    "REJECTED": StatusWords(
        pN_("of a template", "Rejected"),
        N_("Meta doesn't allow this text. It can't be sent."),
        N_("Change what the reason is about and submit it again. You can do that as often as you need."),
        "error",
    ),
    "PAUSED": StatusWords(
        pN_("of a template", "Paused"),
        N_("Customers blocked or reported messages with this template. It can't be sent while it is paused."),
        N_("Make the text more useful to the customers who get it, or send it to fewer of them."),
        "warning",
    ),
    "DISABLED": StatusWords(
        pN_("of a template", "Disabled"),
        N_("Meta has disabled this template permanently. It can't be sent, edited or deleted."),
        N_("Copy it under another name and change the text, or appeal in WhatsApp Manager."),
        "error",
    ),
    "IN_APPEAL": StatusWords(
        N_("In appeal"),
        N_("Meta is reviewing its decision. It can't be sent yet."),
        N_("Wait for Meta's answer. This page shows it."),
        "info",
    ),
    "FLAGGED": StatusWords(
        N_("Flagged"),
        N_("Its quality is low. Meta will disable it unless that changes. It can still be sent."),
        N_("Send it only to customers who expect it, or improve the text."),
        "warning",
    ),
    "LOCKED": StatusWords(
        N_("Locked"),
        N_("Meta holds this template back because of its quality."),
        N_("Wait until Meta unlocks it, and check who gets it."),
        "warning",
    ),
    "LIMIT_EXCEEDED": StatusWords(
        N_("Limit reached"),
        N_("The account has as many templates as Meta allows, so this one wasn't accepted."),
        N_("Delete templates you don't use, then copy this one and submit the copy."),
        "error",
    ),
    "ARCHIVED": StatusWords(
        pN_("of a template", "Archived"),
        N_("It wasn't used for a year, or somebody archived it. Meta deletes it 28 days after that."),
        N_("Restore it from the archive if you still need it."),
        "warning",
    ),
    "PENDING_DELETION": StatusWords(
        N_("Being deleted"),
        N_("Meta deletes it once messages on their way have arrived."),
        "",
    ),
    "DELETED": StatusWords(
        pN_("of a template", "Deleted"),
        N_("Meta doesn't have this template any more. Its history and figures stay here."),
        N_("Copy it under another name if you need it again."),
    ),
}

# Reasons of a rejection: what is wrong, what to change.
REASONS = {
    "ABUSIVE_CONTENT": (
        N_("Meta sees threatening or abusive content."),
        N_("Remove threats, insults and pressure, such as “last warning”, and say plainly what the message is for."),
    ),
    "INVALID_FORMAT": (
        N_("Variables, links or the format are not as Meta requires."),
        N_(
            "Check that every variable has an example and words around it, that links are complete and not shortened, "
            "and that the language is the one of the text."
        ),
    ),
    "INCORRECT_CATEGORY": (
        N_("The text doesn't fit its category."),
        N_(
            "Choose Marketing if it promotes anything, or remove everything that isn't about what the customer asked "
            "for."
        ),
    ),
    "TAG_CONTENT_MISMATCH": (
        N_("The text doesn't fit its category or language."),
        N_("Choose the category that fits, and check that the language is the one of the text."),
    ),
    "PROMOTIONAL": (
        N_("Meta sees an advertisement in a template that isn't marketing."),
        N_("Remove offers, discounts and invitations to buy, or submit it as Marketing."),
    ),
    "SCAM": (
        N_("Meta takes it for fraud."),
        N_("Name your business, link to your own site only, and don't ask for passwords, card or identity numbers."),
    ),
    "CATEGORY_NOT_AVAILABLE": (
        N_("Your account can't use this category at present."),
        N_("Submit it as Marketing, or wait until Meta lifts the restriction in WhatsApp Manager."),
    ),
}
# The same, where the template is Marketing already: there is no other category to choose for an advertisement.
OF_MARKETING = {
    "INCORRECT_CATEGORY": (
        N_("The text doesn't fit its category."),
        N_(
            "It is Marketing already. If it is about something the customer asked for, or a one-time code, remove "
            "everything promotional and submit it in that category under another name."
        ),
    ),
    "TAG_CONTENT_MISMATCH": (
        N_("The text doesn't fit its category or language."),
        N_("It is Marketing already. Check that the language is the one of the text."),
    ),
    "PROMOTIONAL": (
        N_("Meta doesn't allow this advertisement."),
        N_("It is Marketing already. Compare what it offers with Meta's commerce and messaging policies."),
    ),
    "CATEGORY_NOT_AVAILABLE": (
        N_("Your account can't use this category at present."),
        N_("It is Marketing already. Wait until Meta lifts the restriction in WhatsApp Manager."),
    ),
}
UNSAID = (
    N_("Meta gave no reason."),
    N_(
        "Compare the text with Meta's rules: no threats, no private data, a clear purpose, examples for every variable."
    ),
)
NOT_CHANGED = N_("Meta didn't change this template.")
TRY_LATER = N_("Try again later.")


@dataclass(frozen=True, slots=True)
class Pause:
    """How long Meta pauses a template; None: until somebody ends it."""

    words: str
    lasts: dt.timedelta | None


PAUSES = {
    "FIRST_PAUSE": Pause(N_("First pause: 3 hours. The next one lasts 6 hours."), dt.timedelta(hours=3)),
    "SECOND_PAUSE": Pause(
        N_("Second pause: 6 hours. At the next one Meta disables the template."), dt.timedelta(hours=6)
    ),
    "RATE_LIMITING_PAUSE": Pause(
        N_(
            "Meta held back the first messages and paused the template because of what customers said. "
            "It stays paused until you end the pause."
        ),
        None,
    ),
}

QUALITIES = {
    "GREEN": (N_("High"), "success"),
    "YELLOW": (N_("Medium"), "warning"),
    "RED": (N_("Low"), "error"),
    "UNKNOWN": (N_("Not rated yet"), ""),
}
CATEGORIES = {
    "MARKETING": N_("Marketing"),
    "UTILITY": N_("Utility"),
    "AUTHENTICATION": N_("Authentication"),
}
# Words of Meta's that show which part of a template a reason is about.
PARTS = {
    "header": re.compile(r"\bheaders?\b|\btitle\b", re.IGNORECASE),
    "footer": re.compile(r"\bfooters?\b", re.IGNORECASE),
    "buttons": re.compile(
        r"\bbuttons?\b|\bcall[- ]to[- ]action\b|\burls?\b|\blinks?\b|\bphone numbers?\b", re.IGNORECASE
    ),
    "body": re.compile(r"\bbody\b|\bmessage text\b|\bvariables?\b|\bparameters?\b|\bplaceholders?\b", re.IGNORECASE),
}


def status_words(status: str) -> StatusWords:
    """A status that Meta has added since is shown as Meta writes it."""
    return STATUSES.get(status) or StatusWords(readable(status), "", "")


def readable(word: str) -> str:
    return word.replace("_", " ").capitalize()


def reason_words(facts: Mapping[str, Any] | None, category: str = "") -> tuple[str, str]:
    """Why Meta rejected it, and what to change; `category` is the one it was submitted in."""
    reason = str((facts or {}).get("reason"))
    of_category = OF_MARKETING.get(reason) if category == "MARKETING" else None
    return of_category or REASONS.get(reason, UNSAID)


def quotes(facts: Mapping[str, Any] | None) -> list[str]:
    """Meta's own words about it."""
    named = ("detail", "recommendation", "description")
    return [str(words) for name in named if (words := (facts or {}).get(name))]


def part_of(facts: Mapping[str, Any] | None) -> str:
    """The part of the template that Meta's words are about; "" where they don't say."""
    quoted = " ".join(quotes(facts))
    return next((part for part, pattern in PARTS.items() if pattern.search(quoted)), "")


def disabled_at(facts: Mapping[str, Any] | None) -> dt.datetime | str | None:
    """When Meta disables it, or has; Meta's pages show a date, its webhooks may have seconds."""
    date = str((facts or {}).get("disable_date") or "")
    return dt.datetime.fromtimestamp(int(date), dt.UTC) if re.fullmatch("[0-9]{9,10}", date) else date or None


def pause_of(facts: Mapping[str, Any] | None) -> Pause | None:
    return PAUSES.get(str((facts or {}).get("title")))
