"""The events of webhooks. `waba_id` is None where Meta names a business portfolio instead."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .errors import ReportedError


@dataclass(frozen=True, slots=True)
class Context:
    """What a message refers to: the message it answers, the product it asks about, or that it was forwarded."""

    reply_to: str | None
    forwarded: bool
    # Meta's `referred_product`, where it names one.
    product: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message from a person. `text` is what they wrote or tapped, `content` Meta's object for the type."""

    phone_number_id: str
    waba_id: str | None
    wamid: str
    from_: str | None
    user_id: str | None
    parent_user_id: str | None
    username: str | None
    profile_name: str | None
    group_id: str | None
    timestamp: datetime
    type: str
    text: str | None
    context: Context | None
    content: dict[str, Any]
    referral: dict[str, Any] | None
    errors: tuple[ReportedError, ...]
    # A copy: another app, such as Meta's Business Agent, has the thread and answers.
    on_standby: bool = False


@dataclass(frozen=True, slots=True)
class MessageEcho:
    """A message the business sent from the WhatsApp Business app, which opens no window and costs nothing.

    `by_other_app`: sent by another app that has the thread, such as Meta's Business Agent.
    """

    phone_number_id: str
    waba_id: str | None
    wamid: str
    to: str | None
    to_user_id: str | None
    to_parent_user_id: str | None
    timestamp: datetime
    type: str
    text: str | None
    context: Context | None
    content: dict[str, Any]
    errors: tuple[ReportedError, ...]
    by_other_app: bool = False


@dataclass(frozen=True, slots=True)
class ThreadControl:
    """Which app answers a customer from now on: ours (`control_passed`) or another one.

    `role` is the new owner's, such as `ai_agent` or `escalation`; `summary` is what the app before says of the thread.
    """

    phone_number_id: str
    waba_id: str | None
    wa_id: str | None
    user_id: str | None
    timestamp: datetime
    is_ours: bool
    role: str
    summary: str


@dataclass(frozen=True, slots=True)
class HistoricMessage:
    """A message from before the number came here, either way; `status` is how far an outbound one has come."""

    message: InboundMessage | MessageEcho
    status: str | None

    @property
    def phone_number_id(self) -> str:
        return self.message.phone_number_id

    @property
    def waba_id(self) -> str | None:
        return self.message.waba_id


@dataclass(frozen=True, slots=True)
class HistoryProgress:
    """How much of a number's older messages has come (percent), or why none will."""

    phone_number_id: str
    waba_id: str | None
    percent: int | None
    errors: tuple[ReportedError, ...]


@dataclass(frozen=True, slots=True)
class AddressBookEntry:
    """A contact of the address book on the business's phone; `action` is `add` or `remove`."""

    phone_number_id: str
    waba_id: str | None
    action: str
    wa_id: str | None
    user_id: str | None
    username: str | None
    name: str
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Pricing:
    """How Meta charges a message; `type` decides (`regular` is billed), `billable` is going away."""

    category: str | None
    type: str | None
    subtype: str | None
    billable: bool | None
    model: str | None

    @property
    def is_charged(self) -> bool:
        return self.type == "regular" if self.type else bool(self.billable)

    @property
    def is_exempt(self) -> bool:
        """Of a government or a charity that need not pay what others would."""
        return self.subtype == "paid_exempt"


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    phone_number_id: str
    waba_id: str | None
    wamid: str
    status: str
    timestamp: datetime
    recipient_id: str | None
    recipient_user_id: str | None
    recipient_parent_user_id: str | None
    callback_data: str | None
    pricing: Pricing | None
    errors: tuple[ReportedError, ...]
    # When a free entry point ends, if Meta reports it.
    free_until: datetime | None = None
    # Where it was sent to a group: the group, and the recipient is the person in it.
    group_id: str | None = None

    @property
    def is_free_entry(self) -> bool:
        return self.pricing is not None and self.pricing.type == "free_entry_point"


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What a group is called now. It has no other name than its id before."""

    phone_number_id: str
    waba_id: str | None
    group_id: str
    subject: str
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class AccountUpdate:
    event: str
    waba_id: str | None
    owner_business_id: str | None
    timestamp: datetime
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OtherChange:
    """A change of any other field, stored whole; of `messages`, what is neither a message nor a status."""

    field: str
    waba_id: str | None
    phone_number_id: str | None
    timestamp: datetime
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something Meta sent that makes no sense to us. `reason` is a key of `unreadable.REASONS`, `detail` its fact."""

    reason: str
    raw: Any
    waba_id: str | None = None
    phone_number_id: str | None = None
    detail: str = ""


Event = (
    InboundMessage
    | MessageEcho
    | HistoricMessage
    | HistoryProgress
    | AddressBookEntry
    | StatusUpdate
    | ThreadControl
    | GroupChange
    | AccountUpdate
    | OtherChange
    | Unreadable
)
