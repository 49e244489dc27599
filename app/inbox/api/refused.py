"""Why a message may not be sent, as problems of the API."""

from __future__ import annotations

from flask_babel import gettext as _

from app.api import Fault, Problem, problem
from app.inbox.compose.problems import explain
from app.inbox.conversations import ClientIdReused, Refusal
from app.meta.outgoing import Refused
from app.storage import StorageUnavailable
from app.words import N_

REFUSALS = (
    problem(
        "window_closed",
        409,
        "The 24-hour reply window has closed",
        N_("Send a template instead, or wait until the customer writes again."),
    ),
    problem("business_closed", 409, "The business is closed", N_("Nothing is sent any more. Ask the operator.")),
    problem(
        "number_unavailable", 409, "The number is not connected", N_("Ask an owner to reconnect it, then send again.")
    ),
    problem("blocked", 409, "The customer is blocked", N_("Unblock the customer first.")),
    problem("spam", 409, "The conversation is marked as spam", N_("Move the conversation out of spam first.")),
    problem(
        "unsubscribed", 409, "The customer has opted out", N_("Only the customer can opt in again to such messages.")
    ),
    problem(
        "wrong_template",
        422,
        "WhatsApp would not take this template",
        N_("Check its name and language, and what it is filled in with."),
    ),
    problem("no_direct_send", 409, "This can't go without a template", N_("Send a template instead.")),
    problem(
        "with_person",
        409,
        "A person has the conversation",
        N_("Nothing automatic is sent until they are done with it."),
    ),
    problem(
        "with_other_app",
        409,
        "Another app at Meta has the conversation",
        N_("Nothing automatic is sent until a person takes it over or the app hands it over."),
    ),
    problem(
        "automation_paused",
        409,
        "Automation was stopped here",
        N_("Resume it for the conversation or its number first."),
    ),
    problem(
        "not_funded",
        402,
        "The balance, the cap or the limit doesn't cover it",
        N_("Top up the balance, or raise the cap. An owner sees in Costs what is used up."),
    ),
    problem("too_late", 409, "It was due more than a day ago", N_("Check whether it's still true, then send again.")),
    problem("group_read_only", 409, "Groups can be read, not written to", N_("Write to the members one by one.")),
)
problem(
    "unacceptable",
    422,
    "WhatsApp would not take this message",
    N_("Change the message as the detail says, then send it again."),
)
problem(
    "unreachable", 422, "This person can't be written to from this number", N_("The detail says why, and what to do.")
)
# What sending may end with, for the document.
SENDING = (*REFUSALS, "contact_erased", "unacceptable", "unreachable", "storage_away")


def as_problem(error: Exception, pointer: str = "") -> Problem:
    """The problem for one of `NOT_SENT`."""
    match error:
        case Refusal():
            return Problem(error.kind, explain(error), errors=faults(error, pointer))
        case Refused():
            return Problem("unacceptable", error.explain(_), errors=faults(error, pointer))
        case StorageUnavailable():
            return Problem("storage_away", headers={"Retry-After": "5"})
        case ClientIdReused():
            return Problem("idempotency_key_reused")
    raise error


def faults(error: Refusal | Refused, pointer: str) -> list[Fault]:
    """Which part of the body it is about, where that is known."""
    key = error.facts.get("key")
    if not pointer:
        return []
    path = f"{pointer}/variables/{key}" if key else pointer
    return [Fault("unacceptable", explain(error), pointer=path)]
