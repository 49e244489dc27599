"""The explanation of an error code: what happens to the work, and the text for people."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What happens to the request, the message or the number an error belongs to."""

    RETRY = "retry"  # refused before anything happened: retry within seconds or minutes
    RETRY_LATER = "retry_later"  # refused: retry after a stated or long delay
    PAIR = "pair"  # this sender to this recipient only: wait 4^n seconds, others go on
    THROTTLE = "throttle"  # refused because too fast: slow the number down, then retry
    PAUSE_NUMBER = "pause_number"  # nothing works until the connection is repaired; fail no message
    FINAL = "final"  # this request can never succeed
    HUMAN = "human"  # refused until a person changes something; never retried automatically
    UNKNOWN_OUTCOME = "unknown_outcome"  # it may have been done: never retried automatically


@dataclass(frozen=True, slots=True)
class Explanation:
    """`title` says what happened, `fix` what to do next, `wait` the seconds before a retry."""

    kind: Kind
    title: str
    fix: str
    wait: int | None = None
