"""One attempt at connecting a number, step by step."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

import structlog
from sqlalchemy import ColumnElement, Index, Select, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.meta.errors import MetaError
from app.tenancy import User, announce, belongs_to, commit, db, happened, later, now, of_tenant, one_of
from app.tenancy.sealed import Sealed
from app.wabas.models import PhoneNumber, Waba
from app.words import N_

from .holding import Holding
from .hosted import Hosted
from .leases import LEASE, Leased
from .run import Run
from .sign_up import CodeLost, exchange, fetching, lost_code
from .step_rows import OnboardingStep
from .steps import STEPS
from .trouble import Trouble

__all__ = ["Onboarding", "OnboardingStep"]

log = structlog.get_logger()

STATES = ("started", "running", "waiting", "failed", "cancelled", "abandoned", "connected")
# How it began: with Facebook's window, with a token somebody had, or by an account shared with us without either.
SOURCES = ("facebook", "token", "partner")

# What Facebook's window shows at each of its steps.
SCREENS = {
    "BUSINESS_ACCOUNT_SELECTION": N_("the choice of your business"),
    "WABA_PHONE_PROFILE_PICKER": N_("the choice of your WhatsApp account"),
    "WHATSAPP_BUSINESS_PROFILE_SETUP": N_("the details of your business"),
    "PHONE_NUMBER_SETUP": N_("adding your phone number"),
    "PHONE_NUMBER_VERIFICATION": N_("the code for your phone number"),
    "PERMISSIONS": N_("the permissions"),
}
CLAIMS = ("waba_id", "phone_number_id", "business_id")
# Longer than the machine waits between its tries at what passes.
LONG = dt.timedelta(hours=1)
NUDGED_AFTER, NUDGED_WITHIN = dt.timedelta(minutes=30), dt.timedelta(days=3)


class Onboarding(Holding, Hosted, Leased):
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
    claims: Mapped[dict[str, Any]] = mapped_column(default=dict)
    granted: Mapped[list[str] | None]
    token = Sealed()
    token_ciphertext: Mapped[bytes | None]
    token_expires_at: Mapped[dt.datetime | None]
    token_user_id: Mapped[str] = mapped_column(default="", server_default="")
    code_lost_at: Mapped[dt.datetime | None]
    # When somebody finished Facebook's sign-up: the number has to be registered within two weeks of it.
    signed_up_at: Mapped[dt.datetime | None]
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
        unused = mine.where(cls.source == source).order_by(cls.id.desc()).limit(1)
        if by and (found := db.session.scalar(unused)):
            return found
        for dead in db.session.scalars(select(cls).where(cls.state.in_(("failed", "running")))):
            dead.abandon()
        onboarding = cls(started_by_id=by and by.id, source=source)
        db.session.add(onboarding)
        db.session.flush()
        steps = [
            OnboardingStep(onboarding_id=onboarding.id, name=name, position=position)
            for position, name in enumerate(STEPS)
        ]
        db.session.add_all(steps)
        db.session.flush()
        return onboarding

    @classmethod
    def with_token(cls, token: str, waba_id: str, phone_number_id: str, *, by: User | None, source: str) -> Self:
        """An attempt for whoever has a token already: without Facebook's window, through the same steps."""
        onboarding = cls.begin(by, source)
        given = {"waba_id": waba_id, "phone_number_id": phone_number_id}
        onboarding.claims = {name: value for name, value in given.items() if value}
        onboarding.receive_token(token)
        onboarding.step("code_exchanged").finish(state="skipped")
        return onboarding

    @classmethod
    def adopt(cls, token: str, waba_id: str, shared_at: dt.datetime) -> Self:
        """An account that the platform gives to the tenant: for the attempt that waits for it, else for a new one."""
        waiting = cls.newest_first().where(*cls.is_waiting()).limit(1)
        onboarding = db.session.scalar(waiting) or cls.begin(None, "partner")
        onboarding.take_over(token, waba_id, shared_at, {})
        return onboarding

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.id.desc())

    @classmethod
    def unfinished(cls) -> Select[Self]:
        return cls.newest_first().where(cls.state.in_(("running", "waiting", "failed")))

    def abandon(self) -> None:
        """Where only a new attempt helps, the new one takes this one's place."""
        if self.trouble.get("start_again"):
            self.state, self.next_attempt_at = "abandoned", None

    # What the browser tells

    def receive_code(self, code: str) -> None:
        """Trades the code for the token at once: it lives 30 seconds and works once.

        A second post of it changes nothing.
        """
        step = self.refresh_locked().step("code_exchanged")
        if self.state not in ("started", "cancelled") or step.state != "pending":
            return
        self.state, self.stopped_at, self.lease_until = "running", "", now() + LEASE
        step.begin()
        commit()
        try:
            token = exchange(code)
        except CodeLost:
            self.code_lost_at, self.lease_until, step.outcome = now(), None, fetching().as_dict()
        except MetaError as error:
            self.fail(step, lost_code(error))
        else:
            self.receive_token(token.value, signed_up_at=now())
            self.lease_until = None
            step.finish()
        announce("onboarding", self.id)
        commit()
        if self.state == "running":
            self.advance_later()

    def receive_token(self, token: str, signed_up_at: dt.datetime | None = None) -> None:
        self.token, self.signed_up_at, self.state = token, signed_up_at, "running"

    def receive_claims(self, event: str, data: dict[str, Any]) -> None:
        """What Facebook's window told the browser. Nothing of it counts until the token proves it.

        Where Meta shared the account without a window, the token is its whole business's and would prove too much.
        """
        if self.refresh_locked().source == "partner":
            return
        named = {name: str(data[name]) for name in CLAIMS if is_meta_id(data.get(name))}
        self.claims = named | {"event": event[:60]}
        announce("onboarding", self.id)
        if self.asks == "number" and "phone_number_id" in named:
            self.resume()

    def cancel(self, at_step: str, report: dict[str, str]) -> None:
        """Facebook's window was closed before its end. If the code came all the same, that counts."""
        self.refresh_locked()
        if self.state in ("started", "cancelled"):
            self.state, self.stopped_at, self.cancelled_at = "cancelled", at_step[:60], now()
            self.claims = self.claims | {"report": report}
            announce("onboarding", self.id)

    def retry(self, name: str, by: str) -> None:
        """Somebody (named, for the record) wants a step that failed to be tried again."""
        step = self.refresh_locked().current_step
        if step and step.name == name and step.may_be_retried:
            step.retried_by = by
            log.info("step retried", onboarding_id=str(self.id), step=name, by=by)
            self.resume()

    def resume(self) -> None:
        if step := self.current_step:
            step.state = "pending"
            step.outcome = None
        self.state, self.next_attempt_at, self.finished_at = "running", None, None
        announce("onboarding", self.id)
        self.advance_later()

    def advance_later(self) -> None:
        later("onboarding.advance", self.id)

    # What the machine does

    def advance(self) -> None:
        """Takes step after step until one has to wait. Safe to run at any time, also twice at once."""
        if fence := self.take_lease():
            Run(self, fence).go()

    def wait(self, step: OnboardingStep, trouble: Trouble) -> None:
        """Only the tenant can go on. A number that waits for its first message is connected already."""
        step.wait(trouble)
        self.state = "connected" if trouble.asks == "hello" else "waiting"

    def fail(self, step: OnboardingStep, trouble: Trouble) -> None:
        step.fail(trouble)
        self.state, self.lease_until = "failed", None
        happened("onboarding.failed", self.id, step=step.name)
        log.info("step failed", onboarding_id=str(self.id), step=step.name, meta_code=trouble.code)

    def settle(self) -> None:
        """After each step: the attempt's own state, and the lease given back where nothing moves."""
        if self.current_step is None:
            self.state = "connected"
        if self.state == "connected":
            if self.finished_at is None:
                happened("onboarding.connected", self.id)
            self.finished_at = now()
        if not self.is_moving:
            self.lease_until = None
        announce("onboarding", self.id)

    def hear_hello(self) -> None:
        """The first message has come in: the last step is done."""
        step = self.refresh_locked().step("hello_seen")
        if step.state == "waiting" and self.hello_has_come:
            step.finish()
            announce("onboarding", self.id)

    @classmethod
    def greeted(cls) -> Select[uuid.UUID, uuid.UUID]:
        """Those whose last step can be ticked off. Needs a platform scope."""
        same = (PhoneNumber.tenant_id == cls.tenant_id) & (PhoneNumber.id == cls.phone_number_id)
        return (
            select(cls.tenant_id, cls.id)
            .join(OnboardingStep, cls.steps)
            .join(PhoneNumber, same)
            .where(OnboardingStep.state == "waiting", OnboardingStep.name == "hello_seen")
            .where(PhoneNumber.hello_seen_at.is_not(None))
        )

    @classmethod
    def left_in_the_window(cls) -> Select[uuid.UUID, uuid.UUID]:
        """Those that somebody cancelled a while ago and was not reminded of. Needs a platform scope."""
        cancelled = cls.state == "cancelled", cls.nudged_at.is_(None), cls.started_by_id.is_not(None)
        recent = cls.cancelled_at.between(now() - NUDGED_WITHIN, now() - NUDGED_AFTER)
        return select(cls.tenant_id, cls.id).where(*cancelled, recent)

    # How it stands

    def step(self, name: str) -> OnboardingStep:
        return next(step for step in self.steps if step.name == name)

    @property
    def current_step(self) -> OnboardingStep | None:
        return next((step for step in self.steps if not step.is_over), None)

    @property
    def asks(self) -> str:
        """What it waits for from the tenant: a number, a PIN, a hello; or nothing."""
        step = self.current_step
        return step.trouble.get("asks", "") if step and step.state == "waiting" else ""

    @property
    def trouble(self) -> dict[str, Any]:
        step = self.current_step
        return step.trouble if step else {}

    @classmethod
    def waits_for_a_day(cls) -> ColumnElement[bool]:
        """For one on which Meta allows what it refuses now."""
        return (cls.state == "running") & (cls.next_attempt_at > now() + LONG)

    @property
    def needs_sign_up(self) -> bool:
        """Whether Facebook's window has still to be gone through."""
        return self.state in ("started", "cancelled")

    @property
    def screen(self) -> str:
        """Where in Facebook's window somebody stopped."""
        return SCREENS.get(self.stopped_at, "")

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


def is_meta_id(value: object) -> bool:
    return isinstance(value, str | int) and str(value).isdecimal() and len(str(value)) <= 32
