"""Purposes: what features send a notification for, each with the template of the gallery to begin with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select

from app.message_templates.forms import free_name
from app.message_templates.models import GONE, MessageTemplate
from app.message_templates.starters import Starter, starter_named
from app.message_templates.versions import Content, TemplateVersion
from app.meta.message_templates import Template
from app.tenancy import Actor, db
from app.wabas.models import Waba

from .models import Notification
from .values import Variable, proposed

# Where nothing is given for a variable that may be empty.
NOTHING = "–"
PURPOSES: dict[str, Purpose] = {}


@dataclass(frozen=True, slots=True)
class Purpose:
    """`find` returns what is sent for it now, `choose` has it sent from now on; `fills` are the values it gives.

    `starter` is the key of the gallery; of its variables, those in `may_be_empty` get a text for where nothing is.
    """

    key: str
    words: str
    starter: str
    endpoint: str
    permission: str
    fills: tuple[str, ...]
    find: Callable[[], Notification | None]
    choose: Callable[[Notification], None]
    may_be_empty: tuple[str, ...] = ()

    def register(self) -> Purpose:
        PURPOSES[self.key] = self
        return self

    @property
    def template(self) -> Starter:
        chosen_starter = starter_named(self.starter)
        assert chosen_starter, self.starter
        return chosen_starter

    def begin(self, waba: Waba, language: str, *, by: Actor) -> Notification:
        """Makes what is missing, a draft of the template and a notification, and has it sent for this purpose.

        What another purpose began with the same starter is used again. Raises `NameTaken`.
        """
        definition = self.template.definition(language)
        notification = self.begun_before()
        name = notification.template if notification else name_for(waba, definition)
        if not live_in(waba, name):
            content = Content(definition.category, definition.is_named, definition.components)
            MessageTemplate.begin(waba.id, name, language, content, by=by)
        if notification is None:
            rows = [self.optional(row) for row in proposed(definition)]
            notification = Notification(template=name, language=language, title=self.template.title(language))
            notification.name, notification.access, notification.api_key_ids = free(name), "none", []
            notification.pause_minutes, notification.mapping = 0, [row.row for row in rows]
            notification.save(by=by)
        self.choose(notification)
        return notification

    def begun_before(self) -> Notification | None:
        query = select(Notification).where(Notification.template == self.starter).order_by(Notification.created_at)
        return next((one for one in db.session.scalars(query) if one.is_active and not one.lacks(self.fills)), None)

    def optional(self, row: Variable) -> Variable:
        return dataclasses.replace(row, is_required=False, default=NOTHING) if row.name in self.may_be_empty else row


def live_in(waba: Waba, name: str) -> list[MessageTemplate]:
    mine = MessageTemplate.name == name, MessageTemplate.status != GONE
    return list(db.session.scalars(MessageTemplate.of(waba.id).where(*mine)))


def name_for(waba: Waba, definition: Template) -> str:
    """The starter's own, unless the account has another template of that name."""
    wanted = {one.name for one in definition.variables}
    if (alike := live_in(waba, definition.name)) and all(names_in(one) == wanted for one in alike):
        return definition.name
    return free_name(waba.id, definition.name, definition.language)


def names_in(template: MessageTemplate) -> set[str]:
    version = TemplateVersion.open_of(template.id)
    text = version.definition(template.name, template.language) if version else template.definition
    return {one.name for one in text.variables}


def free(name: str) -> str:
    """A name for a notification that no other has."""
    taken = set(db.session.scalars(select(Notification.name).where(Notification.name.startswith(name))))
    numbered = (f"{name}_{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)


@dataclass(frozen=True, slots=True)
class Stage:
    """How far a purpose is: `words` say what is still to happen, nothing where it can be sent."""

    purpose: Purpose
    notification: Notification | None = None
    template: MessageTemplate | None = None
    words: str = ""

    @property
    def is_open(self) -> bool:
        return self.notification is None or bool(self.words)


def stages_of(endpoint: str) -> list[Stage]:
    """Of the purposes on a settings page, those that nothing is sent for yet."""
    stages = [stage_of(one) for one in PURPOSES.values() if one.endpoint == endpoint]
    return [one for one in stages if one.is_open]


def stage_of(purpose: Purpose) -> Stage:
    notification = purpose.find()
    if notification is None:
        return Stage(purpose)
    variants = notification.variants()
    if any(notification.obstacle(one) is None for one in variants):
        return Stage(purpose, notification)
    if not variants:
        return Stage(purpose, notification, None, _("No account has its template. Choose another notification."))
    return Stage(purpose, notification, variants[0], words_for(notification, variants[0]))


def words_for(notification: Notification, template: MessageTemplate) -> str:
    version = TemplateVersion.open_of(template.id)
    match version.state if version else template.status:
        case "draft":
            return str(_("Nothing is sent yet: the template is a draft. Check its text and submit it to Meta."))
        case "awaiting":
            return str(_("Nothing is sent yet: an owner has to approve the template before it goes to Meta."))
        case "submitting" | "PENDING" | "IN_APPEAL":
            return str(_("Nothing is sent yet: Meta reviews the template, usually within minutes."))
        case "REJECTED":
            return str(_("Nothing is sent yet: Meta rejected the template. See why, change it and submit it again."))
    obstacle = notification.obstacle(template)
    return obstacle.explain(_) if obstacle else ""
