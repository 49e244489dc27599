"""What a person adds while an attempt waits: a number, the code sent to it, a PIN.

Meta is asked in the person's own request, so that nothing of it has to be stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from app.extensions import graph
from app.meta import phone_numbers
from app.meta.errors import MetaError
from app.tenancy import announce, commit
from app.words import N_

from .models import Onboarding
from .trouble import Trouble

T = TypeVar("T")

IN_LIST = 2388012
SENT = N_("A code is on its way to the number.")
ENTER_IT = N_("Enter its six digits. If none arrives within a minute, request another one or take the call.")


class Refused(Exception):
    """Meta refused what a person added; the reason is recorded at the step."""


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
                lambda: phone_numbers.create(graph, token, meta_id, calling_code, number, name, migrate=migrate)
            )
        except Refused:
            made = ""
        if onboarding.refresh_locked().asks not in ("new_number", "number"):
            return
        if made:
            onboarding.claims = onboarding.claims | {"phone_number_id": made}
            onboarding.resume()
        elif onboarding.trouble.get("code") in (None, IN_LIST):
            # It may be there, or is: the step looks at Meta.
            onboarding.resume()

    def send_code(self, method: str, language: str) -> None:
        """Has Meta send the code that proves who holds the number."""
        onboarding = self.onboarding
        if onboarding.asks != "code":
            return
        token, meta_id = onboarding.waba.token, onboarding.phone_number.meta_id
        try:
            self.ask_meta(lambda: phone_numbers.request_code(graph, token, meta_id, method, language))
        except Refused:
            return
        self.note(Trouble(SENT, ENTER_IT, asks="code", sent=method))

    def enter_code(self, code: str) -> None:
        """Verifies the number with the code that came to it."""
        onboarding = self.onboarding
        if onboarding.asks != "code":
            return
        token, meta_id = onboarding.waba.token, onboarding.phone_number.meta_id
        try:
            self.ask_meta(lambda: phone_numbers.verify_code(graph, token, meta_id, code))
        except Refused:
            return
        if onboarding.refresh_locked().asks == "code":
            onboarding.resume()

    def ask_meta(self, call: Callable[[], T]) -> T:
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
            self.note(trouble)
            raise Refused from error

    def note(self, trouble: Trouble) -> None:
        """Records something new at the step that waits."""
        onboarding = self.onboarding.refresh_locked()
        step = onboarding.current_step
        if step and step.state == "waiting" and onboarding.asks == trouble.asks:
            step.wait(trouble)
            announce("onboarding", onboarding.id)
