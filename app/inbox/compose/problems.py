"""Why something was not sent, in words."""

from __future__ import annotations

from flask_babel import gettext as _

from app.inbox.conversations import GroupIsReadOnly, NumberAway, SaidOtherwise, WindowClosed
from app.meta.outgoing import Refused
from app.storage import StorageAway

NOT_SENT = (WindowClosed, GroupIsReadOnly, NumberAway, SaidOtherwise, Refused, StorageAway)


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
        case StorageAway():
            return str(_("The file could not be stored. Nothing was sent: try again in a moment."))
    return str(_("This page had sent something else already. Look above, then send again."))
