"""One attempt at connecting a number, step by step."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

import structlog
from sqlalchemy import ColumnElement, Index, Select, UniqueConstraint, func, or_, select, text, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import graph, vault
from app.meta import embedded_signup
from app.meta.codes.explanation import N_
from app.meta.errors import MetaError, NotConnected
from app.tenancy import TenantModel, User, announce, belongs_to, commit, db, now, of_tenant, one_of
from app.wabas.models import PhoneNumber, Waba

from .run import Run
from .steps import STEPS
from .trouble import START_AGAIN, Trouble

log = structlog.get_logger()

STATES = ("started", "running", "waiting", "failed", "cancelled", "abandoned", "connected")
STEP_STATES = ("pending", "running", "waiting", "done", "skipped", "failed")

# Longer than a step's calls to Meta may take together.
LEASE = dt.timedelta(minutes=3)
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


class Onboarding(TenantModel):
    __table_args__ = (
        of_tenant(),
        one_of("state", STATES),
        belongs_to("wabas", "waba_id"),
        belongs_to("phone_numbers", "phone_number_id"),
        Index("ix_onboardings_running", "lease_until", postgresql_where=text("state = 'running'")),
    )

    state: Mapped[str] = mapped_column(default="started")
    started_by_id: Mapped[uuid.UUID | None]
    claims: Mapped[dict[str, Any]] = mapped_column(default=dict)
    granted: Mapped[list[str] | None]
    token_ciphertext: Mapped[bytes | None]
    token_expires_at: Mapped[dt.datetime | None]
    waba_id: Mapped[uuid.UUID | None]
    phone_number_id: Mapped[uuid.UUID | None]
    stopped_at: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[dt.datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]
    steps: Mapped[list[OnboardingStep]] = relationship(viewonly=True, order_by="OnboardingStep.position")

    @classmethod
    def begin(cls, by: User | None) -> Self:
        """A new attempt; the person's last one if nothing has happened in it yet."""
        mine = select(cls).where(cls.state.in_(("started", "cancelled")), cls.started_by_id == (by and by.id))
        if by and (unused := db.session.scalar(mine.order_by(cls.id.desc()).limit(1))):
            return unused
        for dead in db.session.scalars(select(cls).where(cls.state == "failed")):
            dead.abandon()
        onboarding = cls(started_by_id=by and by.id)
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
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.id.desc())

    @classmethod
    def unfinished(cls) -> Select[Self]:
        return cls.newest_first().where(cls.state.in_(("running", "waiting", "failed")))

    def abandon(self) -> None:
        """Where only a new attempt helps, the new one takes this one's place."""
        if self.trouble.get("start_again"):
            self.state = "abandoned"

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
        except MetaError as error:
            self.fail(step, lost_code(error))
        else:
            self.receive_token(token.value)
            self.lease_until = None
            step.finish()
        announce("onboarding", self.id)
        commit()
        if self.state == "running":
            self.advance_later()

    def receive_token(self, token: str) -> None:
        self.token_ciphertext = vault.encrypt(token, self.place("token"))
        self.state = "running"

    @property
    def token(self) -> str:
        assert self.token_ciphertext is not None
        return vault.decrypt(self.token_ciphertext, self.place("token"))

    def receive_claims(self, event: str, data: dict[str, Any]) -> None:
        """What Facebook's window told the browser. Nothing of it counts until the token proves it."""
        self.refresh_locked()
        named = {name: str(data[name]) for name in CLAIMS if is_meta_id(data.get(name))}
        self.claims = named | {"event": event[:60]}
        announce("onboarding", self.id)
        if self.asks == "number" and "phone_number_id" in named:
            self.resume()

    def cancel(self, at_step: str, report: dict[str, str]) -> None:
        """Facebook's window was closed before its end. If the code came all the same, that counts."""
        self.refresh_locked()
        if self.state in ("started", "cancelled"):
            self.state, self.stopped_at = "cancelled", at_step[:60]
            self.claims = self.claims | {"report": report}
            announce("onboarding", self.id)

    def choose_number(self, meta_id: str) -> None:
        """Which of several numbers to connect. The step checks it against Meta again."""
        if self.refresh_locked().asks == "number":
            self.claims = self.claims | {"phone_number_id": meta_id}
            self.resume()

    def enter_pin(self, pin: str) -> None:
        if self.refresh_locked().asks == "pin":
            self.phone_number.pin = pin
            self.resume()

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
        from .jobs import advance

        advance.later(self.id)

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
        log.info("step failed", onboarding_id=str(self.id), step=step.name, meta_code=trouble.code)

    def settle(self) -> None:
        """After each step: the attempt's own state, and the lease given back where nothing moves."""
        if self.current_step is None:
            self.state = "connected"
        if self.state == "connected":
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

    def take_lease(self) -> int | None:
        """The number under which this worker may write, if nobody else is at work and it is time."""
        taken = db.session.scalar(
            update(Onboarding)
            .where(Onboarding.id == self.id, *Onboarding.is_due())
            .values(lease_until=func.clock_timestamp() + LEASE, fence=Onboarding.fence + 1, next_attempt_at=None)
            .returning(Onboarding.fence)
        )
        db.session.refresh(self)
        return taken

    def keep_lease(self, fence: int) -> bool:
        mine = Onboarding.id == self.id, Onboarding.fence == fence, Onboarding.lease_until.is_not(None)
        kept = update(Onboarding).where(*mine).values(lease_until=func.clock_timestamp() + LEASE)
        return db.session.scalar(kept.returning(Onboarding.id)) is not None

    @classmethod
    def is_due(cls) -> tuple[ColumnElement[bool], ...]:
        free = or_(cls.lease_until.is_(None), cls.lease_until < func.clock_timestamp())
        due = or_(cls.next_attempt_at.is_(None), cls.next_attempt_at <= func.clock_timestamp())
        return cls.state == "running", free, due

    @classmethod
    def left_running(cls) -> Select[uuid.UUID, uuid.UUID]:
        """Those whose worker died, whose bell was lost, or whose wait is over. Needs a platform scope."""
        return select(cls.tenant_id, cls.id).where(*cls.is_due())

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


