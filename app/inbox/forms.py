from __future__ import annotations

import uuid

from flask_babel import lazy_gettext as _
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField, ValidationError
from wtforms.validators import DataRequired

LONGEST_TEXT = 4096


def tidy(value: str | None) -> str:
    """Line ends as WhatsApp has them; NUL, which no database stores, is left out."""
    return (value or "").replace("\r\n", "\n").replace("\x00", "").strip()


class ReplyForm(FlaskForm):
    body = TextAreaField(_("Message"), filters=[tidy], validators=[DataRequired(_("Write something first."))])
    client_id = HiddenField()

    def validate_body(self, field: TextAreaField) -> None:
        if (excess := len(field.data) - LONGEST_TEXT) > 0:
            raise ValidationError(
                ngettext(
                    "WhatsApp takes at most 4,096 characters. Shorten this by %(num)d.",
                    "WhatsApp takes at most 4,096 characters. Shorten this by %(num)d.",
                    excess,
                )
            )

    def validate_client_id(self, field: HiddenField) -> None:
        try:
            uuid.UUID(field.data)
        except (TypeError, ValueError):
            # An old page or a script: it loses only the protection against a double click.
            field.data = str(uuid.uuid4())
