"""What the inbox's forms have in common: filters that tidy what was typed, and fields for ids and choices."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from wtforms import Field, SelectField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length
from wtforms.widgets import HiddenInput

from app.shortening import too_long
from app.tenancy import as_uuid


def tidy(value: str | None) -> str:
    """Several lines: line ends as WhatsApp has them, no white space around, no NUL, which Postgres cannot store."""
    return (value or "").replace("\r\n", "\n").replace("\x00", "").strip()


def one_line(value: str | None) -> str:
    """One line: runs of white space are one space, and there is no NUL."""
    return " ".join((value or "").replace("\x00", "").split())


def at_most(count: int) -> Length:
    return Length(max=count, message=LazyString(too_long, count))


def normal_id(value: object) -> str:
    """A UUID in the spelling that we write, so that it can be compared as text; anything else as it is."""
    return str(as_uuid(value) or value or "")


class IdField(Field):
    """An id, or None where it is empty. `is_given` says whether it was sent at all."""

    widget = HiddenInput()
    data: uuid.UUID | None

    def process_formdata(self, values: list[str]) -> None:
        self.data = as_uuid(values[0]) if values else None
        if values and values[0] and self.data is None:
            raise ValueError(gettext("This is not a valid id."))

    @property
    def is_given(self) -> bool:
        return bool(self.raw_data)

    def _value(self) -> str:
        return str(self.data or "")


class ClientIdField(Field):
    """The page's own id for what it sends, so that a second click is the same thing.

    An old page or a script without one gets one here: it loses only that protection.
    """

    widget = HiddenInput()
    data: uuid.UUID

    def _value(self) -> str:
        return str(self.data or "")

    def process_formdata(self, values: list[str]) -> None:
        self.data = as_uuid(values[0] if values else None) or uuid.uuid4()


class IdsField(Field):
    """Several ids, each once, in order."""

    widget = HiddenInput()
    data: list[uuid.UUID]

    def process_formdata(self, values: list[str]) -> None:
        self.data = list(dict.fromkeys(filter(None, map(as_uuid, values))))

    def process_data(self, value: Any) -> None:  # noqa: ARG002
        self.data = []


def options(*pairs: tuple[str, Any]) -> list[SelectChoice]:
    """Options of a list, each a value and its words."""
    return [SelectChoice(value, words) for value, words in pairs]


class ChoiceField(SelectField):
    """A list of options. The empty one is chosen where none was sent; an id may be spelt in any way."""

    def __init__(self, label: str, pairs: Iterable[tuple[str, Any]] = (), **more: Any) -> None:
        refusal = _("Choose one of the options.")
        choices = options(*pairs)
        super().__init__(label, choices=choices, coerce=normal_id, default="", invalid_choice_message=refusal, **more)


class ChoicesField(SelectMultipleField):
    """Any of several options. What is no option any more is left out: somebody removed it meanwhile."""

    data: list[str]

    def __init__(self, label: str, **more: Any) -> None:
        super().__init__(label, coerce=normal_id, **more)

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002
        values = {choice.value for choice in self.iter_choices()}
        chosen: list[str] = self.data or []
        self.data = [value for value in chosen if value in values]
