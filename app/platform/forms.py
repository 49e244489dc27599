from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from app.team.forms import Form, one_line


class ReasonForm(Form):
    """What an admin does in a tenant's stead has a reason, which is kept."""

    reason = StringField(
        _("Reason"),
        [DataRequired(_("Say why: it is kept in the log.")), Length(max=200)],
        filters=[one_line],
        render_kw={"maxlength": "200", "autocomplete": "off"},
    )
