"""From a link or button to the automations that reply to those who come by it, and to a new one."""

from __future__ import annotations

import uuid

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.automation.blueprint import bp
from app.automation.models import MOST_AUTOMATIONS, Automation, TooManyAutomations
from app.automation.starters import LANGUAGES, nearest, starter
from app.automation.views.automations import chosen_language
from app.entry_points.models import EntryPoint
from app.tenancy import db, requires

GREETING = "site-inquiry"


@bp.app_template_global()
def automations_of(entry_point_id: uuid.UUID) -> list[Automation]:
    """Those that begin when a customer comes by it, also by any link, in their order."""
    trigger = Automation.draft["trigger"]
    mine = trigger["kind"].astext == "entry_point", trigger["entry_point"].astext.in_((str(entry_point_id), ""))
    return list(db.session.scalars(Automation.in_order().where(*mine)))


@bp.post("/entry-points/<uuid:entry_point_id>")
@requires("automation.manage")
def create_for(entry_point_id: uuid.UUID) -> AnyResponse:
    """One for this link or button, in the languages of its first words. It is off until somebody publishes it."""
    entry_point = EntryPoint.get_or_404(entry_point_id)
    chosen = starter(GREETING)
    assert chosen
    usual, *others = languages_of(entry_point)
    definition = chosen.definition(usual, others)
    trigger = definition.trigger.model_copy(update={"entry_point": str(entry_point.id)})
    name = str(_("Auto-reply: %(name)s", name=entry_point.name))
    try:
        made = Automation.create(name, definition.model_copy(update={"trigger": trigger}), **chosen.settings)
    except TooManyAutomations:
        flash(_("You have %(most)d automations already. Delete one first.", most=MOST_AUTOMATIONS), "error")
        return redirect(url_for("entry_points.show", entry_point_id=entry_point.id), 303)
    flash(_("Check its words, then publish it and switch it on."))
    return redirect(url_for(".show", automation_id=made.id), 303)


def languages_of(entry_point: EntryPoint) -> list[str]:
    """Those that the starter is written in, the usual one first; all of them where its first words are ours."""
    spoken = entry_point.languages
    if not spoken:
        usual = chosen_language("")
        return [usual, *(code for code in LANGUAGES if code != usual)]
    return list(dict.fromkeys(map(nearest, spoken)))
