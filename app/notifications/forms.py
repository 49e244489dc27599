"""The form of a notification, and the one that sends a test."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import FieldList, FormField, HiddenField, IntegerField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Regexp

from app.api import ApiKey
from app.contacts.fields import ContactField
from app.inbox.desk.fields import ChoiceField, ChoicesField, ClientIdField, at_most, one_line, options
from app.meta.template_schema import name_of
from app.parameters import InRange
from app.tenancy import as_uuid, db
from app.wabas.models import PhoneNumber
from app.words import N_

from .models import LONGEST_PAUSE, Notification
from .values import LONGEST, MOST_VARIABLES, TYPES, Variable, mistakes_in, proposed

LONGEST_TITLE = 100
ACCESS_WORDS = (
    ("any", N_("Any API key that may send notifications")),
    ("chosen", N_("Only the API keys below")),
    ("none", N_("No API key, only Switchboard itself")),
)


class VariableForm(FlaskForm):
    """One row of the mapping."""

    class Meta:
        csrf = False

    target = HiddenField()
    name = StringField(_("Name"), filters=[one_line], render_kw={"maxlength": 40, "autocomplete": "off"})
    type = ChoiceField(_("Type"))
    example = StringField(
        _("Example"), filters=[one_line], render_kw={"maxlength": LONGEST, "autocomplete": "off", "dir": "auto"}
    )
    default = StringField(
        _("Fallback"),
        filters=[one_line],
        render_kw={"maxlength": LONGEST, "autocomplete": "off", "dir": "auto"},
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self["type"].choices = options(*((key, gettext(words)) for key, words in TYPES.items()))

    @property
    def variable(self) -> Variable:
        """Required unless there is a text for where nothing is given."""
        default = self["default"].data
        return Variable(
            self["name"].data, self["type"].data, not default, self["example"].data, default, self["target"].data
        )


class NotificationForm(FlaskForm):
    title = StringField(
        _("Title"),
        filters=[one_line],
        validators=[DataRequired(_("Enter a title.")), at_most(LONGEST_TITLE)],
        render_kw={"maxlength": LONGEST_TITLE, "autocomplete": "off"},
    )
    name = StringField(
        _("Name"),
        filters=[one_line],
        validators=[
            DataRequired(_("Enter a name.")),
            Regexp(r"[a-z][a-z0-9_]{0,59}$", message=_("Use small letters a to z, digits and underscores, up to 60.")),
        ],
        render_kw={"maxlength": 60, "autocomplete": "off", "spellcheck": "false", "dir": "ltr"},
    )
    language = ChoiceField(_("Language"))
    language_field = ChoiceField(_("A contact's language"))
    phone_number = ChoiceField(_("Send from"))
    variables = FieldList(FormField(VariableForm), max_entries=MOST_VARIABLES)
    access = ChoiceField(_("Who may send it"))
    api_keys = ChoicesField(_("API keys"))
    pause_minutes = IntegerField(
        _("Minutes between two messages to the same contact"),
        validators=[
            InputRequired(_("Enter a number, 0 for no limit.")),
            InRange(0, LONGEST_PAUSE, message=_("Enter 0 to 43,200 minutes.")),
        ],
    )

    def __init__(self, notification: Notification) -> None:
        self.notification = notification
        self.variants = notification.variants()
        super().__init__(data=self.saved_values())
        self.offer_choices()

    def saved_values(self) -> dict[str, Any]:
        one = self.notification
        return {
            "title": one.title,
            "name": one.name,
            "language": one.language,
            "language_field": str(one.language_field_id or ""),
            "phone_number": str(one.phone_number_id or ""),
            "variables": [row.row | ({"default": ""} if row.is_required else {}) for row in self.rows],
            "access": one.access or "any",
            "api_keys": one.api_key_ids,
            "pause_minutes": one.pause_minutes or 0,
        }

    @property
    def rows(self) -> list[Variable]:
        """A row for each variable of the template in any language: the saved one, or a proposal.

        While Meta has no text of it yet, the saved ones.
        """
        if not any(one.components for one in self.variants):
            return self.notification.variables
        saved = {row.target: row for row in self.notification.variables}
        proposals = {row.target: row for one in self.variants for row in proposed(one.definition)}
        wanted = dict.fromkeys(name_of(place) for one in self.variants for place in one.definition.variables)
        return [row for target in wanted if (row := saved.get(target) or proposals.get(target))][:MOST_VARIABLES]

    def offer_choices(self) -> None:
        languages = list(dict.fromkeys([one.language for one in self.variants] or [self.notification.language]))
        self.language.choices = options(*((code, code) for code in languages))
        fields = [(str(one.id), one.name) for one in ContactField.all() if one.kind in ("text", "choice")]
        self.language_field.choices = options(("", gettext("Everyone gets the language above")), *fields)
        numbers = db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at).limit(200))
        named = [(str(number.id), number.display_number) for number in numbers]
        self.phone_number.choices = options(("", gettext("The number that the contact last wrote to")), *named)
        self.access.choices = options(*((key, gettext(words)) for key, words in ACCESS_WORDS))
        keys = db.session.scalars(ApiKey.in_order().where(ApiKey.revoked_at.is_(None), ApiKey.kind != "test"))
        self.api_keys.choices = options(*((str(key.id), key.name) for key in keys))

    def validate_name(self, field: StringField) -> None:
        other = Notification.named(field.data)
        if other and other.id != self.notification.id:
            raise ValidationError(gettext("Another notification has this name."))

    def validate_variables(self, field: FieldList) -> None:
        for place, mistake in mistakes_in([row.form.variable for row in field]).items():
            row, words = field[place].form, mistake.explain(gettext)
            row[str(mistake.facts.get("field", "example"))].errors = [words]
            raise ValidationError(words)

    def save(self) -> Notification:
        """The notification with what was typed, not stored yet."""
        one = self.notification
        one.title, one.name, one.language = self.title.data, self.name.data, self.language.data
        one.language_field_id = as_uuid(self.language_field.data)
        one.phone_number_id = as_uuid(self.phone_number.data)
        one.mapping = [row.form.variable.row for row in self.variables]
        one.access, one.api_key_ids = self.access.data, self.api_keys.data if self.access.data == "chosen" else []
        one.pause_minutes = self.pause_minutes.data
        return one


class TestForm(FlaskForm):
    """Sends a notification with its examples."""

    phone = StringField(
        _("Phone number"),
        filters=[one_line],
        validators=[DataRequired(_("Enter a phone number with its country code."))],
        render_kw={"maxlength": 40, "autocomplete": "off", "inputmode": "tel", "dir": "ltr"},
    )
    language = ChoiceField(_("Language"))
    client_id = ClientIdField()
