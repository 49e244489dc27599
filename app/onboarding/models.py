"""One attempt at connecting a number: its columns and states. What is done with them lies above."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

import structlog
from sqlalchemy import ColumnElement, Index, Select, or_, select, text, update
from sqlalchemy.orm import Mapped, mapped_column, relationship
from werkzeug.exceptions import NotFound

from app.billing.balances import Balance
from app.tenancy import (
    User,
    announce,
    belongs_to,
    commit,
    database_now,
    db,
    exists,
    happened,
    later,
    now,
    of_tenant,
    one_of,
)
from app.tenancy.sealed import Sealed
from app.wabas.models import PhoneNumber, Waba

from .leases import ONLY_THERE, Leased
from .onboarding_steps import HELLO_OPEN, OnboardingStep
from .plan import PLAN
from .screens import CAUSES, SCREENS, Cause
from .trouble import CLOSED, Trouble

__all__ = ["Onboarding", "OnboardingStep"]

log = structlog.get_logger()

STATES = ("started", "running", "waiting", "failed", "cancelled", "abandoned", "connected")
# How it began: in the Facebook window, with a token somebody had, or by an account shared with us without either.
SOURCES = ("facebook", "token", "partner")

# Longer than the machine waits between its own retries.
LONG = dt.timedelta(hours=1)
NUDGED_AFTER, NUDGED_WITHIN = dt.timedelta(minutes=30), dt.timedelta(days=3)


class Onboarding(Leased):
    """An attempt at connecting one number. Its steps are rows, in the order of `plan.PLAN`."""

    __table_args__ = (
        of_tenant(),
        one_of("state", STATES),
        one_of("source", SOURCES),
        belongs_to("wabas", "waba_id"),
        belongs_to("phone_numbers", "phone_number_id"),
        Index("ix_onboardings_running", "lease_until", postgresql_where=text("state = 'running'")),
        Index("ix_onboardings_cancelled", "cancelled_at", postgresql_where=text("state = 'cancelled'")),
        Index(
            "ix_onboardings_hosted",
            "hosted_word",
            postgresql_where=text("hosted_at is not null and state in ('started', 'cancelled')"),
        ),
    )

    state: Mapped[str] = mapped_column(default="started")
    source: Mapped[str] = mapped_column(default="facebook", server_default="facebook")
    started_by_id: Mapped[uuid.UUID | None]
    # What the browser says it signed up for. Of two windows open at once both claim: the token decides which is right.
    claims: Mapped[dict[str, Any]] = mapped_column(default=dict)
    earlier_claims: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    # By which the same code is recognised, posted twice.
    code_digest: Mapped[str] = mapped_column(default="", server_default="")
    granted: Mapped[list[str] | None]
    token = Sealed()
    token_ciphertext: Mapped[bytes | None]
    token_expires_at: Mapped[dt.datetime | None]
    token_user_id: Mapped[str] = mapped_column(default="", server_default="")
    code_lost_at: Mapped[dt.datetime | None]
    # When somebody finished the Facebook sign-up: the number has to be registered within two weeks of it.
    signed_up_at: Mapped[dt.datetime | None]
    # Facebook's own page in place of its window (`Hosted`): since when, for which number, and the word that proves it.
    hosted_at: Mapped[dt.datetime | None]
    hosted_number: Mapped[str] = mapped_column(default="", server_default="")
    hosted_word: Mapped[str] = mapped_column(default="", server_default="")
    waba_id: Mapped[uuid.UUID | None]
    phone_number_id: Mapped[uuid.UUID | None]
    stopped_at: Mapped[str] = mapped_column(default="")
    cancelled_at: Mapped[dt.datetime | None]
    nudged_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]
    steps: Mapped[list[OnboardingStep]] = relationship(viewonly=True, order_by="OnboardingStep.position")

    @classmethod
    def begin(cls, by: User | None, source: str = "facebook") -> Self:
        """A new attempt; the person's last one if nothing has happened in it yet."""
        mine = select(cls).where(cls.state.in_(("started", "cancelled")), cls.started_by_id == (by and by.id))
        unused = db.session.scalar(mine.where(cls.source == source).order_by(cls.id.desc()).limit(1))
        if by and unused:
            return unused
        for previous in db.session.scalars(select(cls).where(cls.state.in_(("failed", "running")))):
            previous.abandon()
        onboarding = cls(started_by_id=by and by.id, source=source)
        db.session.add(onboarding)
        db.session.flush()
        db.session.add_all(
            OnboardingStep(onboarding_id=onboarding.id, name=name, position=position)
            for position, name in enumerate(PLAN)
        )
        db.session.flush()
        return onboarding

    @classmethod
    def with_token(cls, token: str, waba_id: str, phone_number_id: str, *, by: User | None, source: str) -> Self:
        """An attempt with a token somebody has already: without the Facebook window, through the same steps."""
        onboarding = cls.begin(by, source)
        ids = {"waba_id": waba_id, "phone_number_id": phone_number_id}
        onboarding.claims = {name: value for name, value in ids.items() if value}
        onboarding.receive_token(token, how="skipped")
        return onboarding

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.id.desc())

    @classmethod
    def unfinished(cls) -> Select[Self]:
        return cls.newest_first().where(cls.state.in_(("running", "waiting", "failed")))

    def abandon(self) -> None:
        """Ends an attempt where only a new one helps."""
        if self.trouble.get("start_again"):
            self.state, self.next_attempt_at = "abandoned", None
            self.forget_token()

    def use_claims(self, waba_id: str) -> None:
        """Makes the newest claims of this account the attempt's own."""
        listed = [self.claims, *reversed(self.earlier_claims)]
        fitting = next((claims for claims in listed if claims.get("waba_id") == waba_id), None)
        if fitting is not None and fitting is not self.claims:
            self.earlier_claims = [*(claims for claims in self.earlier_claims if claims is not fitting), self.claims]
            self.claims = fitting

    def receive_token(self, token: str, signed_up_at: dt.datetime | None = None, how: str = "done") -> None:
        """Stores the token, encrypted, and lets the machine run. A business that is closed takes none.

        `how`: the state in which that leaves the first step, `skipped` where there was no code.
        """
        if Balance.of_closed():
            self.end()
        else:
            self.token, self.signed_up_at, self.state = token, signed_up_at, "running"
        self.step("code_exchanged").finish(state=how)

    def end(self) -> None:
        """Ends the attempt, and forgets its token, as its business is being closed."""
        if self.state != "connected":
            self.state, self.next_attempt_at, self.finished_at = "abandoned", None, now()
            if step := self.current_step:
                step.fail(CLOSED)
        self.forget_token()
        announce("onboarding", self.id)

    def forget_token(self) -> None:
        self.token, self.token_expires_at, self.token_user_id = None, None, ""

    @classmethod
    def end_all(cls) -> bool:
        """Ends every attempt. Returns whether a worker may still be at one, and change something at Meta."""
        going = cls.state.in_(("started", "running", "waiting", "failed", "cancelled"))
        query = (
            select(cls).where(or_(going, cls.token_ciphertext.is_not(None))).order_by(cls.id).with_for_update(of=cls)
        )
        for onboarding in db.session.scalars(query.execution_options(populate_existing=True)):
            onboarding.end()
        db.session.flush()
        return exists(select(cls.id).where(cls.lease_until > database_now()))

    def renew_lease(self, fence: int) -> bool:
        """Not once the attempt has ended with its business: then the lease is given back."""
        ended = update(Onboarding).where(Onboarding.id == self.id, Onboarding.state == "abandoned")
        given_back = ended.where(Onboarding.fence == fence).values(lease_until=None)
        if db.session.scalar(given_back.returning(Onboarding.id), execution_options=ONLY_THERE):
            commit()
            return False
        return super().renew_lease(fence)

    def retry(self, name: str, by: str) -> None:
        """Retries a step that failed; `by` is the person's name, for the record."""
        step = self.refresh_locked().current_step
        if step and step.name == name and step.may_be_retried:
            step.retried_by = by
            log.info("step retried", onboarding_id=str(self.id), step=name, by=by)
            self.resume()

    def resume(self) -> None:
        """Has a worker take the current step again, from its beginning."""
        if step := self.current_step:
            step.state = "pending"
            step.outcome = None
        self.state, self.next_attempt_at, self.finished_at = "running", None, None
        announce("onboarding", self.id)
        later("onboarding.advance", self.id)

    def fail(self, step: OnboardingStep, trouble: Trouble) -> None:
        """Stops at a step until a person retries it."""
        step.fail(trouble)
        self.state, self.lease_until = "failed", None
        happened("onboarding.failed", self.id, step=step.name)
        log.info("step failed", onboarding_id=str(self.id), step=step.name, meta_code=trouble.code)

    def settle(self) -> None:
        """After each step: the attempt's own state, and the lease given back where the machine stops.

        A number that waits for its first message is connected already.
        """
        if self.current_step is None or self.asks == "hello":
            self.state = "connected"
        elif self.asks:
            self.state = "waiting"
        # From here on the account has it.
        if self.step("assets_confirmed").is_over:
            self.forget_token()
        if self.state == "connected":
            if self.finished_at is None:
                happened("onboarding.connected", self.id)
            self.finished_at = now()
        if not self.is_moving:
            self.lease_until = None
        announce("onboarding", self.id)

    def finish_hello(self) -> None:
        """Ticks the last step once the first message has come in, whatever else is still open."""
        step = self.refresh_locked().step("hello_seen")
        if not step.is_over and self.hello_has_come:
            step.finish()
            announce("onboarding", self.id)

    @classmethod
    def greeted(cls) -> Select[uuid.UUID, uuid.UUID]:
        """Those whose last step can be ticked. Needs a platform scope."""
        same = (PhoneNumber.tenant_id == cls.tenant_id) & (PhoneNumber.id == cls.phone_number_id)
        return (
            select(cls.tenant_id, cls.id)
            .join(OnboardingStep, cls.steps)
            .join(PhoneNumber, same)
            .where(OnboardingStep.state.in_(HELLO_OPEN), OnboardingStep.name == "hello_seen")
            .where(PhoneNumber.hello_seen_at.is_not(None))
        )

    @classmethod
    def left_in_the_window(cls) -> Select[uuid.UUID, uuid.UUID]:
        """Attempts cancelled a while ago, without a reminder so far. Needs a platform scope."""
        cancelled = cls.state == "cancelled", cls.nudged_at.is_(None), cls.started_by_id.is_not(None)
        recent = cls.cancelled_at.between(now() - NUDGED_WITHIN, now() - NUDGED_AFTER)
        return select(cls.tenant_id, cls.id).where(*cancelled, recent)

    def step(self, name: str) -> OnboardingStep:
        if match := next((step for step in self.steps if step.name == name), None):
            return match
        raise NotFound

    @property
    def current_step(self) -> OnboardingStep | None:
        return next((step for step in self.steps if not step.is_over), None)

    @property
    def asks(self) -> str:
        """What it needs from the tenant now: a number, a code, a PIN, a hello; or nothing."""
        step = self.current_step
        return step.trouble.get("asks", "") if step and step.state == "waiting" else ""

    @property
    def trouble(self) -> dict[str, Any]:
        step = self.current_step
        return step.trouble if step else {}

    @property
    def waits_until(self) -> dt.datetime | None:
        """The moment from which Meta allows what it refuses now; None while a worker tries it."""
        return self.next_attempt_at if self.trouble.get("until") else None

    @classmethod
    def waits_for_a_day(cls) -> ColumnElement[bool]:
        """Whether it waits for a day on which Meta allows what it refuses now."""
        return (cls.state == "running") & (cls.next_attempt_at > now() + LONG)

    @property
    def needs_sign_up(self) -> bool:
        """Whether the Facebook window has still to be gone through."""
        return self.state in ("started", "cancelled")

    @property
    def screen(self) -> str:
        """The screen on which the Facebook window was closed, in words."""
        return SCREENS.get(self.stopped_at, "")

    @property
    def likely_causes(self) -> tuple[Cause, ...]:
        """Why people leave the window at that screen, each with the way on."""
        return CAUSES.get(self.stopped_at, ())

    @property
    def waba(self) -> Waba:
        return Waba.get_or_404(self.waba_id)

    @property
    def phone_number(self) -> PhoneNumber:
        return PhoneNumber.get_or_404(self.phone_number_id)

    @property
    def is_moving(self) -> bool:
        return self.state == "running" and self.next_attempt_at is None

    @property
    def hello_has_come(self) -> bool:
        return bool(self.phone_number_id) and self.phone_number.hello_seen_at is not None
