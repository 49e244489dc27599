"""Which purposes a notification serves. Each feature that sends one says so here, beside its own settings."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

from app.message_templates.uses import Use

Find = Callable[[uuid.UUID], Iterable[Use]]
FINDERS: list[Find] = []


def uses_notifications(find: Find) -> Find:
    """Registers a function that finds what sends a notification, given its id."""
    FINDERS.append(find)
    return find


def uses_of(notification_id: uuid.UUID) -> list[Use]:
    return [use for find in FINDERS for use in find(notification_id)]
