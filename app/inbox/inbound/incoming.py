"""A message on its way in: its sender, and how it changes its conversation."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.contacts.arrival import Sender
from app.meta import contents, message_types
from app.meta.contact_requests import given_number, numbers_in_the_name_of
from app.meta.events import HistoricMessage, InboundMessage, MessageEcho
from app.meta.payload import identifier

from .surveys import score_of

# What a tap on a button of ours arrives as.
TAPPED = ("interactive", "button")
# How far WhatsApp's phone app says a message came, before the number was here.
HISTORIC_STATES = {"delivered": "delivered", "read": "read", "played": "played", "error": "failed"}


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message and the person (or group) on the other side. `state` is `received`, or how far one of ours came.

    One that `is_live` was written by a customer just now. `target` is the message it is about, where it is an aside:
    a reaction, an edit, a deletion.
    """

    message: InboundMessage | MessageEcho
    person: Sender
    state: str = "received"
    is_live: bool = False
    is_history: bool = False
    target: str | None = field(init=False)

    def __post_init__(self) -> None:
        target = message_types.target_of(self.message.type, self.message.content)
        object.__setattr__(self, "target", target)

    @classmethod
    def new(cls, message: InboundMessage | MessageEcho) -> Incoming:
        if isinstance(message, InboundMessage):
            return cls(message, sender_of(message), is_live=message.type != "system" and not message.on_standby)
        return cls(message, recipient_of(message), state="sent")

    @classmethod
    def historic(cls, historic: HistoricMessage) -> Incoming:
        """From before the number was here: nothing about it is new to anybody."""
        message = historic.message
        if isinstance(message, InboundMessage):
            return cls(message, sender_of(message), is_history=True)
        state = HISTORIC_STATES.get(historic.status or "", "sent")
        return cls(message, recipient_of(message), state=state, is_history=True)

    @property
    def marks(self) -> tuple[str, ...]:
        """What is stored with the message of how it came."""
        marks = {"history": self.is_history, "standby": self.is_on_standby}
        return tuple(name for name, is_so in marks.items() if is_so)

    @property
    def score(self) -> str | None:
        """What it answers to a question about how it went. Such an answer waits for none."""
        return score_of(self.message.type, self.message.content) if self.message.type in TAPPED else None

    @property
    def group_id(self) -> str | None:
        return self.message.group_id if isinstance(self.message, InboundMessage) else None

    @property
    def opens_window(self) -> bool:
        """Whether it opens the 24-hour reply window: not in a group."""
        return (self.is_live or self.is_on_standby) and self.group_id is None

    @property
    def is_on_standby(self) -> bool:
        """Whether a customer wrote it to another app that has the thread."""
        return isinstance(self.message, InboundMessage) and self.message.on_standby

    @property
    def is_other_apps(self) -> bool:
        """Whether it shows that another app has the thread."""
        return self.is_on_standby or (isinstance(self.message, MessageEcho) and self.message.by_other_app)

    @property
    def is_aside(self) -> bool:
        return message_types.is_aside(self.message.type)

    @property
    def is_answerable(self) -> bool:
        """Whether somebody wrote (or called) who can be answered now."""
        return self.is_live and self.group_id is None and not self.is_aside

    @property
    def is_unread(self) -> bool:
        """Whether it counts as unread: not history, asides (reactions, edits, deletions) or answered calls."""
        return self.is_live and not self.is_aside and not self.is_answered_call

    @property
    def reopens(self) -> bool:
        return self.is_unread and self.score is None

    @property
    def waits(self) -> bool:
        """Whether the customer waits for an answer from here."""
        return self.reopens and self.group_id is None

    @property
    def is_entry(self) -> bool:
        """Whether it came by an advertisement or a page's button."""
        return self.is_live and isinstance(self.message, InboundMessage) and bool(self.message.referral)

    @property
    def is_answered_call(self) -> bool:
        return self.message.type == "call" and contents.call(self.message.content).outcome == "answered"


def sender_of(message: InboundMessage) -> Sender:
    if message.group_id:
        return Sender(None, None, None, None, "", group=message.group_id)
    if message.type == "system":
        return renamed_sender(message)
    card = message.content if message.type == "contacts" else None
    return Sender(
        wa_id=message.from_ or given_number(card),
        bsuid=message.user_id,
        parent_bsuid=message.parent_user_id,
        username=message.username,
        name=message.profile_name or "",
        cards=numbers_in_the_name_of(message.profile_name or "", card),
        seen_at=message.timestamp,
    )


def renamed_sender(message: InboundMessage) -> Sender:
    """The sender of a “number changed” message, with the old and the new ids."""
    changed = message.content
    before = (
        ("bsuid", identifier(changed.get("previous_user_id")) or message.user_id),
        ("wa_id", message.from_ or identifier(changed.get("customer"))),
        ("parent_bsuid", identifier(changed.get("previous_parent_user_id")) or message.parent_user_id),
    )
    return Sender(
        wa_id=identifier(changed.get("wa_id")) or identifier(changed.get("new_wa_id")),
        bsuid=identifier(changed.get("user_id")),
        parent_bsuid=identifier(changed.get("parent_user_id")),
        username=None,
        name="",
        formerly=tuple((kind, value) for kind, value in before if value),
    )


def recipient_of(echo: MessageEcho) -> Sender:
    return Sender(wa_id=echo.to, bsuid=echo.to_user_id, parent_bsuid=echo.to_parent_user_id, username=None, name="")
