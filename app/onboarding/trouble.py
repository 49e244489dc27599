"""Why a step did not work: in the tenant's words and Meta's, and who acts next."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from app.meta.errors import PASSING, MetaError
from app.words import N_

from .refusals import of_step

DEAD_TOKEN = {0, 190}

BY_ITSELF = N_("No action needed. We'll retry automatically.")
TRY_AGAIN = N_("Try again in a while. We check with Meta first, so nothing is done twice.")
START_AGAIN = N_("Select Start again below and go through the Facebook window once more.")
REFUSED_US = N_("Meta refused something between Meta and Switchboard. You didn't do anything wrong.")
OURS = N_("The Switchboard team has to fix this. They see it at the top of their list.")


@dataclass(eq=False)
class Trouble(Exception):
    """`owner` acts next: the tenant, the platform (to whom `hint` says how), or "" for the machine.

    `details` are Meta's words. `asks` names what the step needs from the tenant (`choices` to choose from; `sent`:
    how a code was sent), `start_again` says that only a new attempt can help, `passing` that the machine may try
    again, `until` (a moment) that it will, but not before; `locked_until`, that Meta takes no PIN before. `facts` fill
    the placeholders of title and fix.
    """

    title: str
    fix: str
    details: str = ""
    code: int | None = None
    subcode: int | None = None
    fbtrace_id: str | None = None
    owner: str = "tenant"
    hint: str = ""
    asks: str = ""
    choices: list[dict[str, str]] = field(default_factory=list)
    sent: str = ""
    start_again: bool = False
    passing: bool = False
    wait: int = 0
    until: str = ""
    locked_until: str = ""
    facts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at_meta(cls, error: MetaError, *, hint: str = "") -> Self:
        """Explains what Meta refused. A hint says that the step is between Meta and the platform alone."""
        passing, dead = error.kind in PASSING, error.code in DEAD_TOKEN and not hint
        ours, (title, fix) = bool(hint) and not passing, of_step(error)
        return cls(
            title=REFUSED_US if ours else title,
            fix=OURS if ours else BY_ITSELF if passing else START_AGAIN if dead else fix,
            hint=hint if ours else "",
            owner="" if passing else "platform" if ours else "tenant",
            start_again=dead,
            passing=passing,
            wait=error.wait or 0,
        ).quoting(error)

    def quoting(self, error: MetaError | None) -> Self:
        """Adds Meta's own words and codes."""
        if error:
            self.details, self.code, self.subcode = error.details or "", error.code, error.subcode
            self.fbtrace_id = error.fbtrace_id
        return self

    def given_up(self) -> Trouble:
        """The same once the machine has tried often enough: a person decides."""
        return replace(self, fix=TRY_AGAIN, owner="tenant") if self.passing else self

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}


CLOSED = Trouble(
    N_("This business is closed, so no number can be connected."),
    N_("Contact the Switchboard team if it should be opened again."),
)
