"""The platform's account with Stripe: opens payments, and says what has become of them."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import stripe

from app.config import Settings
from app.tenancy import refuse_inside_transaction

# The library logs each request at INFO.
logging.getLogger("stripe").setLevel(logging.WARNING)
stripe.enable_telemetry = False

TIMEOUT = (5, 20)
# By these a payment at Stripe is recognised as ours, and whose it is.
TENANT, TOP_UP = "switchboard_tenant", "switchboard_top_up"
# Of a dispute: while it is one of these, Stripe has not taken the money, or has given it back.
NOT_TAKEN = ("won", "prevented", "warning_needs_response", "warning_under_review", "warning_closed")
NOT_REFUNDED = ("failed", "canceled")
UNPAID = ("requires_payment_method", "requires_action", "requires_confirmation", "canceled")


class StripeError(Exception):
    """Stripe has refused a call. `words` are Stripe's, in English."""

    def __init__(self, words: str, code: str = "") -> None:
        super().__init__(words)
        self.words, self.code = words, code


class Unreachable(StripeError):
    """Whether the call had an effect is not known: it may be repeated with the same key."""


class Declined(StripeError):
    """The card's bank has refused the payment, or wants the owner to confirm it."""


@dataclass(frozen=True, slots=True)
class Card:
    """A means of payment that Stripe keeps for us; we have its name only."""

    id: str
    customer_id: str
    brand: str = ""
    last4: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """What Stripe says of one payment at this moment. Amounts are in the smallest unit of `currency`."""

    state: str  # open, processing, paid, failed, expired
    metadata: dict[str, str] = field(default_factory=dict)
    session_id: str = ""
    intent_id: str = ""
    currency: str = ""
    captured: int = 0
    refunded: int = 0
    disputed: int = 0
    card: Card | None = None
    code: str = ""

    @property
    def received(self) -> int:
        """What is left of the payment."""
        return max(0, self.captured - self.refunded - self.disputed)


@dataclass(frozen=True, slots=True)
class Opened:
    """A page of Stripe's on which somebody pays."""

    session_id: str
    url: str


class StripeAccount:
    """Calls are never made inside a transaction. They raise `StripeError`."""

    def __init__(self, secret_key: str) -> None:
        client = stripe.RequestsClient(timeout=TIMEOUT)
        self.api = stripe.StripeClient(secret_key, http_client=client, max_network_retries=0).v1

    @classmethod
    def of(cls, settings: Settings) -> StripeAccount | None:
        """None where the platform has none."""
        return cls(settings.stripe_secret_key) if settings.stripe_secret_key else None

    def open_checkout(self, params: dict[str, Any], *, key: str) -> Opened:
        """The same key again is the same page."""
        session = call(self.api.checkout.sessions.create, params, {"idempotency_key": key})
        return Opened(session.id, session.url or "")

    def charge(self, params: dict[str, Any], *, key: str) -> Payment:
        """Charges a card whose owner is not there. Raises `Declined`."""
        intent = call(self.api.payment_intents.create, params, {"idempotency_key": key})
        return self.payment(intent.id)

    def payment(self, intent_id: str, session_id: str = "") -> Payment:
        """By the payment, or by the page on which it is to be made."""
        if not intent_id:
            session = self.session(session_id)
            if not session.payment_intent:
                return of_session(session)
            intent_id = str(session.payment_intent)
        intent = self.intent(intent_id)
        if session_id and intent.status in UNPAID:
            # On its page the customer may try another card until the page expires.
            session = self.session(session_id)
            if session.status != "complete":
                return of_session(session, intent)
        return self.of_intent(intent, session_id)

    def session(self, session_id: str) -> stripe.checkout.Session:
        return call(self.api.checkout.sessions.retrieve, session_id)  # type: ignore[no-any-return]

    def intent(self, intent_id: str) -> stripe.PaymentIntent:
        expanded = {"expand": ["latest_charge", "payment_method"]}
        return call(self.api.payment_intents.retrieve, intent_id, expanded)  # type: ignore[no-any-return]

    def of_intent(self, intent: Any, session_id: str = "") -> Payment:
        charge, metadata = intent.latest_charge, texts(intent.metadata)
        code = str(getattr(intent.last_payment_error, "code", "") or "") if intent.last_payment_error else ""
        if intent.status != "succeeded" or not charge:
            state = "failed" if intent.status in UNPAID else "processing"
            return Payment(state, metadata, session_id, intent.id, intent.currency.upper(), code=code)
        return Payment(
            "paid",
            metadata,
            session_id,
            intent.id,
            charge.currency.upper(),
            captured=charge.amount_captured,
            refunded=self.refunded(intent.id) if charge.amount_refunded else 0,
            disputed=self.disputed(intent.id) if charge.disputed else 0,
            card=card_of(intent),
        )

    def refunded(self, intent_id: str) -> int:
        listed = call(self.api.refunds.list, {"payment_intent": intent_id, "limit": 100})
        return sum(refund.amount for refund in listed.data if refund.status not in NOT_REFUNDED)

    def disputed(self, intent_id: str) -> int:
        listed = call(self.api.disputes.list, {"payment_intent": intent_id, "limit": 100})
        return sum(dispute.amount for dispute in listed.data if dispute.status not in NOT_TAKEN)

    def events(self, types: Sequence[str], since: dt.datetime) -> Iterator[list[Any]]:
        """What has happened since a moment, the newest first, a page at a time. Stripe lists 30 days of it."""
        params: dict[str, Any] = {"types": list(types), "created": {"gte": int(since.timestamp())}, "limit": 100}
        has_more = True
        while has_more:
            listed = call(self.api.events.list, params)
            events = [json.loads(str(event)) for event in listed.data]
            has_more = bool(listed.has_more and events)
            params["starting_after"] = events[-1].get("id") if events else ""
            yield events

    def forget(self, card_id: str) -> None:
        """Has Stripe forget a card. One that it does not know is forgotten already."""
        try:
            call(self.api.payment_methods.detach, card_id)
        except Unreachable:
            raise
        except StripeError as error:
            if error.code not in ("resource_missing", "payment_method_unexpected_state"):
                raise


def of_session(session: Any, intent: Any = None) -> Payment:
    """Of a page on which nothing is paid yet."""
    states = {"open": "open", "expired": "expired"}
    metadata, intent_id = texts(session.metadata), intent.id if intent else ""
    return Payment(states.get(session.status, "failed"), metadata, session.id, intent_id)


def card_of(intent: Any) -> Card | None:
    method = intent.payment_method
    if not (intent.setup_future_usage and method and intent.customer):
        return None
    facts = getattr(method, method.type, None)
    brand = str(getattr(facts, "brand", "") or method.type)
    return Card(method.id, str(intent.customer), brand, str(getattr(facts, "last4", "") or ""))


def texts(metadata: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in metadata.to_dict().items()} if metadata else {}


def call(function: Any, *arguments: Any) -> Any:
    refuse_inside_transaction()
    try:
        return function(*arguments)
    except stripe.CardError as error:
        raise Declined(str(error.user_message or ""), decline_of(error)) from None
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise Unreachable(type(error).__name__) from None
    except stripe.StripeError as error:
        # 409: the same key is being worked on. 5xx: it may have had an effect.
        if (error.http_status or 500) >= 500 or error.http_status == 409:
            raise Unreachable(type(error).__name__) from None
        raise StripeError(str(error.user_message or ""), str(error.code or "")) from None


def decline_of(error: stripe.CardError) -> str:
    body: Any = error.json_body or {}
    return str(body.get("error", {}).get("decline_code") or error.code or "")
