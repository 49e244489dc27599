"""The automations of a business: the list, one of them, its settings, on and off, order, export and import."""

from __future__ import annotations

import json
import uuid
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from app.automation.blueprint import bp
from app.automation.definitions import Definition
from app.automation.forms import AutomationForm, SettingsForm
from app.automation.maps import Map
from app.automation.models import (
    LONGEST_NAME,
    MOST_AUTOMATIONS,
    Automation,
    AutomationRun,
    AutomationSettings,
    TooManyAutomations,
)
from app.automation.parts import Names
from app.automation.starters import LANGUAGES, STARTERS, nearest, starter
from app.inbox.conversations.number_desks import NumberDesk
from app.tenancy import db, in_menu, requires, takes_files
from app.wabas.models import PhoneNumber
from app.words import N_

Answer = str | tuple[str, int] | AnyResponse
LARGEST_FILE = 300_000


@bp.get("/")
@in_menu(
    "settings",
    N_("Automation"),
    "workflow",
    order=110,
    group="inbox",
    hint=N_("Replies, questions and tasks that run by themselves, and why they did or didn't."),
)
@requires("automation.read")
def index() -> str:
    automations = db.session.scalars(Automation.in_order()).all()
    counts = select(AutomationRun.automation_id, func.count(), func.max(AutomationRun.started_at))
    rows = db.session.execute(counts.group_by(AutomationRun.automation_id))
    runs = {id: (count, last) for id, count, last in rows}
    numbers = db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at, PhoneNumber.id)).all()
    return render_template(
        "automation/index.html",
        automations=automations,
        runs=runs,
        names=Names(),
        most=MOST_AUTOMATIONS,
        numbers=numbers,
        desks={number.id: NumberDesk.of(number.id) for number in numbers},
    )


@bp.get("/starters")
@requires("automation.manage")
def starters() -> str:
    language = chosen_language(request.args.get("language", ""))
    return render_template("automation/starters.html", starters=STARTERS, languages=LANGUAGES, language=language)


def chosen_language(given: str) -> str:
    """Of the texts that a starter brings: the one that was chosen, else the reader's."""
    return given if given in LANGUAGES else nearest(str(get_locale() or "en"))


@bp.post("/")
@requires("automation.manage")
def create() -> Answer:
    """A blank one, or one of the starters."""
    chosen = starter(request.form.get("starter", ""))
    if chosen:
        language = chosen_language(request.form.get("language", ""))
        return add(chosen.title_in(language), chosen.definition(language), **chosen.settings)
    return add(str(_("New automation")), Definition.blank())


def add(name: str, definition: Definition, **settings: object) -> AnyResponse:
    try:
        automation = Automation.create(name, definition, **settings)
    except TooManyAutomations:
        flash(_("You have %(most)d automations already. Delete one first.", most=MOST_AUTOMATIONS), "error")
        return redirect(url_for(".index"), 303)
    return redirect(url_for(".show", automation_id=automation.id), 303)


@bp.get("/<uuid:automation_id>")
@requires("automation.read")
def show(automation_id: uuid.UUID) -> str:
    return editor(Automation.get_or_404(automation_id))


def editor(automation: Automation, form: AutomationForm | None = None, address: str = "") -> str:
    definition, names = automation.definition, Names()
    troubles = definition.troubles(names)
    return render_template(
        "automation/show.html",
        automation=automation,
        definition=definition,
        names=names,
        map=Map.of(definition, names),
        troubles=troubles,
        # Of several at a step, one that has to be changed.
        trouble_of={str(one.step_id): one for one in sorted(troubles, key=lambda one: one.blocks) if one.step_id},
        form=form or AutomationForm(obj=automation),
        address=address,
        is_settings_open=form is not None,
    )


@bp.post("/<uuid:automation_id>")
@requires("automation.manage")
def save(automation_id: uuid.UUID) -> Answer:
    automation, form = Automation.get_or_404(automation_id), AutomationForm()
    if not form.validate():
        return editor(automation, form), 422
    form.fill(automation)
    flash(_("Saved."))
    return redirect(url_for(".show", automation_id=automation.id), 303)


