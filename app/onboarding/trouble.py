"""Why a step did not work: as the tenant reads it, with Meta's words, and who does what next."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from app.meta.errors import Kind, MetaError
from app.words import N_

# Refused for the moment, or perhaps done: every step looks at Meta first, so trying again is safe.
PASSING = {Kind.RETRY, Kind.RETRY_LATER, Kind.THROTTLE, Kind.PAIR, Kind.UNKNOWN_OUTCOME}
DEAD_TOKEN = {0, 190}

BY_ITSELF = N_("Nobody has to do anything. We look at Meta again and go on by ourselves.")
LOOK_AGAIN = N_("Try again in a while. We look at Meta first, so nothing is done twice.")
START_AGAIN = N_("Start again: press the button below and go through Facebook's window once more.")
REFUSED_US = N_("Meta refused something that is between Meta and us. It is nothing you did.")
OURS = N_("This is ours to mend. The people who run Switchboard see it at the top of their list.")


@dataclass(eq=False)
class Trouble(Exception):
    """`mender` does something about it: nobody, you (the tenant), or us, to whom `hint` says what.

    `asks` names what the step needs from the tenant (`choices` to choose from; `sent`: how a code was sent),
    `start_again` says that only a new attempt can help, `passing` that the machine may try again, `until` (a moment)
    that it will, but not before.
    """

    title: str
    fix: str
    said: str = ""
    code: int | None = None
    subcode: int | None = None
    fbtrace_id: str | None = None
    mender: str = "you"
    hint: str = ""
    asks: str = ""
    choices: list[dict[str, str]] = field(default_factory=list)
    sent: str = ""
    start_again: bool = False
    passing: bool = False
    wait: int = 0
    until: str = ""

    @classmethod
    def at_meta(cls, error: MetaError, *, hint: str = "") -> Self:
        """What Meta refused. A hint says that the step is between Meta and the platform alone."""
        passing, dead = error.kind in PASSING, error.code in DEAD_TOKEN and not hint
        ours = bool(hint) and not passing
        return cls(
            title=REFUSED_US if ours else error.title,
            fix=OURS if ours else BY_ITSELF if passing else START_AGAIN if dead else error.fix,
            hint=hint if ours else "",
            said=error.details or "",
            code=error.code,
            subcode=error.subcode,
            fbtrace_id=error.fbtrace_id,
            mender="nobody" if passing else "us" if ours else "you",
            start_again=dead,
            passing=passing,
            wait=error.wait or 0,
        )

    def given_up(self) -> Trouble:
        """What the machine tried often enough is now for a person."""
        return replace(self, fix=LOOK_AGAIN, mender="you") if self.passing else self

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}
