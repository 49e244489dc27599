"""Why a notification can't be sent, beside the reasons that the gate has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.meta.outgoing import Refused
from app.words import N_

WRONG_VALUES = N_("Check the values of these variables: {names}.")
PAUSED = N_("The notification “{name}” is paused.")
SENT_LATELY = N_("The notification “{name}” went to this contact lately. It is sent at most once in {minutes} min.")
NO_TEMPLATE = N_("The account of this number has no template “{template}” in {language}. Choose another template.")
NOT_SENDABLE = N_("Meta doesn't let the template “{template}” ({language}) be sent now: {status}.")
HAS_FILE = N_("The template “{template}” ({language}) needs a file or a list, which a notification can't fill in.")
NOT_MAPPED = N_("The template “{template}” ({language}) has variables that the notification doesn't fill in: {names}.")
NO_NUMBER = N_("No connected number can send this notification.")
NUMBER_UNAVAILABLE = N_("The number that this notification goes from is not connected.")


class Invalid(Refused):
    """Values that can't be sent; `mistakes` are by the variable's name."""

    def __init__(self, mistakes: Mapping[str, Refused]) -> None:
        super().__init__(WRONG_VALUES, names=", ".join(mistakes))
        self.mistakes = dict(mistakes)

    @property
    def names(self) -> list[str]:
        return list(self.mistakes)

    def explain(self, translate: Callable[[str], str] = str) -> str:
        """Each variable with what is wrong with it."""
        return " ".join(f"{name}: {mistake.explain(translate)}" for name, mistake in self.mistakes.items())


class Unavailable(Refused):
    """It can't be sent to anybody until somebody changes it, its template or its number."""


class SentLately(Refused):
    """The contact got it less than its pause ago."""
