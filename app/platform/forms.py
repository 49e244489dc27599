from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import SelectChoice, SelectField, StringField
from wtforms.validators import DataRequired, Length

from app.team.forms import Form, email_field, one_line


class ReasonForm(Form):
    """The reason an admin gives for acting on a tenant's behalf; it is logged."""

    reason = StringField(
        _("Reason"),
        [DataRequired(_("Enter a reason. It is logged.")), Length(max=200)],
        filters=[one_line],
        render_kw={"maxlength": "200", "autocomplete": "off"},
    )


class ResetForm(ReasonForm):
    """Whose two-step sign-in is to be turned off."""

    kind = SelectField(
        _("Who"), choices=[SelectChoice("user", _("Member of a business")), SelectChoice("admin", _("Platform admin"))]
    )
    email = email_field()
