"""The form of an entry point."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import DateField, SelectChoice, SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app import zones
from app.contacts.tags import Tag
from app.languages import OWN_NAMES
from app.team.models import Team
from app.tenancy import as_uuid
from app.wabas.models import PhoneNumber

from .models import KINDS, LONGEST_NAME, LONGEST_TEXT, SLUG, EntryPoint


def one_line(value: str | None) -> str:
    return " ".join((value or "").replace("\x00", "").split())


class EntryPointForm(FlaskForm):
    """A text field for each language is added below: `text_fr`."""

    name = StringField(
        _("Name"), filters=[one_line], validators=[DataRequired(_("Enter a name.")), Length(max=LONGEST_NAME)]
    )
    kind = SelectField(_("Kind"))
    slug = StringField(_("Short link"), filters=[lambda value: one_line(value).lower()])
    phone_number_id = SelectField(_("Number"), validators=[InputRequired(_("Choose a number."))])
    language = SelectField(_("Usual language"), default="en")
    team_id = SelectField(_("Team"), filters=[lambda value: value or ""])
    tag_ids = SelectMultipleField(_("Tags"))
    last_day = DateField(_("Last day"), validators=[Optional()])

    def __init__(self, numbers: Sequence[PhoneNumber], teams: Sequence[Team], tags: Sequence[Tag], **more: Any) -> None:
        super().__init__(**more)
        self.kind.choices = [SelectChoice(kind, gettext(words)) for kind, words in KINDS.items()]
        self.phone_number_id.choices = [SelectChoice(str(one.id), one.display_number) for one in numbers]
        self.language.choices = [SelectChoice(code, name) for code, name in OWN_NAMES.items()]
        self.team_id.choices = [
            SelectChoice("", gettext("The number's team")),
            *(SelectChoice(str(team.id), team.name) for team in teams),
        ]
        self.tag_ids.choices = [SelectChoice(str(tag.id), tag.name) for tag in tags]

    @classmethod
    def of(cls, entry_point: EntryPoint, *choices: Any) -> EntryPointForm:
        until = entry_point.active_until
        values: dict[str, Any] = {
            "name": entry_point.name,
            "kind": entry_point.kind,
            "phone_number_id": str(entry_point.phone_number_id),
            "language": next(iter(entry_point.languages), "en"),
            "team_id": str(entry_point.team_id or ""),
            "tag_ids": entry_point.tag_ids,
            "last_day": zones.local(until - dt.timedelta(seconds=1)).date() if until else None,
        }
        values |= {f"text_{one['language']}": one["text"] for one in entry_point.texts}
        return cls(*choices, formdata=None, data=values)

    def validate_slug(self, field: StringField) -> None:
        if field.data and not SLUG.fullmatch(field.data):
            raise ValidationError(gettext("Use 3 to 60 letters from a to z, digits and hyphens."))

    @property
    def texts_by_language(self) -> dict[str, StringField]:
        """The field of each language, the usual one first."""
        usual = self.language.data or "en"
        order = sorted(OWN_NAMES, key=lambda code: code != usual)
        return {code: getattr(self, f"text_{code}") for code in order}

    def settings(self, earlier: EntryPoint | None = None) -> dict[str, Any]:
        """The values of an `EntryPoint`. Texts in languages that the form does not have stay."""
        texts = [{"language": code, "text": field.data} for code, field in self.texts_by_language.items() if field.data]
        texts += [one for one in (earlier.texts if earlier else []) if one["language"] not in OWN_NAMES]
        return {
            "name": self.name.data,
            "kind": self.kind.data,
            "phone_number_id": as_uuid(self.phone_number_id.data),
            "texts": texts,
            "team_id": as_uuid(self.team_id.data),
            "tag_ids": list(self.tag_ids.data or []),
            "active_until": zones.ends(self.last_day.data) if self.last_day.data else None,
        }


for code, name in OWN_NAMES.items():
    setattr(
        EntryPointForm, f"text_{code}", StringField(name, filters=[one_line], validators=[Length(max=LONGEST_TEXT)])
    )