@bp.post("/<uuid:automation_id>/switch")
@requires("automation.manage")
def switch(automation_id: uuid.UUID) -> AnyResponse:
    automation = Automation.get_or_404(automation_id).refresh_locked()
    automation.switch(is_on=request.form.get("is_on") == "1")
    if request.form.get("is_on") == "1" and not automation.is_on:
        flash(_("Publish it first."), "error")
    else:
        flash(_("Switched on.") if automation.is_on else _("Switched off. What runs already goes on."))
    return redirect(url_for(".show", automation_id=automation.id), 303)


@bp.post("/<uuid:automation_id>/moves")
@requires("automation.manage")
def move(automation_id: uuid.UUID) -> AnyResponse:
    Automation.get_or_404(automation_id).move(-1 if request.form.get("to") == "up" else 1)
    return redirect(url_for(".index"), 303)


@bp.post("/<uuid:automation_id>/removal")
@requires("automation.manage")
def remove(automation_id: uuid.UUID) -> AnyResponse:
    Automation.get_or_404(automation_id).refresh_locked().remove()
    flash(_("Automation deleted."))
    return redirect(url_for(".index"), 303)


@bp.post("/<uuid:automation_id>/address")
@requires("automation.manage")
def renew_address(automation_id: uuid.UUID) -> Answer:
    """The only page that ever shows the address by which another program calls it."""
    automation = Automation.get_or_404(automation_id)
    token = automation.open_address()
    return editor(automation, address=url_for("automation_hooks.receive_call", token=token, _external=True)), 201


@bp.get("/<uuid:automation_id>/export")
@requires("automation.manage")
def export(automation_id: uuid.UUID) -> Response:
    automation = Automation.get_or_404(automation_id)
    written = {"name": automation.name, "definition": automation.draft}
    answer = Response(json.dumps(written, indent=2, ensure_ascii=False), mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="automation-{automation.id}.json"'
    return answer


@bp.post("/imports")
@requires("automation.manage")
@takes_files(LARGEST_FILE)
def import_file() -> AnyResponse:
    """An exported file. What it refers to and is not here has to be chosen again."""
    file = request.files.get("file")
    try:
        written: Any = json.loads(file.read(LARGEST_FILE)) if file else None
        name, definition = str(written["name"])[:LONGEST_NAME], Definition.imported(json.dumps(written["definition"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        flash(_("This is not an exported automation."), "error")
        return redirect(url_for(".starters"), 303)
    return add(name or str(_("New automation")), definition)


@bp.get("/settings")
@requires("automation.manage")
def settings() -> str:
    return settings_page(SettingsForm.of(AutomationSettings.current()))


def settings_page(form: SettingsForm, secret: str = "") -> str:
    return render_template("automation/settings.html", form=form, secret=secret)


@bp.post("/settings")
@requires("automation.manage")
def save_settings() -> Answer:
    form = SettingsForm()
    if not form.validate():
        return settings_page(form), 422
    AutomationSettings.stored().hourly_limit = form.hourly_limit.data
    flash(_("Saved."))
    return redirect(url_for(".settings"), 303)


@bp.post("/settings/secret")
@requires("automation.manage")
def renew_secret() -> Answer:
    """Shown once: the program that is called checks with it who calls."""
    secret = AutomationSettings.stored().renew_secret()
    return settings_page(SettingsForm.of(AutomationSettings.current()), secret), 201


@bp.post("/numbers/<uuid:phone_number_id>/pause")
@requires("automation.manage")
def pause_number(phone_number_id: uuid.UUID) -> AnyResponse:
    """Stops all automation of a number."""
    NumberDesk.pause_automation(PhoneNumber.get_or_404(phone_number_id).id)
    flash(_("All automation of this number is stopped."))
    return redirect(back(), 303)


@bp.post("/numbers/<uuid:phone_number_id>/pause/removal")
@requires("automation.manage")
def resume_number(phone_number_id: uuid.UUID) -> AnyResponse:
    NumberDesk.resume_automation(PhoneNumber.get_or_404(phone_number_id).id)
    flash(_("Automation of this number goes on."))
    return redirect(back(), 303)


def back() -> str:
    """To the number's page, where the button was pressed there."""
    number = request.form.get("number", "")
    return url_for("numbers.show", phone_number_id=number) if is_id(number) else url_for(".index")


def is_id(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True
