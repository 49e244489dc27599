"""Why something was not sent, in words."""

from __future__ import annotations

from flask_babel import gettext as _

from app.inbox.conversations import (
    Blocked,
    GroupIsReadOnly,
    MarkedSpam,
    NumberAway,
    Refusal,
    SaidOtherwise,
    Unsubscribed,
    WindowClosed,
)
from app.meta.outgoing import Refused
from app.storage import StorageAway

NOT_SENT = (Refusal, SaidOtherwise, Refused, StorageAway)


def told(problem: Exception) -> str:
    match problem:
        case Refused():
            return problem.told(_)
        case WindowClosed():
            return str(_("The 24 hours to answer are over. This was not sent."))
        case GroupIsReadOnly():
            return str(_("Nothing can be sent to a group from here."))
        case NumberAway():
            return str(_("This number is not connected. This was not sent."))
        case Unsubscribed(facts={"purpose": "marketing"}):
            return str(_("This wasn't sent. The customer has opted out of marketing messages."))
        case Unsubscribed():
            return str(_("This wasn't sent. The customer has opted out of these messages."))
        case Blocked():
            return str(_("This wasn't sent. You blocked this customer. Unblock them to write."))
        case MarkedSpam():
            return str(_("This wasn't sent. The conversation is marked as spam."))
        case StorageAway():
            return str(_("The file could not be stored. Nothing was sent: try again in a moment."))
    return str(_("This page had sent something else already. Look above, then send again."))
