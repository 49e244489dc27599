from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import Regexp


class PinForm(FlaskForm):
    class Meta:
        csrf = False  # checked before any view

    pin = StringField(
        _("PIN"),
        [Regexp(r"^\d{6}$", message=_("A PIN is six digits."))],
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": "6"},
    )
