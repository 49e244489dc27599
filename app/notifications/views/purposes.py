"""Beginning a purpose: the draft of a template and a notification, made of the gallery with one button."""

from __future__ import annotations

from flask import abort, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.message_templates.models import NameTaken as TemplateTaken
from app.message_templates.starters import LANGUAGES
from app.message_templates.views.gallery import readers_starter_language
from app.message_templates.views.list import accounts
from app.message_templates.views.list import words_context as template_words
from app.notifications.blueprint import bp
from app.notifications.models import NameTaken
from app.notifications.purposes import PURPOSES, Further, Stage, further_of, stages_of
from app.tenancy import as_uuid, current_actor, requires
from app.wabas.models import Waba


@bp.post("/purposes/<purpose>")
@requires("notifications.edit")
def begin_purpose(purpose: str) -> AnyResponse:
    """Does nothing where something is chosen already, by a second click or somebody else."""
    chosen = PURPOSES.get(purpose) or abort(404)
    if not (g.membership.may(chosen.permission) and g.membership.may("templates.edit")):
        abort(403)
    language = request.form.get(f"further-{purpose}") or request.form.get("language", "")
    chosen_language = language if language in LANGUAGES else None
    back = redirect(url_for(chosen.endpoint, language=chosen_language, _anchor="purposes"), 303)
    waba = Waba.find(as_uuid(request.form.get("account"))) or next(iter(accounts()), None)
    if waba is None:
        flash(_("Connect a number first."), "error")
    else:
        wanted = language if language in LANGUAGES else readers_starter_language()
        try:
            made = chosen.begin(waba, wanted, by=current_actor())
        except (NameTaken, TemplateTaken):
            return back
        if made:
            flash(_("Template and notification created. Nothing is sent before Meta has approved the template."))
    return back


@bp.app_template_global()
def open_purposes(endpoint: str) -> list[Stage]:
    """What a settings page offers to begin, to those who may."""
    may_begin = g.membership.may("notifications.edit") and g.membership.may("templates.edit")
    return stages_of(endpoint) if may_begin else []


@bp.app_template_global()
def further_languages(endpoint: str) -> list[Further]:
    """Of what is sent already, the languages that can be added, to those who may."""
    may_begin = g.membership.may("notifications.edit") and g.membership.may("templates.edit")
    return further_of(endpoint) if may_begin else []


@bp.app_template_global()
def purpose_choices() -> dict[str, object]:
    """In which language and account a template may be begun: that of the one before, where there was one."""
    words = template_words()["languages"]
    offered = [(code, words.get(code, code)) for code in LANGUAGES]
    before = request.args.get("language", "")
    language = before if before in LANGUAGES else readers_starter_language()
    return {"languages": offered, "language": language, "accounts": accounts()}
