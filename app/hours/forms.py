from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, RadioField, SelectChoice, SelectField, TextAreaField, ValidationError
from wtforms.validators import Length, Optional

from app import zones
from app.parameters import InRange
from app.variables import problem_in
from app.wordings import Text, WordingsForm
from app.words import N_

from .fields import HolidaysField, SpansField
from .models import ServicePolicy, read_day, read_holiday, write_day, write_holiday
from .questions import askable

DAYS = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
LONGEST_TARGET = 30 * 24 * 60
LONGEST_TEXT = 1024
# The fields whose values are stored as they are.
PLAIN = (
    "time_zone",
    "away_text",
    "first_response_minutes",
    "next_response_minutes",
    "targets_run_always",
    "survey_question",
    "survey_template",
    "survey_reopens",
)
# What customers read, and can read in further languages.
TEXTS = (
    Text("away_text", N_("Out-of-office reply"), most=LONGEST_TEXT),
    Text("survey_question", N_("Question after a conversation is resolved"), most=LONGEST_TEXT),
)
AWAY_HINT = _(
    "Sent once to each customer who writes while you are closed. Leave empty to send nothing. "
    "Write {{first_name|there}} for the customer's first name, or “there” where you don't know it."
)
SURVEY_HINT = _(
    "Asked with three buttons while the reply window is open. Leave empty to ask nothing then. "
    "Variables work here too, such as {{first_name|there}}, {{business}} or {{agent|us}}."
)
# What to begin with once somebody chooses opening hours.
USUAL_WEEK = ["09:00–17:00"] * 5
# Where the hours of one day are copied to: the numbers of the days, Monday is 0.
COPIES = {"weekdays": range(5), "all": range(7)}


def minutes_field(label: str) -> IntegerField:
    in_range = InRange(1, LONGEST_TARGET, message=_("Choose between a minute and 30 days."))
    return IntegerField(label, validators=[Optional(), in_range])


def text_field(label: str, hint: str) -> TextAreaField:
    return TextAreaField(
        label,
        description=hint,
        filters=[lambda text: (text or "").strip()],
        validators=[Length(max=LONGEST_TEXT), check_variables],
        render_kw={"rows": 3},
    )


def check_variables(_form: FlaskForm, field: TextAreaField) -> None:
    if problem := problem_in(field.data or ""):
        raise ValidationError(problem)


class ZoneField(SelectField):
    """A list of time zones by continent, found by city, country or offset. One stored by another name is chosen too."""

    def __init__(self, label: str, **options: Any) -> None:
        words = {"data-finds": _("Find a city, a country or an offset")}
        super().__init__(label, choices=[], render_kw=words, **options)
        self.choices = zone_choices()

    def process_data(self, value: Any) -> None:
        super().process_data(value)
        self.take(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if valuelist:
            self.take(self.data)

    def take(self, name: str) -> None:
        zone = zones.find_zone(name)
        self.data = zone.key if zone else name
        if zone and zone.key not in zones.places():
            self.choices = zone_choices(zone.key)


def zone_choices(*more: str) -> list[SelectChoice]:
    listed = ((zones.continent_of(name) if "/" in name else "", zones.title_of(name), name) for name in zones.places())
    everywhere = zones.continent_of("UTC")
    choices = [SelectChoice(name, title, optgroup=group or everywhere) for group, title, name in sorted(listed)]
    return choices + [SelectChoice(name, zones.title_of(name), optgroup=everywhere) for name in more]


class PolicyForm(FlaskForm):
    opens = RadioField(
        _("When are you open?"),
        choices=[SelectChoice("always", _("Always open")), SelectChoice("hours", _("Open at these times"))],
        default="hours",
    )
    day0, day1, day2, day3, day4, day5, day6 = map(SpansField, DAYS)
    time_zone = ZoneField(_("Time zone"))
    holidays = HolidaysField(_("Holidays"))
    away_text = text_field(_("Out-of-office reply"), AWAY_HINT)
    first_response_minutes = minutes_field(_("First reply within (minutes)"))
    next_response_minutes = minutes_field(_("Every further reply within (minutes)"))
    targets_run_always = BooleanField(_("Count time outside opening hours"))
    survey_question = text_field(_("Question after a conversation is resolved"), SURVEY_HINT)
    survey_template = SelectField(
        _("After the reply window has closed, ask with a template"),
        validate_choice=False,
        filters=[lambda key: key or ""],
    )
    survey_reopens = BooleanField(_("Reopen the conversation after a bad rating"))

    def __init__(self, policy: ServicePolicy, **options: Any) -> None:
        super().__init__(**options)
        choices = {template.key: f"{template.title} ({template.language})" for template in askable()}
        if policy.survey_template and policy.survey_template not in choices:
            choices[policy.survey_template] = _("%(name)s: cannot be sent now", name=policy.survey_template_name)
        self.survey_template.choices = [("", _("Do not ask")), *choices.items()]
        sent = self.formdata_of(options)
        self.wordings = WordingsForm(TEXTS, policy.wordings) if sent is None else WordingsForm.sent(TEXTS, sent)

    @staticmethod
    def formdata_of(options: dict[str, Any]) -> Any:
        return None if "formdata" in options else request.form

    def validate(self, *args: Any, **more: Any) -> bool:
        for code, texts in self.wordings.wordings.items():
            for name in texts:
                if problem := problem_in(self.wordings.shown(code, name)):
                    self.wordings.problems[f"{name}:{code}"] = problem
        return bool(super().validate(*args, **more)) & self.wordings.fits

    def validate_opens(self, field: RadioField) -> None:
        if field.data == "hours" and not any(day.is_open for day in self.days):
            raise ValidationError(_("Enter opening hours for at least one day, or choose “Always open”."))

    def validate_survey_template(self, field: SelectField) -> None:
        if field.data not in dict(field.choices):
            raise ValidationError(
                _("Choose an approved template with two or three quick-reply buttons and no variables.")
            )

    @property
    def days(self) -> list[SpansField]:
        return [self[f"day{n}"] for n in range(7)]

    @classmethod
    def of(cls, policy: ServicePolicy) -> PolicyForm:
        """A business that has saved nothing yet finds the zone of its browser chosen."""
        form = cls(policy, formdata=None, data={name: getattr(policy, name) for name in PLAIN})
        if policy.id is None:
            form.time_zone.data = zones.reader_zone().key
        form.opens.data = "always" if policy.hours.is_always_open else "hours"
        form.holidays.process(None, [read_holiday(line) for line in policy.holidays])
        for field, day in zip(form.days, policy.week or USUAL_WEEK, strict=False):
            field.process(None, read_day(day))
        return form

    def copy(self, source: int, to: str) -> None:
        """Puts the hours of one day onto others, not saved yet."""
        for n in COPIES.get(to, ()):
            self.days[n].rows, self.days[n].is_open = self.days[source].rows, self.days[source].is_open

    def fill(self, policy: ServicePolicy) -> None:
        for name in PLAIN:
            setattr(policy, name, self[name].data)
        policy.wordings = self.wordings.filled
        policy.week = [write_day(day.data) for day in self.days] if self.opens.data == "hours" else []
        policy.holidays = [write_holiday(date, name) for date, name in self.holidays.data]
