"""Conversations and their messages. An outbound message's row is the outbox."""

from .attempts import MessageEvent, OrphanStatus, SendAttempt, progress_of
from .batches import Sending, send_all
from .conversations import Conversation
from .cursors import Cursor
from .handling import HandlingStretch
from .messages import Message
from .refusals import (
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
from .states import GREETING, RANKS, SENDERS, STATES
from .template_uses import scheduled_messages
from .underway import Later
from .ways import Ways
from .windows import CUSTOMER_SERVICE_WINDOW, WINDOW_MARGIN

__all__ = [
    "CUSTOMER_SERVICE_WINDOW",
    "GREETING",
    "RANKS",
    "SENDERS",
    "STATES",
    "WINDOW_MARGIN",
    "AutomationPaused",
    "Blocked",
    "BusinessClosed",
    "ClientIdReused",
    "Conversation",
    "Cursor",
    "Erased",
    "GroupIsReadOnly",
    "HandlingStretch",
    "Later",
    "MarkedSpam",
    "Message",
    "MessageEvent",
    "NoDirectSend",
    "NotFunded",
    "NumberUnavailable",
    "OrphanStatus",
    "Refusal",
    "SendAttempt",
    "Sending",
    "Unsubscribed",
    "Ways",
    "WindowClosed",
    "WithOtherApp",
    "WithPerson",
    "WrongTemplate",
    "progress_of",
    "scheduled_messages",
    "send_all",
]
