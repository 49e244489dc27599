"""Why a message is not put into the outbox."""

from __future__ import annotations


class WindowClosed(Exception):
    """More than a day has passed since the customer last wrote: only templates may be sent."""


class SaidOtherwise(Exception):
    """The same id came with other words: one of the two is a mistake, so neither is guessed at."""


class NumberAway(Exception):
    """The business number is not connected."""


class GroupIsReadOnly(Exception):
    """Messages of a group can be read here, not written."""
