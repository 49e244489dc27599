from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import Any

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, IntegerField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import Length, NumberRange, Optional

from .models import ServicePolicy, Unreadable, read_day, read_holiday, tidy_lines
from .questions import askable

DAYS = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
LONGEST_TARGET = 30 * 24 * 60
LONGEST_TEXT = 1024


def readable(read: Callable[[str], object]) -> Callable[[FlaskForm, Field], None]:
    """Lets pass what can be read, else says what cannot."""

    def check(_form: FlaskForm, field: Field) -> None:
        for line in tidy_lines(field.data or ""):
            try:
                read(line)
            except Unreadable as problem:
                raise ValidationError(str(problem)) from None

    return check


def day_field(label: str) -> StringField:
    return StringField(label, validators=[Length(max=200), readable(read_day)])


def minutes_field(label: str) -> IntegerField:
    in_range = NumberRange(1, LONGEST_TARGET, message=_("Choose between a minute and 30 days."))
    return IntegerField(label, validators=[Optional(), in_range])


def text_field(label: str) -> TextAreaField:
    return TextAreaField(
        label, filters=[lambda text: (text or "").strip()], validators=[Length(max=LONGEST_TEXT)], render_kw={"rows": 3}
    )


class PolicyForm(FlaskForm):
    time_zone = SelectField(_("Time zone"), choices=sorted(zoneinfo.available_timezones()))
    day0, day1, day2, day3, day4, day5, day6 = map(day_field, DAYS)
    holidays = TextAreaField(_("Holidays"), validators=[readable(read_holiday)], render_kw={"rows": 4})
    away_text = text_field(_("Away message"))
    first_response_minutes = minutes_field(_("First answer within (minutes)"))
    next_response_minutes = minutes_field(_("Every further answer within (minutes)"))
    targets_run_always = BooleanField(_("The clock also runs while you are closed"))
    survey_question = text_field(_("Question after a conversation is resolved"))
    survey_template = SelectField(
        _("After the 24 hours: ask with a template"), validate_choice=False, filters=[lambda key: key or ""]
    )
    survey_reopens = BooleanField(_("A customer who was not happy stands open again, waiting for an answer"))

    def __init__(self, policy: ServicePolicy, **options: Any) -> None:
        super().__init__(**options)
        known = {template.key: f"{template.title} ({template.language})" for template in askable()}
        if policy.survey_template and policy.survey_template not in known:
            known[policy.survey_template] = _("%(name)s: cannot be sent now", name=policy.survey_template_name)
        self.survey_template.choices = [("", _("Do not ask")), *known.items()]

    def validate_survey_template(self, field: SelectField) -> None:
        if field.data not in dict(field.choices):
            raise ValidationError(
                _("That template cannot ask: it must be approved, have two or three quick replies and no gaps.")
            )

    @property
    def days(self) -> list[StringField]:
        return [self[f"day{n}"] for n in range(7)]

    @classmethod
    def of(cls, policy: ServicePolicy) -> PolicyForm:
        form = cls(policy, formdata=None, obj=policy)
        for field, day in zip(form.days, policy.week or [""] * 7, strict=False):
            field.data = day
        form.holidays.data = "\n".join(policy.holidays)
        return form

    def fill(self, policy: ServicePolicy) -> None:
        names = ("time_zone", "away_text", "first_response_minutes", "next_response_minutes", "targets_run_always")
        for name in (*names, "survey_question", "survey_template", "survey_reopens"):
            setattr(policy, name, self[name].data)
        policy.week = [(field.data or "").strip() for field in self.days]
        policy.holidays = tidy_lines(self.holidays.data or "")
