"""Payments through Stripe. What Stripe says of one, whenever it is read, is what the ledger has of it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

import structlog
from sqlalchemy import CheckConstraint, Index, Select, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import settings
from app.tenancy import TenantModel, announce, commit, current_tenant_id, database_now, db, now, one_of
from app.words import N_

from .ledger import Ledger, books_of_tenant
from .minor_units import from_minor, to_minor
from .money import Money
from .payments import receive
from .recharges import Recharge
from .stripe_account import TENANT, TOP_UP, Payment, StripeAccount, StripeError, Unreachable

log = structlog.get_logger()

KINDS = ("checkout", "automatic")
STATES = ("opened", "paid", "partly_refunded", "refunded", "disputed", "expired", "failed")
UNFINISHED = ("opened",)
# How many pages of Stripe's a business may open within an hour.
MOST_AN_HOUR = 20
# A page expires after a day (Stripe's default), and a key of a call is remembered as long.
FORGOTTEN = dt.timedelta(hours=23)
# A payment that stays open is asked about again after half of its age, and not sooner or later than these.
SOONEST, LATEST = dt.timedelta(minutes=2), dt.timedelta(hours=6)
# Why a payment needs somebody's attention.
PROBLEMS = {
    "currency": N_("Stripe received another currency than the balance has, so nothing was added."),
    "amount": N_("Stripe received another amount than was asked for. What it received was added."),
    "refused": N_("Stripe refused to open the payment."),
    "unreachable": N_("Stripe couldn't be reached."),
    "declined": N_("The card was declined."),
    "authentication": N_("The card's bank wants you to confirm the payment yourself."),
}


class TopUp(TenantModel):
    """One payment: somebody opens Stripe's page, or a saved card is charged. Only Stripe's word adds it to the balance.

    `credited_micros` is what the ledger has of it: what Stripe received, less what it gave back.
    """

    __table_args__ = (
        books_of_tenant(),
        one_of("kind", KINDS),
        one_of("state", STATES),
        one_of("problem", ("", *PROBLEMS)),
        CheckConstraint("amount_micros > 0 and credited_micros >= 0", name="amounts"),
        Index("ix_top_ups_unfinished", "next_check_at", postgresql_where=text("state = 'opened'")),
        # A saved card is charged once at a time.
        Index(
            "uq_top_ups_automatic",
            "tenant_id",
            unique=True,
            postgresql_where=text("kind = 'automatic' and state = 'opened'"),
        ),
    )

    kind: Mapped[str]
    amount_micros: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str] = mapped_column(default="opened")
    problem: Mapped[str] = mapped_column(default="")
    credited_micros: Mapped[int] = mapped_column(default=0)
    saves_card: Mapped[bool] = mapped_column(default=False)
    # Of an automatic one: what is charged. A call that is repeated has to be the same.
    customer_id: Mapped[str] = mapped_column(default="")
    card_id: Mapped[str] = mapped_column(default="")
    session_id: Mapped[str] = mapped_column(default="")
    intent_id: Mapped[str] = mapped_column(default="")
    # Where it is paid.
    url: Mapped[str] = mapped_column(default="")
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str] = mapped_column(default="")
    # Raised before Stripe is asked: an answer that is older than another one is dropped.
    fence: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    next_check_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]

    @classmethod
    def begin(cls, kind: str, micros: int, currency: str, *, by_id: uuid.UUID | None, by_name: str) -> Self:
        at = database_now()
        made = cls(kind=kind, amount_micros=micros, currency=currency, by_id=by_id, by_name=by_name)
        made.created_at, made.next_check_at = at, at + SOONEST
        db.session.add(made)
        db.session.flush()
        return made

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.id.desc())

    @classmethod
    def are_too_many(cls) -> bool:
        mine = select(func.count()).where(cls.kind == "checkout", cls.created_at > now() - dt.timedelta(hours=1))
        return (db.session.scalar(mine) or 0) >= MOST_AN_HOUR

    @classmethod
    def automatic_since(cls, moment: dt.datetime) -> int:
        """What automatic payments were begun since, in micro-units, without those that failed."""
        counted = cls.kind == "automatic", cls.state != "failed", cls.created_at >= moment
        return int(db.session.scalar(select(func.coalesce(func.sum(cls.amount_micros), 0)).where(*counted)) or 0)

    @classmethod
    def automatic_under_way(cls) -> Self | None:
        return db.session.scalar(select(cls).where(cls.kind == "automatic", cls.state == "opened"))

    @property
    def is_unheard(self) -> bool:
        """Whether a card is to be charged, and Stripe has not said that it has heard of it."""
        return self.kind == "automatic" and self.state == "opened" and not self.intent_id

    @property
    def amount(self) -> Money:
        return Money(self.amount_micros, self.currency)

    @property
    def credited(self) -> Money:
        return Money(self.credited_micros, self.currency)

    @property
    def why(self) -> str:
        return PROBLEMS[self.problem] if self.problem else ""

    @property
    def key(self) -> str:
        """Stripe's idempotency key."""
        return f"top-up-{self.id}"

    @property
    def labels(self) -> dict[str, str]:
        return {TENANT: str(self.tenant_id), TOP_UP: str(self.id)}

    def checkout_params(self, *, product: str, done_url: str, back_url: str, customer_id: str) -> dict[str, Any]:
        """Of the page on which it is paid (Stripe: Checkout Sessions, create)."""
        amount = to_minor(self.amount_micros, self.currency)
        price = {"currency": self.currency.lower(), "unit_amount": amount, "product_data": {"name": product}}
        params: dict[str, Any] = {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": price}],
            "client_reference_id": str(self.id),
            "metadata": self.labels,
            "payment_intent_data": {"metadata": self.labels},
            "success_url": done_url,
            "cancel_url": back_url,
        }
        if self.saves_card:
            params["payment_intent_data"]["setup_future_usage"] = "off_session"
            params |= {"customer": customer_id} if customer_id else {"customer_creation": "always"}
        return params

    @property
    def charge_params(self) -> dict[str, Any]:
        """Of a charge of a saved card (Stripe: Payment Intents, create)."""
        return {
            "amount": to_minor(self.amount_micros, self.currency),
            "currency": self.currency.lower(),
            "customer": self.customer_id,
            "payment_method": self.card_id,
            "off_session": True,
            "confirm": True,
            "metadata": self.labels,
        }

    def open(self, account: StripeAccount, params: dict[str, Any]) -> None:
        """Opens Stripe's page. Raises `StripeError`; then there is nothing that could be paid."""
        commit()
        try:
            opened = account.open_checkout(params, key=self.key)
        except StripeError as error:
            self.fail("unreachable" if isinstance(error, Unreachable) else "refused")
            raise
        self.session_id, self.url = opened.session_id, opened.url

    def fail(self, problem: str) -> None:
        self.state, self.problem, self.finished_at = "failed", problem, database_now()

    @classmethod
    def check(cls, id: uuid.UUID, session_id: str = "", intent_id: str = "") -> bool:
        """Asks Stripe what has become of it, and brings the ledger to that. Commits before it asks.

        An event may name a page or a payment that we never heard of, because the answer was lost. False where Stripe's
        answer was dropped, as somebody asked later. Raises `StripeError`.
        """
        top_up, account = cls.find(id), StripeAccount.of(settings)
        if top_up is None or account is None:
            return True
        session_id, intent_id = top_up.session_id or session_id, top_up.intent_id or intent_id
        if not (session_id or intent_id):
            top_up.give_up_later()
            return True
        fence = top_up.raise_fence()
        commit()
        payment = account.payment(intent_id, session_id)
        return cls.settle(id, payment, fence)

    def raise_fence(self) -> int:
        """Before Stripe is asked: who asks last is right."""
        self.refresh_locked()
        self.fence += 1
        db.session.flush()
        return self.fence

    def give_up_later(self) -> None:
        """Its page or charge was never heard of; after a day it cannot have been paid without an event."""
        if self.state in UNFINISHED and self.created_at < database_now() - FORGOTTEN:
            self.fail("unreachable")
        self.next_check_at = database_now() + LATEST

    @classmethod
    def settle(cls, id: uuid.UUID, payment: Payment, fence: int) -> bool:
        """Brings ledger and row to what Stripe says. May run twice, and with answers in any order."""
        ledger = Ledger()
        top_up = cls.get_or_404(id).refresh_locked()
        if top_up.fence != fence:
            return False
        if payment.metadata.get(TOP_UP) != str(id) or payment.metadata.get(TENANT) != str(current_tenant_id()):
            log.warning("payment of another", top_up_id=str(id), intent_id=payment.intent_id)
            return True
        top_up.session_id = top_up.session_id or payment.session_id
        top_up.intent_id = top_up.intent_id or payment.intent_id
        top_up.take(payment, ledger)
        return True

    def take(self, payment: Payment, ledger: Ledger) -> None:
        at = database_now()
        match payment.state:
            case "paid":
                self.credit(payment, ledger)
            case "failed" | "expired" if self.state in UNFINISHED:
                self.state, self.problem = payment.state, problem_of(payment.code) if payment.state == "failed" else ""
                if self.kind == "automatic":
                    Recharge.stop(self.problem)
        if self.state in UNFINISHED:
            self.next_check_at = at + min(LATEST, max(SOONEST, (at - self.created_at) / 2))
        elif self.finished_at is None:
            self.finished_at = at
        if payment.card and self.saves_card and self.credited_micros:
            Recharge.save(payment.card)
            # Once: an event that comes later must not bring back a card that was removed.
            self.saves_card = False
        announce("top_up", self.id)

    def credit(self, payment: Payment, ledger: Ledger) -> None:
        """Writes what the ledger does not have yet of what Stripe has received, or has given back."""
        if payment.currency != self.currency or (ledger.balance and ledger.balance.currency != self.currency):
            self.state, self.problem = "failed", "currency"
            log.error("payment in another currency", top_up_id=str(self.id), currency=payment.currency)
            return
        captured, received = (from_minor(each, self.currency) for each in (payment.captured, payment.received))
        receive(ledger, received - self.credited_micros, note=f"Stripe {payment.intent_id}", by=self.by_name)
        self.credited_micros = received
        self.problem = "" if captured == self.amount_micros else "amount"
        self.state = state_of(payment)


def state_of(payment: Payment) -> str:
    if payment.disputed:
        return "disputed"
    if payment.refunded:
        return "refunded" if payment.refunded >= payment.captured else "partly_refunded"
    return "paid"


def problem_of(code: str) -> str:
    return "authentication" if code == "authentication_required" else "declined"
