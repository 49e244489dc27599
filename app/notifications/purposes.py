"""Purposes: what features send a notification for, each with the template of the gallery to begin with."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select

from app.message_templates.forms import free_name
from app.message_templates.models import GONE, MessageTemplate
from app.message_templates.starters import LANGUAGES, Starter, starter_named
from app.message_templates.versions import Content, TemplateVersion
from app.meta.message_templates import Template
from app.tenancy import Actor, db
from app.tenancy.limits import one_at_a_time
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

    def begin(self, waba: Waba, language: str, *, by: Actor) -> Notification | None:
        """Makes what is missing, a draft of the template and a notification, and has it sent for this purpose.

        What another purpose began with the same starter is used again. One at a time, and None where something was
        chosen meanwhile, in this language. Raises `NameTaken`.
        """
        one_at_a_time("purposes")
        if chosen := self.find():
            return chosen if self.add_language(chosen, waba, language, by=by) else None
        definition = self.template.definition(language)
        notification = self.begun_before()
        name = notification.template if notification else name_for(waba, definition)
        if not live_in(waba.id, name):
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

    def add_language(self, notification: Notification, waba: Waba, language: str, *, by: Actor) -> bool:
        """Makes a draft of its template in a further language of the gallery. Returns whether it lacked it."""
        if language not in self.further_languages(notification, waba.id):
            return False
        definition = self.template.definition(language)
        content = Content(definition.category, definition.is_named, definition.components)
        MessageTemplate.begin(waba.id, notification.template, language, content, by=by)
        return True

    def further_languages(self, notification: Notification, waba_id: uuid.UUID) -> list[str]:
        """The gallery's that its template lacks in an account; none where it has other variables than the gallery's."""
        there = live_in(waba_id, notification.template)
        wanted = {one.name for one in self.template.definition("en_US").variables}
        if not there or any(names_in(one) != wanted for one in there):
            return []
        return [code for code in LANGUAGES if code not in {one.language for one in there}]

    def begun_before(self) -> Notification | None:
        query = select(Notification).where(Notification.template == self.starter).order_by(Notification.created_at)
        return next((one for one in db.session.scalars(query) if one.is_active and not one.lacks(self.fills)), None)

    def optional(self, row: Variable) -> Variable:
        return dataclasses.replace(row, is_required=False, default=NOTHING) if row.name in self.may_be_empty else row


def live_in(waba_id: uuid.UUID, name: str) -> list[MessageTemplate]:
    mine = MessageTemplate.name == name, MessageTemplate.status != GONE
    return list(db.session.scalars(MessageTemplate.of(waba_id).where(*mine)))


def name_for(waba: Waba, definition: Template) -> str:
    """The starter's own, unless the account has another template of that name."""
    wanted = {one.name for one in definition.variables}
    if (alike := live_in(waba.id, definition.name)) and all(names_in(one) == wanted for one in alike):
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


@dataclass(frozen=True, slots=True)
class Further:
    """What a purpose sends already, and the languages that the gallery has besides."""

    purpose: Purpose
    template: MessageTemplate
    languages: list[str]


def further_of(endpoint: str) -> list[Further]:
    """Of the purposes on a settings page, those whose template can be had in more languages."""
    chosen = ((one, one.find()) for one in PURPOSES.values() if one.endpoint == endpoint)
    variants = [(one, notification, notification.variants()) for one, notification in chosen if notification]
    offered = [
        Further(one, there[0], one.further_languages(notification, there[0].waba_id))
        for one, notification, there in variants
        if there
    ]
    return [one for one in offered if one.languages]


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
            return str(_("Nothing is sent yet: Meta is reviewing the template, usually within minutes."))
        case "REJECTED":
            return str(_("Nothing is sent yet: Meta rejected the template. See why, change it and submit it again."))
    obstacle = notification.obstacle(template)
    return obstacle.explain(_) if obstacle else ""
