"""Forms of parts, made of what each kind says of its fields; and the form of an automation's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from pydantic import ValidationError
from wtforms import BooleanField, IntegerField, SelectChoice, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from app.parameters import InRange
from app.wordings import Text, WordingsForm
from app.words import N_

from .models import HOURLY_LIMIT, LONGEST_NAME, MOST_HOURLY, Automation, AutomationSettings
from .parts import Input, Names, Part, Step
from .starters import translated

PROBLEMS = {
    "missing": N_("This can't be empty."),
    "string_too_short": N_("This can't be empty."),
    "too_short": N_("This can't be empty."),
    "string_too_long": N_("This is too long."),
    "too_long": N_("These are too many lines."),
    "greater_than_equal": N_("Choose a larger number."),
    "less_than_equal": N_("Choose a smaller number."),
    "int_parsing": N_("Enter a whole number."),
    "literal_error": N_("Choose one of the values."),
    "string_pattern_mismatch": N_("Enter a time such as 09:00."),
}


class PartForm:
    """What is shown of one part: its inputs with their values, and what is wrong with them."""

    def __init__(self, kind: type[Part], names: Names, values: Mapping[str, Any] | None = None) -> None:
        self.kind, self.names = kind, names
        self.inputs = kind.inputs()
        self.texts = [Text(one.name, one.label, one.widget, one.most) for one in self.inputs if one.is_spoken]
        given = values or {}
        self.wordings = WordingsForm(self.texts, given.get("wordings") or {}, translated)
        self.values = {one.name: shown(one, given.get(one.name, one.default)) for one in self.inputs}
        self.problems: dict[str, str] = {}
        self.problem = ""

    @classmethod
    def of(cls, part: Part, names: Names) -> PartForm:
        return cls(type(part), names, part.as_json())

    @property
    def title(self) -> str:
        return str(_(self.kind.title))

    def options(self, one: Input) -> list[tuple[str, str]]:
        """What a list offers: the choices of the kind, or the rows that it refers to."""
        if one.widget == "choice":
            return [(value, str(_(words))) for value, words in one.options]
        none = str(_(one.options[0][1])) if one.options[0][1] else str(_("Choose…"))
        return [("", none), *self.names.all(one.source).items()]

    def read(self, form: Mapping[str, Any], **more: Any) -> Any:
        """The part that was filled in, or None where something is wrong with it."""
        self.show(form)
        given = {one.name: typed(one, form) for one in self.inputs}
        given |= more | {"kind": self.kind.model_fields["kind"].default}
        part = self.checked(given, self.problems)
        for code, texts in self.wordings.filled.items():
            wrong: dict[str, str] = {}
            if self.checked(given | texts, wrong) is None:
                self.wordings.problems |= {f"{name}:{code}": wrong[name] for name in wrong.keys() & texts.keys()}
        if part is None or self.wordings.problems:
            return None
        if isinstance(part, Step) and self.wordings.filled:
            part = self.kind.model_validate(given | {"wordings": self.wordings.filled})
        problems = [*part.problems(), *(part.wording_problems() if isinstance(part, Step) else ())]
        self.problem = problems[0] if problems else ""
        return None if problems else part

    def show(self, form: Mapping[str, Any]) -> None:
        """Takes over what was filled in, as it is."""
        self.values = {one.name: str(form.get(one.name, "")) for one in self.inputs}
        self.wordings = WordingsForm.sent(self.texts, form, translated)

    def checked(self, given: Mapping[str, Any], problems: dict[str, str]) -> Any:
        try:
            return self.kind.model_validate(given)
        except ValidationError as error:
            for one in error.errors():
                name = str(one["loc"][0]) if one["loc"] else ""
                problems.setdefault(name, str(_(PROBLEMS.get(one["type"], N_("This can't be used.")))))
            return None


def shown(one: Input, value: Any) -> Any:
    if one.widget == "lines":
        return "\n".join(value or ())
    return "" if value is None else value


def typed(one: Input, form: Mapping[str, Any]) -> Any:
    value = form.get(one.name, "")
    match one.widget:
        case "lines":
            return [line.strip() for line in value.splitlines() if line.strip()]
        case "tick":
            return bool(value)
    return value.replace("\x00", "").replace("\r\n", "\n")


class AutomationForm(FlaskForm):
    name = StringField(
        lazy_gettext("Name"),
        filters=[lambda value: " ".join((value or "").split())],
        validators=[DataRequired(lazy_gettext("Enter a name.")), Length(max=LONGEST_NAME)],
    )
    repeats = SelectField(
        lazy_gettext("For the same customer"),
        choices=[
            SelectChoice("always", lazy_gettext("every time")),
            SelectChoice("once", lazy_gettext("only once")),
            SelectChoice("days", lazy_gettext("once in so many days:")),
        ],
        default="always",
    )
    repeat_days = IntegerField(lazy_gettext("Days"), default=1, validators=[InRange(1, 365)])
    stops = BooleanField(lazy_gettext("Stop here: automations after this one don't run for the same message"))
    runs_beside_people = BooleanField(
        lazy_gettext("Also run while a person has the conversation (it sends nothing then)")
    )

    def fill(self, automation: Automation) -> None:
        for name in ("name", "repeats", "repeat_days", "stops", "runs_beside_people"):
            setattr(automation, name, getattr(self, name).data)


class SettingsForm(FlaskForm):
    hourly_limit = IntegerField(
        lazy_gettext("Automatic messages for one customer in an hour"),
        default=HOURLY_LIMIT,
        validators=[
            InputRequired(lazy_gettext("Enter a number.")),
            InRange(1, MOST_HOURLY, message=lazy_gettext("Choose between 1 and 200.")),
        ],
    )

    @classmethod
    def of(cls, settings: AutomationSettings) -> SettingsForm:
        return cls(formdata=None, data={"hourly_limit": settings.hourly_limit})
