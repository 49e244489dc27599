from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectField, SelectMultipleField, StringField, TimeField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app import dates
from app.hours.forms import ZoneField
from app.zones import reader_zone

from .models import NotificationRule

ABOUT_WORDS = {
    "all": _("Every conversation"),
    "mine_and_unassigned": _("Mine and unassigned conversations"),
    "mine": _("My conversations"),
    "none": _("No conversations"),
}
DIGEST_WORDS = {
    "off": _("Never"),
    "hourly": _("At most once an hour"),
    "daily": _("Once a day, at %(time)s", time=LazyString(dates.hour, 8)),
}


class CheckBoxes(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def be_both_or_none(form: Any, field: Any) -> None:
    if bool(field.data) != bool(form.quiet_until.data):
        raise ValidationError(gettext("Enter both times, or leave both empty."))


def offered(words: dict[str, Any]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in words.items()]


CHOSEN = (
    *("about", "mentions", "closing", "templates", "preview", "sound"),
    *("quiet_from", "quiet_until", "time_zone"),
)


class RuleForm(FlaskForm):
    about = RadioField(_("Notify me about new messages in"), choices=offered(ABOUT_WORDS))
    mentions = BooleanField(_("When someone mentions me or assigns me a conversation"))
    closing = BooleanField(_("An hour before a reply window closes"))
    templates = BooleanField(_("Templates that need you: rejected, paused, or waiting for approval"))
    numbers = CheckBoxes(_("Only for these numbers"))
    preview = BooleanField(_("Show the customer's name and the first words"))
    sound = BooleanField(_("Play a sound while Switchboard is open"))
    quiet_from = TimeField(_("From"), validators=[Optional(), be_both_or_none])
    quiet_until = TimeField(_("Until"), validators=[Optional()])
    time_zone = ZoneField(_("Time zone"), validators=[InputRequired()])
    digest = SelectField(_("Email me unread conversations"), choices=offered(DIGEST_WORDS))

    class Meta:
        csrf = False

    def __init__(self, numbers: list[Any], **options: Any) -> None:
        super().__init__(**options)
        self.numbers.choices = [SelectChoice(str(number.id), number.display_number) for number in numbers]

    @classmethod
    def showing(cls, rule: NotificationRule, numbers: list[Any]) -> RuleForm:
        heard = [str(number.id) for number in numbers if str(number.id) not in rule.muted_numbers]
        form = cls(numbers, formdata=None, obj=rule, data={"numbers": heard})
        if rule.id is None:
            # Nothing was chosen yet: the zone of whoever looks at it.
            form.time_zone.data = reader_zone().key
        return form

    def fill(self, rule: NotificationRule, at: dt.datetime) -> None:
        for name in CHOSEN:
            setattr(rule, name, self[name].data)
        rule.mute([choice.value for choice in self.numbers.choices if choice.value not in self.numbers.data])
        rule.change_digest(self.digest.data, at)


class BrowserForm(FlaskForm):
    """How a browser is reached, as it says when notifications are turned on."""

    endpoint = StringField(validators=[InputRequired()])
    p256dh = StringField(validators=[InputRequired()])
    auth = StringField(validators=[InputRequired()])

    class Meta:
        csrf = False
