"""What a person adds while an attempt waits: a number, the code sent to it, a PIN.

Meta is asked in the person's own request, so that nothing of it has to be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from app.extensions import graph
from app.meta import phone_numbers
from app.meta.errors import MetaError
from app.tenancy import TenantModel, announce, commit
from app.words import N_

from .trouble import Trouble

if TYPE_CHECKING:
    from .models import Onboarding

IN_LIST = 2388012
REFUSED = object()
SENT = N_("A code is on its way to the number.")
ENTER_IT = N_("Enter its six digits. If none comes within a minute, have it sent again or take the call.")


class Holding(TenantModel):
    __abstract__ = True

    def choose_number(self, meta_id: str) -> None:
        """Which of several numbers to connect. The step checks it against Meta again."""
        me = cast("Onboarding", self)
        if me.refresh_locked().asks == "number":
            me.claims = me.claims | {"phone_number_id": meta_id}
            me.resume()

    def enter_pin(self, pin: str) -> None:
        me = cast("Onboarding", self)
        if me.refresh_locked().asks == "pin":
            me.phone_number.pin = pin
            me.resume()

    def add_number(self, calling_code: str, number: str, name: str, *, migrate: bool) -> None:
        """Adds a number to an account that has none, or moves one there from another provider."""
        me = cast("Onboarding", self)
        if me.asks not in ("new_number", "number"):
            return
        waba = me.waba
        token, meta_id = waba.token, waba.meta_id
        made = self.ask_meta(
            lambda: phone_numbers.create(graph, token, meta_id, calling_code, number, name, migrate=migrate)
        )
        if me.refresh_locked().asks not in ("new_number", "number"):
            return
        if made is not REFUSED:
            me.claims = me.claims | {"phone_number_id": made}
            me.resume()
        elif me.trouble.get("code") in (None, IN_LIST):
            # It may be there, or is: the step looks at Meta.
            me.resume()

    def send_code(self, method: str, language: str) -> None:
        """Has Meta send the code that proves whose the number is."""
        me = cast("Onboarding", self)
        if me.asks != "code":
            return
        token, meta_id = me.waba.token, me.phone_number.meta_id
        if self.ask_meta(lambda: phone_numbers.request_code(graph, token, meta_id, method, language)) is not REFUSED:
            self.say(Trouble(SENT, ENTER_IT, asks="code", sent=method))

    def enter_code(self, code: str) -> None:
        me = cast("Onboarding", self)
        if me.asks != "code":
            return
        token, meta_id = me.waba.token, me.phone_number.meta_id
        answer = self.ask_meta(lambda: phone_numbers.verify_code(graph, token, meta_id, code))
        if answer is not REFUSED and me.refresh_locked().asks == "code":
            me.resume()

    def ask_meta(self, call: Callable[[], Any]) -> Any:
        """What Meta answers; `REFUSED` where it does not, which is then said at the step, with the same question."""
        me = cast("Onboarding", self)
        asks, sent = me.asks, me.trouble.get("sent", "")
        choices = me.trouble.get("choices", [])
        commit()
        try:
            return call()
        except MetaError as error:
            refused = Trouble.at_meta(error)
            refused.asks, refused.sent, refused.choices, refused.start_again = asks, sent, choices, False
            if refused.passing:
                refused.passing, refused.fix = False, N_("Try again in a minute.")
            self.say(refused)
        return REFUSED

    def say(self, trouble: Trouble) -> None:
        me = cast("Onboarding", self)
        step = me.refresh_locked().current_step
        if step and step.state == "waiting" and me.asks == trouble.asks:
            step.wait(trouble)
            announce("onboarding", me.id)
