"""What automations begin with about payments and subscriptions; their facts are values such as `{{payment.amount}}`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from flask_babel import gettext as _

from app import dates
from app.notifications.values import locale_of, money_in
from app.payments.models import Payment
from app.subscriptions.models import Subscription
from app.words import N_

from .parts import Miss, Names, Trigger, choice

GROUP = N_("Payments and subscriptions")


class PaymentReceived(Trigger):
    kind: Literal["payment"] = "payment"
    title: ClassVar[str] = N_("A payment is received")
    group: ClassVar[str] = GROUP
    happenings: ClassVar[tuple[str, ...]] = ("payment.received",)
    values: ClassVar[tuple[str, ...]] = ("payment.amount", "payment.title", "payment.reference")

    def matches(self, turn: Any) -> Miss | None:
        if payment := Payment.find(turn.facts.get("subject_id")):
            locale = locale_of(turn.language)
            turn.know("payment.amount", money_in(payment.amount, payment.currency, locale))
            turn.know("payment.title", payment.title)
            turn.know("payment.reference", payment.reference)
        return None

    def sentence(self, names: Names) -> str:
        return str(_("When a payment of a customer is received"))


class SubscriptionChanges(Trigger):
    kind: Literal["subscription"] = "subscription"
    title: ClassVar[str] = N_("A subscription ends or is renewed")
    group: ClassVar[str] = GROUP
    happenings: ClassVar[tuple[str, ...]] = ("subscription.ending", "subscription.ended", "subscription.renewed")
    values: ClassVar[tuple[str, ...]] = ("subscription.title", "subscription.date", "subscription.price")
    CHANGES: ClassVar[dict[str, str]] = {
        "14": N_("ends in 14 days"),
        "3": N_("ends in 3 days"),
        "0": N_("ends today"),
        "ended": N_("has ended"),
        "renewed": N_("is renewed"),
    }
    what: Literal["14", "3", "0", "ended", "renewed"] = choice(
        N_("A subscription"),
        CHANGES,
        hint=N_("Its values are {{subscription.title}}, {{subscription.date}} and {{subscription.price}}."),
    )

    def matches(self, turn: Any) -> Miss | None:
        change = turn.happening.removeprefix("subscription.")
        what = str(turn.facts.get("days")) if change == "ending" else change
        if what != self.what:
            return Miss(what)
        if subscription := Subscription.find(turn.facts.get("subject_id")):
            locale = locale_of(turn.language)
            turn.know("subscription.title", subscription.title)
            turn.know("subscription.date", dates.long(subscription.ends_on, locale))
            if subscription.price is not None:
                turn.know("subscription.price", money_in(subscription.price, subscription.currency, locale))
        return None

    def sentence(self, names: Names) -> str:
        return str(_("When a subscription %(changes)s", changes=_(self.CHANGES[self.what])))