class OnboardingStep(TenantModel):
    __table_args__ = (
        UniqueConstraint("tenant_id", "onboarding_id", "name"),
        belongs_to("onboardings", "onboarding_id", ondelete="CASCADE"),
        one_of("state", STEP_STATES),
        Index("ix_onboarding_steps_waiting", "name", postgresql_where=text("state = 'waiting'")),
    )

    onboarding_id: Mapped[uuid.UUID]
    name: Mapped[str]
    position: Mapped[int]
    state: Mapped[str] = mapped_column(default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[dict[str, Any] | None]
    retried_by: Mapped[str] = mapped_column(default="")
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]

    def begin(self) -> None:
        self.state, self.started_at, self.finished_at = "running", now(), None
        self.attempts += 1

    def finish(self, note: str = "", state: str = "done") -> None:
        self.state, self.finished_at = state, now()
        self.outcome = {"note": note} if note else None

    def wait(self, trouble: Trouble) -> None:
        self.state, self.outcome = "waiting", trouble.as_dict()

    def fail(self, trouble: Trouble) -> None:
        self.state, self.finished_at, self.outcome = "failed", now(), trouble.as_dict()

    @property
    def title(self) -> str:
        return STEPS[self.name].title

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "skipped")

    @property
    def trouble(self) -> dict[str, Any]:
        """What went wrong last, if it is not over."""
        return {} if self.is_over else self.outcome or {}

    @property
    def note(self) -> str:
        return str((self.outcome or {}).get("note", ""))

    @property
    def may_be_retried(self) -> bool:
        """Where only a new attempt helps, trying again would not."""
        tried = self.state == "failed" or "tries" in self.trouble
        return tried and not self.trouble.get("start_again")


def exchange(code: str) -> embedded_signup.BusinessToken:
    """The token for the code. Where Meta was certainly not reached, the code is good for one more try."""
    try:
        return embedded_signup.exchange_code(graph, code)
    except NotConnected:
        return embedded_signup.exchange_code(graph, code)


def lost_code(error: MetaError) -> Trouble:
    trouble = Trouble.at_meta(error)
    trouble.fix, trouble.mender, trouble.start_again = START_AGAIN, "you", True
    if trouble.code is None and not isinstance(error, NotConnected):
        trouble.title = N_("Facebook's answer got lost, and its sign-in code works only once.")
    return trouble


def is_meta_id(value: object) -> bool:
    return isinstance(value, str | int) and str(value).isdecimal() and len(str(value)) <= 32
