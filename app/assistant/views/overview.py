"""The assistant's first page: what is set up, what is missing, and whether it answers."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import format_currency, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.assistant.access import ModelAccess
from app.assistant.assistant import MODES, Assistant, AssistantVersion, first_setup
from app.assistant.blueprint import bp
from app.assistant.forms import SetupForm
from app.assistant.golden import GoldenRun
from app.assistant.knowledge import KnowledgeSource
from app.assistant.phrases import CLOSED_HAND_OVERS, DISCLOSURES, HAND_OVERS
from app.assistant.turns import JUDGED_BEFORE_AUTOPILOT, AssistantTurn
from app.assistant.unanswered import UnansweredQuestion
from app.assistant.words import MODES as MODE_WORDS
from app.languages import NAMES
from app.templating import named_dollar
from app.tenancy import current_actor, db, exists, in_menu, now, requires
from app.words import N_

Answer = str | tuple[str, int] | AnyResponse


@bp.app_template_filter()
def dollars(amount: float) -> str:
    """An amount in dollars: of less than a cent, four places."""
    return named_dollar(str(format_currency(amount, "USD", format="¤#,##0.00##", currency_digits=False)), "USD")


@bp.get("/")
@in_menu(
    "settings",
    N_("Assistant"),
    "bot",
    order=112,
    group="inbox",
    hint=N_("Answers customers from what you teach it, within limits."),
)
@requires("assistant.manage")
def index() -> str:
    assistant = Assistant.current()
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    return render_template(
        "assistant/index.html",
        assistant=assistant,
        version=assistant and assistant.version,
        draft=assistant and assistant.draft,
        access=ModelAccess.current(),
        has_knowledge=KnowledgeSource.has_some(),
        modes=MODE_WORDS,
        obstacles=obstacles(assistant),
        figures=AssistantTurn.figures(),
        needed=JUDGED_BEFORE_AUTOPILOT,
        spent=AssistantTurn.cost_since(today),
        open_questions=exists(UnansweredQuestion.most_frequent()),
        run=db.session.scalar(GoldenRun.newest_first().limit(1)),
    )


def obstacles(assistant: Assistant | None) -> dict[str, list[str]]:
    """Why each mode cannot be switched on yet, in words; empty where it can."""
    version = assistant.version if assistant else None
    missing = []
    if ModelAccess.current() is None:
        missing.append(_("Connect a model first."))
    if not KnowledgeSource.has_some():
        missing.append(_("Add something to its knowledge first."))
    if version is None:
        missing.append(_("Describe the assistant and publish it first."))
    speaking = list(missing)
    if version and not version.setup.discloses:
        speaking.append(_("Add the disclosure in every language that it answers in. The law requires it."))
    answering = list(speaking)
    _right, judged = AssistantTurn.figures()
    if judged < JUDGED_BEFORE_AUTOPILOT:
        missing_judgements = JUDGED_BEFORE_AUTOPILOT - judged
        answering.append(
            ngettext(
                "Let your team judge %(num)d suggestion first.",
                "Let your team judge %(num)d suggestions first.",
                missing_judgements,
            )
        )
    return {"off": [], "suggests": missing, "approval": speaking, "alone": answering}


@bp.post("/mode")
@requires("assistant.manage")
def switch() -> AnyResponse:
    assistant, mode = Assistant.get_or_make(), request.form.get("mode", "")
    if mode not in MODES:
        flash(_("Choose one of the options."), "error")
    elif problems := obstacles(assistant)[mode]:
        flash(problems[0], "error")
    else:
        assistant.switch(mode)
        flash(_("Saved."))
    return redirect(url_for(".index"), 303)


@bp.get("/setup")
@requires("assistant.manage")
def setup() -> str:
    assistant = Assistant.current()
    draft = assistant.draft if assistant else None
    return setup_page(SetupForm.of(draft.setup if draft else first_setup(g.tenant.name)))


@bp.post("/setup")
@requires("assistant.manage")
def save_setup() -> Answer:
    form = SetupForm()
    form.read_texts(request.form)
    if not form.validate():
        return setup_page(form), 422
    assistant = Assistant.get_or_make()
    version = assistant.save(form.setup, by=current_actor())
    if "publish" in request.form:
        assistant.publish(version)
        flash(_("Version %(number)d is live.", number=version.number))
        return redirect(url_for(".index"), 303)
    flash(_("Saved as version %(number)d. It isn't live yet.", number=version.number))
    return redirect(url_for(".versions"), 303)


def setup_page(form: SetupForm) -> str:
    defaults: dict[str, Any] = {
        "disclosure": DISCLOSURES,
        "hand_over_text": HAND_OVERS,
        "closed_text": CLOSED_HAND_OVERS,
    }
    return render_template("assistant/setup.html", form=form, languages=NAMES, defaults=defaults)


@bp.get("/versions")
@requires("assistant.manage")
def versions() -> str:
    assistant = Assistant.current()
    rows = db.session.scalars(AssistantVersion.newest_first().limit(50)).all()
    return render_template("assistant/versions.html", assistant=assistant, versions=rows)


@bp.post("/versions/<uuid:assistant_version_id>/publishing")
@requires("assistant.manage")
def publish(assistant_version_id: uuid.UUID) -> AnyResponse:
    """Makes a version live: the draft, or an earlier one to go back."""
    version = AssistantVersion.get_or_404(assistant_version_id)
    Assistant.get_or_make().publish(version)
    flash(_("Version %(number)d is live.", number=version.number))
    return redirect(url_for(".index"), 303)
