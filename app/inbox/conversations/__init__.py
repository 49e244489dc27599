"""Conversations and their messages. An outbound message's row is the outbox."""

from .attempts import MessageEvent, OrphanStatus, SendAttempt
from .conversations import Conversation
from .cursors import Cursor
from .messages import Message
from .refusals import GroupIsReadOnly, NumberAway, SaidOtherwise, WindowClosed
from .states import RANKS, STATES
from .underway import Later
from .windows import CUSTOMER_SERVICE_WINDOW, WINDOW_MARGIN

__all__ = [
    "CUSTOMER_SERVICE_WINDOW",
    "RANKS",
    "STATES",
    "WINDOW_MARGIN",
    "Conversation",
    "Cursor",
    "GroupIsReadOnly",
    "Later",
    "Message",
    "MessageEvent",
    "NumberAway",
    "OrphanStatus",
    "SaidOtherwise",
    "SendAttempt",
    "WindowClosed",
]
