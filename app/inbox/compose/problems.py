"""Explains why a message was not sent."""

from __future__ import annotations

from flask_babel import gettext as _

from app.inbox.conversations import NumberAway, SaidOtherwise, WindowClosed
from app.meta.outgoing import Refused
from app.storage import StorageAway

NOT_SENT = (WindowClosed, NumberAway, SaidOtherwise, Refused, StorageAway)


def explain(problem: Exception) -> str:
    """The reason, in words, for one of NOT_SENT: what happened, then what to do."""
    match problem:
        case Refused():
            return problem.told(_)
        case WindowClosed():
            return str(_("This wasn't sent. The 24-hour reply window has closed. Send a template instead."))
        case NumberAway():
            return str(_("This wasn't sent. The number is not connected to WhatsApp."))
        case StorageAway():
            return str(_("This wasn't sent. The file couldn't be stored. Try again in a moment."))
    return str(_("This page already sent a different message. Check the conversation, then send again."))
