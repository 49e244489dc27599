"""Why a message may not be sent, as data; `compose.problems` makes the words.

Why one that was sent failed: `app/stories`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from app.billing.balances import NO_ROOM
from app.words import N_

NOT_SENT = N_("This wasn't sent.")
WHO_PAYS = N_("An owner sees in Costs what to do.")


class Refusal(Exception):
    """`kind` is stable, `facts` are what its words need."""

    kind: ClassVar[str]

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.kind)
        self.facts = facts


class WindowClosed(Refusal):
    """More than a day has passed since the customer last wrote: only templates may be sent."""

    kind = "window_closed"


class ClientIdReused(Exception):
    """The same id came with other words: one of the two is a mistake, so neither is guessed at."""


class BusinessClosed(Refusal):
    """The business is closed, or being closed: nothing of it goes out any more."""

    kind = "business_closed"


class NumberUnavailable(Refusal):
    """The business number is not connected."""

    kind = "number_unavailable"


class Blocked(Refusal):
    """The customer is blocked on this number: WhatsApp takes nothing for them."""

    kind = "blocked"


class Erased(Refusal):
    """The customer was erased and has no address until they write again."""

    kind = "contact_erased"


class MarkedSpam(Refusal):
    """The conversation is spam: only people may write into it."""

    kind = "spam"


class Unsubscribed(Refusal):
    """The customer does not want such messages. Facts: `purpose`, as consents have it."""

    kind = "unsubscribed"


class WrongTemplate(Refusal):
    """WhatsApp would refuse the template, or what it is filled in with. Facts: `words`, and what they need."""

    kind = "wrong_template"

    def explain(self, translate: Callable[[str], str] = str) -> str:
        """What is wrong and what to change."""
        return translate(self.facts["words"]).format(**self.facts)


class NoDirectSend(Refusal):
    """It can't go without a template. Facts: `words`, and what they need."""

    kind = "no_direct_send"

    def explain(self, translate: Callable[[str], str] = str) -> str:
        """Why, and what to change or to send instead."""
        return translate(self.facts["words"]).format(**self.facts)


class WithPerson(Refusal):
    """A person has the conversation, so nothing automatic is sent."""

    kind = "with_person"


class WithOtherApp(Refusal):
    """Another app at Meta, such as its Business Agent, answers the customer, so nothing automatic is sent."""

    kind = "with_other_app"


class AutomationPaused(Refusal):
    """Somebody stopped all automation of the conversation or of its number."""

    kind = "automation_paused"


class NotFunded(Refusal):
    """The tenant's balance, cap or limit does not cover it. Facts: `why`, a key of `NO_ROOM`."""

    kind = "not_funded"

    def explain(self, translate: Callable[[str], str] = str) -> str:
        """What does not cover it, and who can change that."""
        return " ".join(translate(words) for words in (NOT_SENT, NO_ROOM[self.facts["why"]], WHO_PAYS))


class TooLate(Refusal):
    """It was scheduled and is due since more than a day."""

    kind = "too_late"


class GroupIsReadOnly(Refusal):
    """Messages of a group can be read here, not written."""

    kind = "group_read_only"
