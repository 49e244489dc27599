"""The composer's form that sends a form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import g, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from wtforms import SelectChoice, SelectField

from app.inbox.compose.compose_forms import ComposeForm, compose_form, line_field, text_field
from app.meta.outgoing import Outgoing, Refused
from app.tenancy import as_uuid, db
from app.wabas.models import PhoneNumber
from app.whatsapp_flows.models import SENDABLE, FlowVersion, WhatsappFlow
from app.words import N_

MOST_OFFERED = 500
CHOOSE = N_("Choose the form to send.")


@compose_form("flow")
class FlowForm(ComposeForm):
    title = _("Send a form")
    intro = _("The customer fills it in inside WhatsApp. The answers come back into this conversation.")
    may_be_canned = True
    names = ("version", "body", "button")
    extra = ("header", "footer")
    version = SelectField(_("Form"), validate_choice=False)
    body = text_field()
    button = line_field(_("Label of the button that opens the form"), 30)
    header = line_field(_("Heading"), 60)
    footer = line_field(_("Footer"), 60)

    versions: Sequence[FlowVersion] = ()

    def offer(self, phone_number: PhoneNumber) -> None:
        """Those that this number can send."""
        self.versions = sendable_by(phone_number)
        self.version.choices = [SelectChoice(str(one.id), one.flow.name) for one in self.versions]
        if not self.versions and g.membership.may("flows.edit"):
            self.missing = gettext("No form is published yet. Create one and publish it first.")
            self.remedy = gettext("View forms"), url_for("whatsapp_flows.index")
        elif not self.versions:
            self.missing = gettext("No form is published yet. Ask an owner or admin to create one.")

    def fill_in(self, body: str, values: dict[str, Any]) -> None:
        """A canned reply names a version; what is sent is the newest of its form."""
        super().fill_in(body, values)
        saved = FlowVersion.find(as_uuid(values.get("version")))
        newest = {version.flow_id: str(version.id) for version in self.versions}
        self.version.data = newest.get(saved.flow_id, "") if saved else ""

    def build(self) -> Outgoing:
        version = FlowVersion.find(as_uuid(self.version.data))
        if version is None or not version.is_sendable:
            raise Refused(CHOOSE)
        return version.message(self.body.data, self.button.data, self.header.data, self.footer.data)


def sendable_by(phone_number: PhoneNumber) -> list[FlowVersion]:
    """The newest version of each form that the number's account can send."""
    flows = select(WhatsappFlow.id).where(
        WhatsappFlow.waba_id == phone_number.waba_id, WhatsappFlow.is_archived.is_(False)
    )
    query = select(FlowVersion).where(FlowVersion.flow_id.in_(flows), FlowVersion.status.in_(SENDABLE))
    query = query.order_by(FlowVersion.flow_id, FlowVersion.number).options(joinedload(FlowVersion.flow))
    newest = {version.flow_id: version for version in db.session.scalars(query.limit(MOST_OFFERED))}
    return sorted(newest.values(), key=lambda one: one.flow.name.casefold())
