from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.validators import AnyOf, InputRequired, Length, Optional, Regexp, ValidationError

from app.contacts.forms import PhoneField
from app.contacts.refusals import Refusal
from app.meta import written_numbers
from app.meta.written_numbers import NotRead, normalise

from .setup_links import DAYS

DIGITS = {"inputmode": "numeric", "autocomplete": "off"}


class Form(FlaskForm):
    class Meta:
        csrf = False  # checked before any view


def only_digits(text: str | None) -> str:
    return re.sub(r"\D", "", normalise(text or ""))


def strip(text: str | None) -> str:
    return (text or "").strip()


class PinForm(Form):
    pin = StringField(
        _("PIN"),
        [Regexp(r"^\d{6}$", message=_("A PIN has six digits."))],
        filters=[only_digits],
        render_kw=DIGITS | {"maxlength": "6"},
    )


class NewNumberForm(Form):
    calling_code = StringField(
        _("Country code"),
        [Regexp(r"^[1-9]\d{0,2}$", message=_("Enter the country code in digits, such as 49."))],
        filters=[lambda text: only_digits(text).lstrip("0")],
        render_kw=DIGITS | {"maxlength": "5", "placeholder": "49"},
    )
    number = StringField(
        _("Phone number"),
        filters=[strip],
        render_kw=DIGITS | {"inputmode": "tel", "maxlength": "24"},
    )
    name = StringField(
        _("Name that customers see"),
        [Length(2, 75, message=_("Use 2 to 75 characters."))],
        filters=[strip],
        render_kw={"autocomplete": "organization", "maxlength": "75"},
    )
    migrate = BooleanField(_("It's with another provider now: move it here"))

    def validate_number(self, field: StringField) -> None:
        """Leaves the digits that follow the country code, which may be written before them."""
        code, written = str(self.calling_code.data), normalise(str(field.data))
        if self.calling_code.errors:
            return
        is_whole = not written or written.startswith(("+", "00"))
        try:
            wa_id = written_numbers.read(written if is_whole else f"+{code} {written}")
        except NotRead as problem:
            raise ValidationError(Refusal.of(problem).explain(gettext)) from None
        if not wa_id.startswith(code):
            raise ValidationError(gettext("The number starts with another country code than the one beside it."))
        field.data = wa_id.removeprefix(code)


class VerificationForm(Form):
    method = StringField(_("How"), [AnyOf(("SMS", "VOICE"))])


class VerificationCodeForm(Form):
    code = StringField(
        _("Code"),
        [Regexp(r"^\d{6}$", message=_("The code has six digits."))],
        filters=[only_digits],
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": "9"},
    )


class HostedForm(Form):
    """The number that somebody is going to connect on Facebook's own page."""

    phone = PhoneField(_("Number you're going to connect"))


class TokenForm(Form):
    """A token somebody has already, created in Meta's business settings for our app."""

    token = PasswordField(
        _("Access token"),
        [
            InputRequired(_("Paste the token.")),
            Regexp(r"^[\x21-\x7e]{20,1000}$", message=_("This isn't a valid token.")),
        ],
        filters=[strip],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    waba_id = StringField(
        _("WhatsApp account ID"),
        [Regexp(r"^\d{5,32}$", message=_("Digits only. You find the ID in WhatsApp Manager."))],
        filters=[strip],
        render_kw=DIGITS | {"maxlength": "32"},
    )
    phone_number_id = StringField(
        _("Phone number ID"),
        [Optional(), Regexp(r"^\d{5,32}$", message=_("Digits only: the ID, not the number itself."))],
        filters=[strip],
        render_kw=DIGITS | {"maxlength": "32"},
    )


class SetupLinkForm(Form):
    days = SelectField(_("Valid for"), coerce=int, default=7)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.days.choices = [(days, ngettext("%(num)d day", "%(num)d days", days)) for days in DAYS]
