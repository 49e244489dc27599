"""What a person adds while an attempt waits: a number, the code sent to it, a PIN.

Meta is asked in the person's own request, so that nothing of it has to be stored.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from app.extensions import graph
from app.meta import phone_numbers
from app.meta.errors import MetaError
from app.tenancy import announce, commit
from app.words import N_

from .models import Onboarding
from .refusals import IN_LIST, Words, of_code, of_new_number
from .trouble import Trouble

T = TypeVar("T")

SENT = N_("A code is on its way to the number.")
ENTER_IT = N_("Enter its six digits. If none arrives within a minute, request another one or take the call.")


class Refused(Exception):
    """Meta refused what a person added; the reason is recorded at the step."""

    def __init__(self, error: MetaError) -> None:
        super().__init__(str(error))
        self.error = error


class Holding:
    """An attempt that waits for a person."""

    def __init__(self, onboarding: Onboarding) -> None:
        self.onboarding = onboarding

    def choose_number(self, meta_id: str) -> None:
        """Connects this one of several numbers. The step checks it against Meta again."""
        onboarding = self.onboarding.refresh_locked()
        if onboarding.asks == "number":
            onboarding.claims = onboarding.claims | {"phone_number_id": meta_id}
            onboarding.resume()

    def enter_pin(self, pin: str) -> None:
        """Takes the PIN that the number has."""
        onboarding = self.onboarding.refresh_locked()
        if onboarding.asks == "pin":
            onboarding.phone_number.pin = pin
            onboarding.resume()

    def add_number(self, calling_code: str, number: str, name: str, *, migrate: bool) -> None:
        """Adds a number to an account that has none, or moves one there from another provider."""
        onboarding = self.onboarding
        if onboarding.asks not in ("new_number", "number"):
            return
        token, meta_id = onboarding.waba.token, onboarding.waba.meta_id
        try:
            made = self.ask_meta(
                lambda: phone_numbers.create(graph, token, meta_id, calling_code, number, name, migrate=migrate),
                partial(of_new_number, migrate=migrate),
            )
        except Refused as refused:
            if refused.error.code in (None, IN_LIST) or refused.error.subcode == IN_LIST:
                # It may be there, or is: the step looks at Meta.
                self.recheck()
            return
        if onboarding.refresh_locked().asks in ("new_number", "number"):
            onboarding.claims = onboarding.claims | {"phone_number_id": made}
            onboarding.resume()

    def send_code(self, method: str, language: str) -> None:
        """Has Meta send the code that proves who holds the number."""
        onboarding = self.onboarding
        if onboarding.asks != "code":
            return
        token, meta_id = onboarding.waba.token, onboarding.phone_number.meta_id
        try:
            self.ask_meta(lambda: phone_numbers.request_code(graph, token, meta_id, method, language), of_code)
        except Refused:
            self.resume_if_verified(token, meta_id)
        else:
            self.note(Trouble(SENT, ENTER_IT, asks="code", sent=method))

    def enter_code(self, code: str) -> None:
        """Verifies the number with the code that came to it."""
        onboarding = self.onboarding
        if onboarding.asks != "code":
            return
        token, meta_id = onboarding.waba.token, onboarding.phone_number.meta_id
        try:
            self.ask_meta(lambda: phone_numbers.verify_code(graph, token, meta_id, code), of_code)
        except Refused:
            self.resume_if_verified(token, meta_id)
        else:
            self.recheck()

    def recheck(self) -> None:
        """Runs the step again: what it asks for may have been done elsewhere."""
        if self.onboarding.refresh_locked().asks in ("number", "new_number", "code", "pin"):
            self.onboarding.resume()

    def resume_if_verified(self, token: str, meta_id: str) -> None:
        """After a refusal: Meta refuses codes for a number that was verified elsewhere meanwhile."""
        commit()
        try:
            is_verified = phone_numbers.fetch(graph, token, meta_id).is_verified
        except MetaError:
            return
        if is_verified:
            self.recheck()

    def ask_meta(self, call: Callable[[], T], explain: Callable[[MetaError], Words | None]) -> T:
        """Meta's answer. Raises `Refused` once the reason is recorded at the step, with the same question."""
        asks, sent = self.onboarding.asks, self.onboarding.trouble.get("sent", "")
        choices = self.onboarding.trouble.get("choices", [])
        commit()
        try:
            return call()
        except MetaError as error:
            trouble = Trouble.at_meta(error)
            trouble.asks, trouble.sent, trouble.choices, trouble.start_again = asks, sent, choices, False
            if trouble.passing:
                trouble.passing, trouble.fix = False, N_("Try again in a minute.")
            elif words := explain(error):
                trouble.title, trouble.fix = words
            self.note(trouble)
            raise Refused(error) from error

    def note(self, trouble: Trouble) -> None:
        """Records something new at the step that waits."""
        onboarding = self.onboarding.refresh_locked()
        step = onboarding.current_step
        if step and step.state == "waiting" and onboarding.asks == trouble.asks:
            step.wait(trouble)
            announce("onboarding", onboarding.id)
