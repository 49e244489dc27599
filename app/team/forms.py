from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from app.languages import OWN_NAMES
from app.team.models.people import normal_email
from app.templating import languages
from app.tenancy import Membership, Role

from . import passwords

ROLES = {Role.AGENT: _("Agent"), Role.ADMIN: _("Admin"), Role.OWNER: _("Owner")}
MOST_INVITATIONS = 20
LONGEST_LIST = 10_000


class Form(FlaskForm):
    """A form with a problem that belongs to no single field. CSRF is checked before any view."""

    problem = ""

    class Meta:
        csrf = False


def one_line(text: str | None) -> str:
    """A name as typed, without what could break out of a line of a mail or a log."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+", " ", text or "").strip()


def normalise_email(_form: Form, field: Any) -> None:
    """Brings an email address into the form in which addresses are stored."""
    try:
        field.data = normal_email(field.data or "")
    except ValueError:
        raise ValidationError(gettext("Enter a full email address, such as ann@bakery.example.")) from None


def refuse_web_address(_form: Form, field: Any) -> None:
    """Names appear in mails to strangers."""
    if re.search(r"://|www\.", field.data or "", re.IGNORECASE):
        raise ValidationError(gettext("Names can't contain web addresses."))


def check_strength(form: Any, field: Any) -> None:
    try:
        passwords.check(field.data or "", form.email_of_owner)
    except passwords.TooEasy as problem:
        raise ValidationError(str(problem)) from None


def name_field(label: str, missing: str, autocomplete: str) -> StringField:
    checks = [
        DataRequired(missing),
        Length(max=80, message=_("Use at most 80 characters.")),
        refuse_web_address,
    ]
    attributes = {"autocomplete": autocomplete, "maxlength": "80"}
    return StringField(label, checks, filters=[one_line], render_kw=attributes)


def email_field() -> EmailField:
    attributes = {"autocomplete": "username", "maxlength": "254", "required": True}
    return EmailField(_("Email"), [normalise_email], filters=[one_line], render_kw=attributes)


def current_password_field(label: str) -> PasswordField:
    checks = [InputRequired(_("Enter your password.")), Length(max=passwords.LONGEST)]
    return PasswordField(label, checks, render_kw={"autocomplete": "current-password"})


def new_password_field(label: str) -> PasswordField:
    attributes = {"autocomplete": "new-password", "minlength": "8", "maxlength": "200", "required": True}
    return PasswordField(label, [check_strength], render_kw=attributes)


def own_name_field() -> StringField:
    return name_field(_("Your name"), _("Enter your name."), "name")


def code_field() -> StringField:
    """Of an app, or a recovery code: `SecondStep.accept` knows which."""
    attributes = {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "100", "dir": "ltr"}
    more = {"autocapitalize": "none", "spellcheck": "false", "required": True}
    return StringField(_("Code"), [InputRequired(_("Enter a code."))], render_kw=attributes | more)


class SignInForm(Form):
    email = email_field()
    password = current_password_field(_("Password"))


class EmailForm(Form):
    email = email_field()


class BusinessForm(Form):
    business = name_field(_("Your business"), _("Enter the name of your business."), "organization")


class FirstBusinessForm(BusinessForm):
    email_of_owner = ""
    name = own_name_field()
    password = new_password_field(_("Password"))


class NewPasswordForm(Form):
    email_of_owner = ""
    password = new_password_field(_("New password"))


class AcceptForm(Form):
    email_of_owner = ""
    name = own_name_field()
    password = new_password_field(_("Password"))


class NameForm(Form):
    name = own_name_field()


class LanguageForm(Form):
    """In which language a person reads; empty is the browser's."""

    language = SelectField(_("Language"))

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        names = [(code, OWN_NAMES[code]) for code in languages()]
        self.language.choices = [("", gettext("As in your browser")), *names]


class ChangePasswordForm(Form):
    email_of_owner = ""
    current = current_password_field(_("Current password"))
    password = new_password_field(_("New password"))


class ConfirmationForm(Form):
    password = current_password_field(_("Your password"))


class CodeForm(Form):
    code = code_field()


class SecondStepForm(CodeForm):
    """What turning two-step sign-in on or off asks for."""

    password = current_password_field(_("Your password"))


class RoleForm(Form):
    """Offers the roles that `giver` may give."""

    role = SelectField(_("Role"))

    def __init__(self, giver: Membership, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.role.choices = [(role.value, word) for role, word in ROLES.items() if giver.may_give(role)]


class InvitationForm(RoleForm):
    emails = TextAreaField(
        _("Email addresses"),
        render_kw={"rows": "2", "autocomplete": "off", "spellcheck": "false", "required": True},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.addresses: list[str] = []

    def validate_emails(self, field: Any) -> None:
        parts = list(filter(None, re.split(r"[\s,;]+", (field.data or "")[:LONGEST_LIST])))
        if len(parts) > MOST_INVITATIONS:
            raise ValidationError(gettext("At most %(count)s at a time.", count=MOST_INVITATIONS))
        for part in parts:
            try:
                self.addresses.append(normal_email(part.strip("<>()\"'")))
            except ValueError:
                raise ValidationError(gettext("“%(part)s” isn't an email address.", part=part[:80])) from None
        if not self.addresses:
            raise ValidationError(gettext("Enter at least one email address."))
