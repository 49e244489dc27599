from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from app.team.forms import Form, one_line


class WishForm(Form):
    """Why an owner wants their business closed; the operator reads it."""

    wish = StringField(
        _("Why"),
        [DataRequired(_("Enter a reason. The operator reads it.")), Length(max=200)],
        filters=[one_line],
        render_kw={"maxlength": "200", "autocomplete": "off"},
    )
