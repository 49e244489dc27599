"""The choice of a notification for a purpose: one that lacks values can't be chosen.

One that was chosen already and lacks them since stays, so that it keeps no one from saving the rest of the page, which
says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from wtforms import Field, ValidationError

from app.templating import listed
from app.tenancy import as_uuid

from .models import Notification


class FilledBy:
    """Validates that what a purpose has values for, by their names, is all that the chosen notification needs."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)

    def __call__(self, _form: object, field: Field) -> None:
        check_new(field, Notification.find(as_uuid(field.data)), self.names)


def check_new(field: Field, chosen: Notification | None, names: Iterable[str]) -> None:
    """Raises `ValidationError` as `check` does, unless it is what was chosen before."""
    if field.data != field.object_data:
        check(chosen, names)


def check(chosen: Notification | None, names: Iterable[str]) -> None:
    """Raises `ValidationError`, which names the variables that nothing fills in."""
    if chosen and (missing := chosen.lacks(names)):
        words = _("“%(title)s” can't be sent here: nothing fills in %(names)s. Choose another one, or change it.")
        raise ValidationError(words % {"title": chosen.title, "names": listed(missing)})
