"""What an error code comes down to: what to do with the work, and what to tell a person."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What happens to the request, the message or the number an error belongs to."""

    RETRY = "retry"  # refused before anything happened: again within seconds or minutes
    RETRY_LATER = "retry_later"  # refused: again after a stated or long delay
    PAIR = "pair"  # this sender to this recipient only: wait 4^n seconds, others go on
    THROTTLE = "throttle"  # refused because too fast: slow the number down, then again
    PAUSE_NUMBER = "pause_number"  # nothing will work until the connection is repaired; fail nothing
    FINAL = "final"  # this request can never succeed
    HUMAN = "human"  # refused until a person changes something; never again by itself
    UNKNOWN_OUTCOME = "unknown_outcome"  # it may have been done: never blindly again


@dataclass(frozen=True, slots=True)
class Explanation:
    """`title` says what happened, `fix` who does what next, `wait` how many seconds to leave it alone."""

    kind: Kind
    title: str
    fix: str
    wait: int | None = None
