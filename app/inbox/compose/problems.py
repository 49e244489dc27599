"""Explains why a message was not sent."""

from __future__ import annotations

from flask_babel import gettext as _

from app.inbox.conversations import (
    Blocked,
    GroupIsReadOnly,
    MarkedSpam,
    NoDirectSend,
    NotFunded,
    NumberAway,
    Refusal,
    SaidOtherwise,
    Unsubscribed,
    WindowClosed,
    WrongTemplate,
)
from app.meta.outgoing import Refused
from app.storage import StorageAway

NOT_SENT = (Refusal, SaidOtherwise, Refused, StorageAway)


def explain(problem: Exception) -> str:
    """The reason, in words, for one of NOT_SENT: what happened, then what to do."""
    match problem:
        case Refused() | WrongTemplate() | NoDirectSend() | NotFunded():
            return problem.explain(_)
        case WindowClosed():
            return str(_("This wasn't sent. The 24-hour reply window has closed. Send a template instead."))
        case GroupIsReadOnly():
            return str(_("This wasn't sent. You can't write to a group from here."))
        case NumberAway():
            return str(_("This wasn't sent. The number is not connected to WhatsApp."))
        case Unsubscribed(facts={"purpose": "marketing"}):
            return str(_("This wasn't sent. The customer has opted out of marketing messages."))
        case Unsubscribed():
            return str(_("This wasn't sent. The customer has opted out of these messages."))
        case Blocked():
            return str(_("This wasn't sent. You blocked this customer. Unblock them to write."))
        case MarkedSpam():
            return str(_("This wasn't sent. The conversation is marked as spam."))
        case StorageAway():
            return str(_("This wasn't sent. The file couldn't be stored. Try again in a moment."))
    return str(_("This page already sent a different message. Check the conversation, then send again."))


def variable_of(problem: Exception) -> str:
    """The key of the template's variable that the problem is about; "" where it is about none."""
    return str(problem.facts.get("key", "")) if isinstance(problem, Refused) else ""
