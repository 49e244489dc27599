from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField
from wtforms.validators import DataRequired, Length, ValidationError

from .models import LONGEST_TOKEN


class TokenForm(FlaskForm):
    token = PasswordField(
        _("Token"),
        filters=[lambda value: (value or "").strip()],
        validators=[DataRequired(_("Enter the token.")), Length(max=LONGEST_TOKEN)],
    )

    def validate_token(self, field: PasswordField) -> None:
        if not field.data.isascii() or not field.data.isprintable() or " " in field.data:
            raise ValidationError(_("This doesn't look like a token. Copy it again."))


class NotesForm(FlaskForm):
    writes_notes = BooleanField(_("Write a note for each resolved conversation"))
    quotes_messages = BooleanField(_("Quote the last messages in it"))
