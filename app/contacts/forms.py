from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, ValidationError

from app.meta import written_numbers
from app.meta.written_numbers import NotRead
from app.shortening import too_long

from . import countries
from .consents import CHOSEN_SOURCES, PURPOSES
from .countries import is_country
from .fields import KINDS, Wrong, read_link
from .fields import LONGEST_NAME as LONGEST_FIELD_NAME
from .names import DISGUISE, LONGEST_NAME, plain
from .records import LINK_KINDS
from .refusals import Refusal
from .settings import ContactSettings
from .tags import COLORS, LONGEST_TAG

LONGEST_NOTE = 5_000

PURPOSE_WORDS = {"marketing": _("Marketing"), "utility": _("Service messages")}
SOURCE_WORDS = {
    "message": _("In a message"),
    "phone": _("By phone"),
    "form": _("On a web form"),
    "paper": _("On paper"),
    "import": _("From an import"),
    "whatsapp": _("In WhatsApp"),
    "other": _("Another way"),
}
LINK_WORDS = {"property": _("Property"), "order": _("Order"), "deal": _("Deal"), "other": _("Other")}
KIND_WORDS = {
    "text": _("Text"),
    "number": lazy_pgettext("kind of value", "Number"),
    "date": _("Date"),
    "yes_no": _("Yes or no"),
    "choice": _("Choice"),
    "link": _("Web address"),
}
COLOR_WORDS = {
    "grey": _("Gray"),
    "green": _("Green"),
    "blue": _("Blue"),
    "violet": _("Violet"),
    "pink": _("Pink"),
    "red": _("Red"),
    "amber": _("Amber"),
    "teal": _("Teal"),
}


class Form(FlaskForm):
    """CSRF is checked before any view."""

    class Meta:
        csrf = False


def one_line(value: str | None) -> str:
    line = DISGUISE.sub(" ", value or "").strip()
    return line if plain(line) else ""


def address(value: str | None) -> str:
    return (value or "").replace("\x00", "").strip()


def several_lines(value: str | None) -> str:
    return re.sub("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", (value or "").replace("\r\n", "\n")).strip()


def at_most(count: int) -> Length:
    return Length(max=count, message=LazyString(too_long, count))


def name_field(label: Any, missing: Any, most: int) -> StringField:
    return StringField(label, [DataRequired(missing), at_most(most)], filters=[one_line])


class NameForm(Form):
    name = name_field(_("Name"), _("Enter a name."), LONGEST_NAME)


def country_choices() -> list[SelectChoice]:
    return [SelectChoice("", gettext("No country")), *(SelectChoice(*each) for each in countries.choices())]


class PhoneField(StringField):
    """One phone number, however it is written; `wa_id` holds its digits once it is valid."""

    wa_id = ""

    def __init__(self, label: Any, **options: Any) -> None:
        looks = {"inputmode": "tel", "autocomplete": "tel", "maxlength": "60"} | options.pop("render_kw", {})
        super().__init__(label, filters=[one_line], render_kw=looks, **options)

    def pre_validate(self, _form: Any) -> None:
        try:
            self.wa_id = written_numbers.read(self.data or "", ContactSettings.default_country())
        except NotRead as problem:
            raise ValidationError(Refusal.of(problem).explain(gettext)) from None


class NewContactForm(Form):
    name = StringField(_("Name"), [at_most(LONGEST_NAME)], filters=[one_line])
    phone = StringField(_("Phone number"), [DataRequired(_("Enter a phone number."))], filters=[one_line])
    country = SelectField(
        _("Country of numbers without a country code"), choices=country_choices, validate_choice=False
    )
    wa_id = ""

    def validate_phone(self, field: Any) -> None:
        try:
            country = self.country.data if is_country(self.country.data) else ""
            self.wa_id = written_numbers.read(field.data, country)
        except NotRead as problem:
            raise ValidationError(Refusal.of(problem).explain(gettext)) from None


class TagNameForm(Form):
    tag = name_field(_("Tag"), _("Enter a tag name."), LONGEST_TAG)


class TagForm(Form):
    name = name_field(_("Name"), _("Enter a tag name."), LONGEST_TAG)
    color = SelectField(_("Color"), choices=[SelectChoice(each, COLOR_WORDS[each]) for each in COLORS], default="grey")


class NoteForm(Form):
    note = TextAreaField(_("Note"), [DataRequired(_("Enter a note.")), at_most(LONGEST_NOTE)], filters=[several_lines])


class LinkForm(Form):
    kind = SelectField(
        _("Kind"), choices=[SelectChoice(each, LINK_WORDS[each]) for each in LINK_KINDS], default="order"
    )
    title = name_field(_("Title"), _("Enter a title for the link."), LONGEST_NAME)
    url = StringField(_("Web address"), [DataRequired(_("Enter a web address.")), at_most(1_000)], filters=[address])

    def validate_url(self, field: Any) -> None:
        try:
            field.data = read_link(field.data)
        except Wrong as wrong:
            raise ValidationError(wrong.explain(gettext)) from None


class ConsentForm(Form):
    purpose = SelectField(_("Purpose"), choices=[SelectChoice(each, PURPOSE_WORDS[each]) for each in PURPOSES])
    answer = SelectField(_("Answer"), choices=[SelectChoice("yes", _("Agreed")), SelectChoice("no", _("Refused"))])
    source = SelectField(_("How"), choices=[SelectChoice(each, SOURCE_WORDS[each]) for each in CHOSEN_SOURCES])
    evidence = TextAreaField(
        _("Evidence"),
        [DataRequired(_("Enter the evidence: their words, the form, the date of the call.")), at_most(1_000)],
        filters=[several_lines],
    )


class FieldForm(Form):
    name = name_field(_("Name"), _("Enter a field name."), LONGEST_FIELD_NAME)
    kind = SelectField(_("Type"), choices=[SelectChoice(each, KIND_WORDS[each]) for each in KINDS])
    choices = TextAreaField(_("Choices"), filters=[several_lines])

    @property
    def listed(self) -> list[str]:
        choices = (plain(line)[:100] for line in (self.choices.data or "").splitlines())
        return list(dict.fromkeys(filter(None, choices)))

    def validate_choices(self, _field: Any) -> None:
        if self.kind.data == "choice" and len(self.listed) < 2:
            raise ValidationError(gettext("Enter at least two choices, one per line."))
        if len(self.listed) > 100:
            raise ValidationError(gettext("Use at most %(count)s choices.", count=100))


class ErasureForm(Form):
    """Confirms an erasure: the word has to be typed."""

    word = StringField(_("Type ERASE to confirm"), filters=[one_line])

    def validate_word(self, field: Any) -> None:
        if field.data != "ERASE":
            raise ValidationError(gettext("Type ERASE in capital letters to continue. Nothing was erased."))
