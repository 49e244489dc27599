"""The list of templates, and comparing it with Meta."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.message_templates.blueprint import bp
from app.message_templates.listing import Choices, TemplateListing
from app.message_templates.models import TemplateList
from app.message_templates.versions import TemplateVersion
from app.message_templates.wording import OPEN_STATES
from app.meta.template_languages import LANGUAGES
from app.meta.template_statuses import CATEGORIES, QUALITIES, STATUSES
from app.tenancy import db, in_menu, requires
from app.tenancy.guard import is_fragment
from app.wabas.models import Waba
from app.words import N_

from .direct_send import stopped


@bp.get("/")
@in_menu("rail", N_("Templates"), "layout-template", order=25)
@requires("templates.view")
def index() -> str:
    partial = "_templates" if request.args.get("begins") else "_list"
    return render_template(f"message_templates/{partial if is_fragment() else 'list'}.html", **list_context())


@bp.post("/comparisons")
@requires("templates.view")
def compare() -> AnyResponse:
    """Asks Meta for the templates of every account, unless that was done a moment ago."""
    for waba in accounts():
        template_list = TemplateList.of(waba.id)
        if template_list.may_refresh:
            template_list.refresh()
    flash(_("Comparing with Meta. The list updates by itself."))
    return redirect(url_for(".index"), 303)


def accounts() -> list[Waba]:
    """Those that templates can be made in."""
    return [waba for waba in db.session.scalars(Waba.in_order()) if not waba.is_left]


def list_context() -> dict[str, Any]:
    listing = TemplateListing.read(request.args)
    page, entries = listing.load()
    wabas = accounts()
    return {
        "listing": listing,
        "page": page,
        "entries": entries,
        "choices": Choices.load(),
        "awaiting": TemplateVersion.count_awaiting() if g.membership.may("templates.approve") else 0,
        "accounts": {waba.id: waba for waba in wabas},
        # Fetched again where they are old; what comes replaces the table.
        "stopped": stopped(),
        "lists": [TemplateList.fresh(waba.id) for waba in wabas],
    } | words_context()


def words_context() -> dict[str, Any]:
    """What Meta's words are called."""
    return {
        "statuses": STATUSES,
        "open_states": OPEN_STATES,
        "categories": CATEGORIES,
        "qualities": QUALITIES,
        "languages": LANGUAGES,
    }
