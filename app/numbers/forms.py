from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext, lazy_pgettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import EmailField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional, Regexp, ValidationError

from app.contacts.forms import PhoneField, at_most
from app.meta.conversational_components import MOST_COMMANDS, MOST_PROMPTS
from app.meta.written_numbers import normalise

VERTICALS = [
    ("", _("Not set")),
    ("APPAREL", _("Clothing")),
    ("ALCOHOL", _("Alcohol")),
    ("AUTO", _("Cars")),
    ("BEAUTY", _("Beauty")),
    ("EDU", _("Education")),
    ("ENTERTAIN", _("Entertainment")),
    ("EVENT_PLAN", _("Events")),
    ("FINANCE", _("Finance")),
    ("GROCERY", _("Groceries")),
    ("GOVT", _("Government")),
    ("HEALTH", _("Health")),
    ("HOTEL", _("Hotels")),
    ("NONPROFIT", _("Non-profit")),
    ("ONLINE_GAMBLING", _("Gambling online")),
    ("OTC_DRUGS", _("Medicines without prescription")),
    ("PHYSICAL_GAMBLING", _("Gambling on site")),
    ("PROF_SERVICES", _("Professional services")),
    ("RESTAURANT", _("Restaurants")),
    ("RETAIL", _("Shops")),
    ("TRAVEL", _("Travel")),
    ("OTHER", _("Other")),
]
PICTURE_TYPES, PICTURE_BYTES = ("image/jpeg", "image/png"), 900_000


class Form(FlaskForm):
    class Meta:
        csrf = False  # checked before any view


def strip(text: str | None) -> str:
    return (text or "").strip()


def lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def check_web_address(_form: Form, field: Any) -> None:
    if field.data and not re.fullmatch(r"https?://[^\s]+\.[^\s]+", field.data):
        raise ValidationError(gettext("Enter the whole address, starting with https://."))


def text_field(label: str, longest: int, **attributes: str) -> StringField:
    checks = [at_most(longest)]
    return StringField(label, checks, filters=[strip], render_kw={"maxlength": str(longest)} | attributes)


def website(label: str, name: str) -> StringField:
    checks = [at_most(256), check_web_address]
    return StringField(
        label, checks, filters=[strip], render_kw={"maxlength": "256", "inputmode": "url", "data-preview": name}
    )


class ProfileForm(Form):
    about = text_field(lazy_pgettext("field of a profile", "About"), 139, **{"data-preview": "about"})
    description = TextAreaField(
        _("Description"),
        [at_most(512)],
        filters=[strip],
        render_kw={"rows": "3", "maxlength": "512", "data-preview": "description"},
    )
    address = text_field(_("Address"), 256, **{"data-preview": "address", "autocomplete": "street-address"})
    email = EmailField(
        _("Email"),
        [
            Optional(),
            at_most(128),
            Regexp(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", message=_("Enter a full email address.")),
        ],
        filters=[strip],
        render_kw={"maxlength": "128", "data-preview": "email"},
    )
    website_1 = website(_("Website"), "website_1")
    website_2 = website(_("Second website"), "website_2")
    vertical = SelectField(_("Category"), render_kw={"data-preview": "vertical"})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.vertical.choices = VERTICALS


class PictureForm(Form):
    picture = FileField(_("Photo"), render_kw={"accept": ", ".join(PICTURE_TYPES)})


class NameForm(Form):
    name = StringField(
        _("New name"),
        [Length(2, 75, message=_("Use 2 to 75 characters."))],
        filters=[strip],
        render_kw={"maxlength": "75", "autocomplete": "off"},
    )


class PinForm(Form):
    pin = StringField(
        _("New PIN"),
        [Regexp(r"^\d{6}$", message=_("A PIN has six digits."))],
        filters=[lambda text: normalise(text or "")],
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": "6"},
    )


class DisconnectionForm(Form):
    number = StringField(_("The number"), render_kw={"autocomplete": "off", "inputmode": "tel"})


class LinkForm(Form):
    message = StringField(
        _("Message to start with"),
        [Length(1, 140, message=_("Use 1 to 140 characters."))],
        filters=[strip],
        render_kw={"maxlength": "140", "autocomplete": "off"},
    )


class GreetingForm(Form):
    prompts = TextAreaField(_("Questions to tap"), render_kw={"rows": "4"})
    commands = TextAreaField(_("Commands"), render_kw={"rows": "5"})

    def validate_prompts(self, field: Any) -> None:
        if len(lines(field.data)) > MOST_PROMPTS:
            raise ValidationError(gettext("At most %(count)s questions.", count=MOST_PROMPTS))
        if any(len(line) > 80 for line in lines(field.data)):
            raise ValidationError(gettext("A question can have at most 80 characters."))

    def validate_commands(self, _field: Any) -> None:
        if len(self.listed) > MOST_COMMANDS:
            raise ValidationError(gettext("At most %(count)s commands.", count=MOST_COMMANDS))
        for name, words in self.listed:
            if not re.fullmatch(r"\w{1,32}", name):
                raise ValidationError(gettext("“%(name)s”: a command is one word of at most 32 characters.", name=name))
            if not 1 <= len(words) <= 256:
                raise ValidationError(gettext("“%(name)s” needs an explanation after it.", name=name))

    @property
    def listed(self) -> list[tuple[str, str]]:
        """`hours When we are open` is the command /hours and its explanation."""
        split = (line.lstrip("/").partition(" ") for line in lines(self.commands.data))
        return [(name, words.strip(" :-")) for name, _space, words in split]


class UsernameForm(Form):
    username = StringField(
        _("Username"),
        [
            Regexp(
                r"^(?!www)(?!.*\.\.)(?=.*[a-z])[a-z0-9_][a-z0-9._]{1,33}[a-z0-9_]$",
                message=_("Use 3 to 35 lowercase letters, digits, dots and underscores, with at least one letter."),
            )
        ],
        filters=[lambda text: strip(text).lstrip("@").lower()],
        render_kw={"maxlength": "36", "autocomplete": "off", "spellcheck": "false"},
    )


class BlockForm(Form):
    person = PhoneField(_("Number"), render_kw={"autocomplete": "off"})


class TrialForm(Form):
    phone = PhoneField(_("Your own phone number"))
