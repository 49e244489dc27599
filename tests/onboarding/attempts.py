"""An attempt at connecting a number, as tests make it."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import update
from werkzeug.test import TestResponse

from app.onboarding.jobs import advance
from app.onboarding.models import Onboarding, OnboardingStep
from app.onboarding.steps import STEPS
from app.tenancy import db, now, platform_scope, tenant_scope
from app.wabas.credit import CreditLineShare
from app.wabas.models import PhoneNumber, Waba
from tests.client import Browser
from tests.simulated import Meta


class Killed(BaseException):
    """kill -9: nothing of ours gets to run."""


@contextlib.contextmanager
def killed_in(name: str, *, after_the_call: bool = False) -> Iterator[None]:
    """A worker dies at the beginning of this step, or after Meta has done it and before we have noted it."""
    step = STEPS[name]

    def die(onboarding: Onboarding) -> None:
        if after_the_call:
            step.run(onboarding)
        raise Killed

    STEPS[name] = replace(step, run=die)
    try:
        yield
    finally:
        STEPS[name] = step


class Attempt:
    """An attempt at connecting a number, with Facebook's window gone through behind the scenes."""

    def __init__(self, browser: Browser, tenant_id: uuid.UUID, meta: Meta) -> None:
        self.browser, self.tenant_id, self.meta = browser, tenant_id, meta
        self.path = browser.post("~/onboarding").location
        self.id = uuid.UUID(self.path.rpartition("/")[2])
        self.signed_up: dict[str, str] = {}

    def sign_up(self, name: str = "Bakery", number: str = "+1 555 078 3881", **wishes: bool) -> dict[str, str]:
        self.signed_up = self.meta.post("signups", name=name, display_phone_number=number, **wishes)
        return self.signed_up

    def post(self, to: str, **body: Any) -> TestResponse:
        return self.browser.post(f"{self.path}/{to}", json=body)

    def post_claims(self, **more: Any) -> TestResponse:
        existing = ("waba_id", "phone_number_id", "business_id")
        ids = {name: self.signed_up[name] for name in existing if name in self.signed_up}
        return self.post("session-info", **{"event": "FINISH"} | ids | more)

    def post_code(self) -> TestResponse:
        return self.post("code", code=self.signed_up["code"])

    def hand_over(self) -> None:
        """Both things Facebook's window tells the page."""
        if not self.signed_up:
            self.sign_up()
        self.post_claims()
        self.post_code()

    def run(self) -> None:
        advance(self.tenant_id, self.id)

    def connect(self) -> None:
        self.hand_over()
        self.run()

    def stop_after(self, name: str) -> None:
        """The worker is killed right after this step, before the next."""
        following = list(STEPS)[list(STEPS).index(name) + 1]
        with killed_in(following), contextlib.suppress(Killed):
            self.run()

    def page(self) -> str:
        return self.browser.get(self.path).get_data(as_text=True)

    def load(self) -> Onboarding:
        with tenant_scope(self.tenant_id):
            onboarding = Onboarding.get_or_404(self.id)
            assert onboarding.steps
            return onboarding

    @property
    def state(self) -> str:
        return self.load().state

    def step(self, name: str) -> OnboardingStep:
        return self.load().step(name)

    def states(self) -> dict[str, str]:
        return {step.name: step.state for step in self.load().steps}

    def trouble(self) -> dict[str, Any]:
        return self.load().trouble

    def make_due(self) -> None:
        """The worker that held the lease is dead for long, and a wait is over."""
        past = now() - dt.timedelta(minutes=1)
        with platform_scope("tests"):
            row = update(Onboarding).where(Onboarding.id == self.id, Onboarding.state == "running")
            db.session.execute(row.where(Onboarding.lease_until.is_not(None)).values(lease_until=past))
            db.session.execute(row.where(Onboarding.next_attempt_at.is_not(None)).values(next_attempt_at=past))

    def token(self) -> str:
        with tenant_scope(self.tenant_id):
            token: str = Onboarding.get_or_404(self.id).token
        return token

    def set_pin_at_meta(self, pin: str) -> None:
        """As somebody did who had this number on WhatsApp before."""
        token = self.meta.post("seed", name="Bakery", display_phone_number="+1 555 078 3881")["token"]
        answer = self.meta.client.post(
            f"/v25.0/{self.signed_up['phone_number_id']}",
            json={"pin": pin},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.json() == {"success": True}

    def code_sent(self, number_id: str = "") -> str:
        """What came to the number by SMS, or was read out."""
        return str(self.meta.get(f"verification-code?phone_number_id={number_id or self.number().meta_id}")["code"])

    def answer(self, to: str, **typed: str) -> TestResponse:
        return self.browser.post(f"{self.path}/{to}", typed)

    def number(self) -> PhoneNumber:
        with tenant_scope(self.tenant_id):
            return db.session.query(PhoneNumber).one()

    def waba(self) -> Waba:
        with tenant_scope(self.tenant_id):
            return db.session.query(Waba).one()

    def allocation_id(self) -> str:
        with tenant_scope(self.tenant_id):
            return db.session.query(CreditLineShare).one().allocation_config_id

    def fail(self, edge: str, code: int = 200, **more: Any) -> None:
        """Meta refuses the next call of this edge."""
        self.meta.post("faults", edge=edge, kind="error", code=code, **more)


class LaterAttempt(Attempt):
    """One that begins when it hands over what Facebook's window said."""

    def __init__(self, browser: Browser, tenant_id: uuid.UUID, meta: Meta) -> None:
        self.browser, self.tenant_id, self.meta = browser, tenant_id, meta
        self.signed_up = {}

    def start(self) -> None:
        super().__init__(self.browser, self.tenant_id, self.meta)

    def hand_over(self) -> None:
        self.start()
        super().hand_over()
