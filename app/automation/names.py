"""What the parts of automations refer to, as menus list it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from app.contacts.fields import ContactField
from app.contacts.tags import Tag
from app.inbox.compose.canned_replies import CannedReply
from app.message_templates.models import MOST_OFFERED, MessageTemplate
from app.message_templates.uses import Use, uses_templates
from app.meta.message_templates import SENDABLE
from app.team.models import Team
from app.team.models.teams import colleagues
from app.tenancy import db
from app.wabas.models import PhoneNumber
from app.words import N_

from .models import Automation
from .parts import Names


@Names.source("tags")
def tags() -> dict[str, str]:
    return {str(tag.id): tag.name for tag in db.session.scalars(Tag.in_order())}


@Names.source("fields")
def fields() -> dict[str, str]:
    return {str(field.id): field.name for field in ContactField.all()}


@Names.source("date_fields")
def date_fields() -> dict[str, str]:
    return {str(field.id): field.name for field in ContactField.all() if field.kind == "date"}


@Names.source("members")
def members() -> dict[str, str]:
    return {str(user.id): user.name for user in colleagues()}


@Names.source("teams")
def teams() -> dict[str, str]:
    return {str(team.id): team.name for team in db.session.scalars(Team.in_order())}


@Names.source("numbers")
def numbers() -> dict[str, str]:
    options = db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at, PhoneNumber.id))
    return {str(number.id): number.display_number for number in options}


@Names.source("templates")
def templates() -> dict[str, str]:
    """Those that can be sent, each by its name and language, which are the same in every account."""
    sendable = MessageTemplate.listed().where(MessageTemplate.status.in_(SENDABLE))
    options = db.session.scalars(sendable.order_by(MessageTemplate.name, MessageTemplate.language).limit(MOST_OFFERED))
    return {one.key: f"{one.title} ({one.language})" for one in options}


@Names.source("canned_replies")
def canned_replies() -> dict[str, str]:
    """Those of everybody: an agent's own are the agent's."""
    # Those with buttons or a form are sheets of the composer; automations have steps for these.
    shared = CannedReply.owner_id.is_(None), CannedReply.team_id.is_(None), CannedReply.sheet == ""
    options = db.session.scalars(select(CannedReply).where(*shared).order_by(CannedReply.shortcut))
    return {str(reply.id): f"/{reply.shortcut}" for reply in options}


@Names.source("automations")
def automations() -> dict[str, str]:
    return {str(one.id): one.name for one in db.session.scalars(Automation.in_order())}


@uses_templates
def automations_with(name: str, language: str) -> Iterator[Use]:
    """Automations that send a template, as they are published or drafted."""
    key = f"{name}|{language}"
    for automation in db.session.scalars(Automation.in_order()):
        version = automation.version
        definitions = [automation.definition, *([version.definition] if version else [])]
        steps = [one.step for each in definitions for one in each.walk() if key == getattr(one.step, "template", "")]
        if steps:
            values = min(len(getattr(step, "values", ())) for step in steps)
            ids = {"automation_id": automation.id}
            yield Use(N_("Automation"), automation.name, "automation.show", ids, values=values)
