"""Explains why a message was not sent."""

from __future__ import annotations

from flask_babel import gettext as _

from app.inbox.conversations import (
    AutomationPaused,
    Blocked,
    BusinessClosed,
    ClientIdReused,
    Erased,
    GroupIsReadOnly,
    MarkedSpam,
    NoDirectSend,
    NotFunded,
    NumberUnavailable,
    Refusal,
    Unsubscribed,
    WindowClosed,
    WithOtherApp,
    WithPerson,
    WrongTemplate,
)
from app.meta.outgoing import Refused
from app.storage import StorageUnavailable
from app.words import N_

NOT_SENT = (Refusal, ClientIdReused, Refused, StorageUnavailable)


REASONS: dict[type[Exception], str] = {
    WindowClosed: N_("This wasn't sent. The 24-hour reply window has closed. Send a template instead."),
    GroupIsReadOnly: N_("This wasn't sent. You can't write to a group from here."),
    BusinessClosed: N_("This wasn't sent. This business is closed. Questions about it go to the operator."),
    NumberUnavailable: N_("This wasn't sent. The number is not connected to WhatsApp."),
    Blocked: N_("This wasn't sent. You blocked this customer. Unblock them to write."),
    Erased: N_("This wasn't sent. This person was erased, so they can't be written to."),
    MarkedSpam: N_("This wasn't sent. The conversation is marked as spam."),
    WithPerson: N_("This wasn't sent. A person has this conversation, so automation is quiet."),
    WithOtherApp: N_("This wasn't sent. Meta's agent or another app answers this customer. Take over first."),
    AutomationPaused: N_("This wasn't sent. Automation was stopped for this conversation or its number."),
    StorageUnavailable: N_("This wasn't sent. The file couldn't be stored. Try again in a moment."),
}
CHANGED = N_("This page already sent a different message. Check the conversation, then send again.")


def explain(problem: Exception) -> str:
    """The reason, in words, for one of NOT_SENT: what happened, then what to do."""
    match problem:
        case Refused() | WrongTemplate() | NoDirectSend() | NotFunded():
            return problem.explain(_)
        case Unsubscribed(facts={"purpose": "marketing"}):
            return str(_("This wasn't sent. The customer has opted out of marketing messages."))
        case Unsubscribed():
            return str(_("This wasn't sent. The customer has opted out of these messages."))
    return str(_(REASONS.get(type(problem), CHANGED)))


def variable_of(problem: Exception) -> str:
    """The key of the template's variable that the problem is about; "" where it is about none."""
    return str(problem.facts.get("key", "")) if isinstance(problem, Refused) else ""
