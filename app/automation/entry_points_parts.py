"""What automations do with links and buttons: begin when a customer comes by one, and ask by which."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from flask_babel import gettext as _

from app.entry_points.models import MOST, EntryPoint
from app.tenancy import db
from app.words import N_

from .conditions import IS
from .parts import Condition, Miss, Names, Trigger, choice, entry, ref
from .steps import short

ANY = N_("Any link, button or ad")


@Names.source("entry_points")
def entry_points() -> dict[str, str]:
    return {str(one.id): one.name for one in db.session.scalars(EntryPoint.in_order().limit(MOST))}


class Touched(Trigger):
    kind: Literal["entry_point"] = "entry_point"
    title: ClassVar[str] = N_("A customer comes through a link or button")
    group: ClassVar[str] = N_("Messages")
    happenings: ClassVar[tuple[str, ...]] = ("entry_point.touched",)
    is_conversational: ClassVar[bool] = True
    opens_window: ClassVar[bool] = True
    entry_point: str = ref(N_("Link or button"), "entry_points", needed=False, none=ANY)
    about: str = entry(
        N_("About objects of this type"), most=40, needed=False, hint=N_("Such as property. Leave empty for any.")
    )
    which: Literal["every", "first"] = choice(
        N_("Begin"), {"every": N_("each time"), "first": N_("the first time in a conversation")}
    )

    def matches(self, turn: Any) -> Miss | None:
        facts = turn.facts
        came_by, kind = str(facts.get("entry_point_id") or ""), str(facts.get("type") or "")
        if self.entry_point and came_by != self.entry_point:
            return Miss(turn.names.of("entry_points", came_by) if came_by else "")
        if self.about and kind != self.about.casefold():
            return Miss(kind)
        return None if self.which == "every" or facts.get("is_first") else Miss(_("Not the first time"))

    def sentence(self, names: Names) -> str:
        where = names.of("entry_points", self.entry_point) if self.entry_point else ""
        facts = {"name": where, "type": self.about}
        if where and self.about:
            return str(_("When a customer comes through “%(name)s” about a %(type)s", **facts))
        if where:
            return str(_("When a customer comes through “%(name)s”", **facts))
        if self.about:
            return str(_("When a customer comes through a link or button about a %(type)s", **facts))
        return str(_("When a customer comes through a link, button or ad"))


class CameBy(Condition):
    """By which entry point the customer first came."""

    kind: Literal["entry_point"] = "entry_point"
    title: ClassVar[str] = N_("Link or button")
    operator: Literal["is", "is_not"] = choice(N_("The customer first came by this one"), IS)
    entry_point: str = ref(N_("Link or button"), "entry_points", needed=False, none=N_("Any link or button"))

    def check(self, turn: Any) -> tuple[bool, str]:
        came_by = str(turn.conversation.entry_point_id or "")
        is_it = came_by == self.entry_point if self.entry_point else bool(came_by)
        return is_it == (self.operator == "is"), turn.names.of("entry_points", came_by) if came_by else ""

    def sentence(self, names: Names) -> str:
        name = names.of("entry_points", self.entry_point) if self.entry_point else str(_("any link or button"))
        if self.operator == "is":
            return str(_("the customer came by %(name)s", name=name))
        return str(_("the customer did not come by %(name)s", name=name))


class AboutType(Condition):
    """What the conversation is about."""

    kind: Literal["about"] = "about"
    title: ClassVar[str] = N_("What it is about")
    operator: Literal["is", "is_not"] = choice(N_("The type of what it is about"), IS)
    type: str = entry(N_("Type"), most=40, hint=N_("Such as property, product, order or campaign."))

    def check(self, turn: Any) -> tuple[bool, str]:
        kind = str(turn.conversation.subject_type or "")
        return (kind == self.type.casefold()) == (self.operator == "is"), kind

    def sentence(self, names: Names) -> str:
        if self.operator == "is":
            return str(_("it is about a %(type)s", type=short(self.type)))
        return str(_("it is not about a %(type)s", type=short(self.type)))
