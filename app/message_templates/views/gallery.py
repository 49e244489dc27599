"""Beginning a template: from the gallery, from Meta's own library, or blank."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

import structlog
from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.folding import fold
from app.message_templates.blueprint import bp
from app.message_templates.forms import free_name, name_from
from app.message_templates.models import TemplateList
from app.message_templates.settings import TemplateSettings
from app.message_templates.starters import LANGUAGES as STARTER_LANGUAGES
from app.message_templates.starters import STARTERS, TRADES, USES, Starter
from app.meta import template_calls as calls
from app.meta.message_templates import Template
from app.meta.payload import mapping, sequence, text
from app.tenancy import as_uuid, requires
from app.wabas.asking import Problem, ask
from app.wabas.models import Waba

from .list import accounts, words_context

log = structlog.get_logger()

MOST_OFFERED, MOST_MATCHES, MOST_SEARCHED, MOST_BUTTONS = 3, 6, 50, 10
LONGEST = 200
EXAMPLE_OF_CODE = "482913"


@dataclass(frozen=True, slots=True)
class Shown:
    """A starter with its words in one language."""

    starter: Starter
    definition: Template
    filled: dict[str, Any]


@bp.get("/gallery")
@requires("templates.edit")
def gallery() -> str:
    """The starters of a trade or those that a search finds, as previews."""
    trade, query = request.args.get("trade", ""), request.args.get("q", "")[:LONGEST]
    language = request.args.get("language", "")
    language = language if language in STARTER_LANGUAGES else readers_starter_language()
    return render_template(
        "message_templates/gallery.html",
        shown=[show(starter, language) for starter in STARTERS if fits(starter, trade, query, language)],
        trade=trade if trade in TRADES else "",
        trades=TRADES,
        query=query,
        language=language,
        starter_languages=STARTER_LANGUAGES,
        accounts=accounts(),
        **words_context(),
    )


def readers_starter_language() -> str:
    spoken = str(get_locale() or "en").partition("_")[0]
    return next((code for code in STARTER_LANGUAGES if code.partition("_")[0] == spoken), STARTER_LANGUAGES[0])


def show(starter: Starter, language: str) -> Shown:
    definition = starter.definition(language)
    return Shown(starter, definition, with_examples(definition))


@bp.app_template_filter()
def with_examples(definition: Template) -> dict[str, Any]:
    """What a template looks like, filled in with its own examples; Meta gives none for the code of a sign-in."""
    missing = EXAMPLE_OF_CODE if definition.is_code else ""
    return definition.shown({one.key: one.example or missing for one in definition.variables})


def fits(starter: Starter, trade: str, query: str, language: str) -> bool:
    if trade in TRADES and starter.trade not in (trade, "general"):
        return False
    names = " ".join(_(USES[use]) for use in starter.uses)
    searched = fold(f"{starter.title(language)} {starter.summary(language)} {names} {starter.key}")
    return all(word in searched for word in fold(query).split())


@bp.get("/gallery/library")
@requires("templates.edit")
def library() -> str:
    """Templates of Meta's library, approved at once, for a search. Empty while Meta is unavailable."""
    waba, query = first_account(), request.args.get("q", "")[:LONGEST]
    language = request.args.get("language", "")[:20]
    most = MOST_MATCHES if query else MOST_OFFERED
    offered = library_templates(waba, query, language, most) if waba and may_submit() else []
    return render_template("message_templates/_library.html", offered=offered, **words_context())


def may_submit() -> bool:
    """What is made of the library goes to Meta at once, without an owner who approves it."""
    return TemplateSettings.current().lets_submit(g.membership)


def first_account() -> Waba | None:
    return next(iter(accounts()), None)


def library_templates(waba: Waba, query: str, language: str, most: int) -> list[calls.LibraryTemplate]:
    offered, problem = ask(waba, lambda graph, token: list(islice(calls.library(graph, token, query, language), most)))
    if problem:
        log.info("template library not fetched", meta_code=problem.code)
    return offered or []


@bp.get("/gallery/library/<name>")
@requires("templates.edit")
def library_template(name: str) -> str:
    """One of Meta's own templates, with what has to be filled in before it is created."""
    waba, chosen = chosen_or_404(name)
    return library_page(waba, chosen, free_name(waba.id, chosen.name, chosen.language))


@bp.post("/gallery/library/<name>")
@requires("templates.edit")
def create_from_library(name: str) -> AnyResponse | tuple[str, int]:
    waba, chosen = chosen_or_404(name)
    wanted, inputs = name_from(request.form.get("name", ""))[:512], button_inputs(chosen)
    waba_id, meta_id = waba.id, waba.meta_id
    created, problem = ask(
        waba,
        lambda graph, token: calls.create_from_library(graph, token, meta_id, wanted, chosen, button_inputs=inputs),
    )
    # Also after a lost answer: the list says what became of it.
    TemplateList.of(waba_id).refresh()
    if created is None:
        return library_page(Waba.get_or_404(waba_id), chosen, wanted, problem), 422
    flash(_("Approved.") if created.status == "APPROVED" else _("Submitted. Meta usually decides within minutes."))
    return redirect(url_for(".index", q=wanted), 303)


def chosen_or_404(name: str) -> tuple[Waba, calls.LibraryTemplate]:
    if not may_submit():
        abort(403)
    waba = Waba.find(as_uuid(request.values.get("account"))) or first_account()
    if waba is None:
        abort(404)
    language = request.values.get("language", "")[:20]
    alike = library_templates(waba, name[:LONGEST], language, MOST_SEARCHED)
    chosen = next((one for one in alike if one.name == name), None)
    if chosen is None:
        abort(404)
    return waba, chosen


def library_page(waba: Waba, chosen: calls.LibraryTemplate, name: str, problem: Problem | None = None) -> str:
    return render_template(
        "message_templates/library_template.html",
        chosen=chosen,
        waba=waba,
        accounts=accounts(),
        name=name,
        problem=problem,
        typed=request.form,
        **words_context(),
    )


def button_inputs(chosen: calls.LibraryTemplate) -> list[dict[str, Any]]:
    """What was typed for the buttons that need something."""
    inputs: list[dict[str, Any]] = []
    for index, button in enumerate(chosen.buttons[:MOST_BUTTONS]):
        typed = request.form.get(f"button.{index}", "").strip()[:2_000]
        kind = str(button.get("type")).upper()
        if kind == "URL":
            url: dict[str, str] = {"base_url": typed}
            if "{{" in typed:
                url["url_suffix_example"] = typed.partition("{{")[0] + request.form.get(f"example.{index}", "")[:500]
            inputs.append({"type": "URL", "url": url})
        elif kind == "PHONE_NUMBER":
            inputs.append({"type": "PHONE_NUMBER", "phone_number": typed})
    return inputs


@bp.app_template_filter()
def as_template(one: calls.LibraryTemplate) -> Template:
    """A template of the library in the shape of others, for its preview."""
    components: list[dict[str, Any]] = [{"type": "HEADER", "format": "TEXT", "text": one.header}] if one.header else []
    components.append({"type": "BODY", "text": one.body, "example": {"body_text": [list(one.body_params)]}})
    buttons = [mapping(button) for button in sequence(list(one.buttons))][:MOST_BUTTONS]
    if buttons:
        components.append({"type": "BUTTONS", "buttons": [b for b in buttons if text(b.get("type"))]})
    return Template(one.name, one.language, one.category, "", False, components)
