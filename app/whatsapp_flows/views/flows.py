"""The list of forms, a new one, its editor, and what is done with it at Meta."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.fields import ContactField
from app.meta.flow_json import CATEGORIES, KINDS, MOST_SCREENS, asks_time
from app.tenancy import current_actor, db, exists, in_menu, later, requires
from app.tenancy.guard import is_fragment
from app.wabas.models import Waba
from app.whatsapp_flows import editing, wording
from app.whatsapp_flows.blueprint import bp
from app.whatsapp_flows.forms import LookupForm, NewFlowForm
from app.whatsapp_flows.lookups import SOURCES
from app.whatsapp_flows.models import Busy, FlowList, FlowVersion, NameTaken, WhatsappFlow
from app.whatsapp_flows.responses import FlowResponse
from app.whatsapp_flows.slots import FlowSlot
from app.whatsapp_flows.starters import LANGUAGE_NAMES, LANGUAGES, STARTERS, starter_named
from app.words import N_

PAGE = 100
MOST_TYPED, MOST_CHARACTERS = 6_000, 150_000
ON_ITS_WAY = N_("This version is on its way to Meta. Wait a moment.")
Answer = str | tuple[str, int] | AnyResponse


@bp.get("/")
@in_menu(
    "settings",
    N_("WhatsApp Flows"),
    "clipboard-list",
    order=114,
    group="inbox",
    hint=N_("Forms that customers fill in inside WhatsApp."),
)
@requires("flows.view")
def index() -> str:
    flows = db.session.scalars(WhatsappFlow.listed().options(selectinload(WhatsappFlow.versions)).limit(PAGE)).all()
    page = "_list" if is_fragment() else "index"
    return render_template(
        f"whatsapp_flows/{page}.html",
        flows=flows,
        accounts={waba.id: waba for waba in accounts()},
        lists=db.session.scalars(select(FlowList)).all(),
        counts=counts_of([flow.id for flow in flows]),
        wording=wording,
    )


def counts_of(ids: list[uuid.UUID]) -> dict[uuid.UUID, tuple[int, Any]]:
    """How many responses each form has, and when the last one came."""
    columns = FlowResponse.flow_id, func.count(), func.max(FlowResponse.at)
    query = select(*columns).where(FlowResponse.flow_id.in_(ids)).group_by(FlowResponse.flow_id)
    return {row[0]: (row[1], row[2]) for row in db.session.execute(query) if row[0]} if ids else {}


def accounts() -> list[Waba]:
    """Those that forms can be made in."""
    return [waba for waba in db.session.scalars(Waba.in_order()) if not waba.is_left]


@bp.post("/comparisons")
@requires("flows.view")
def compare() -> AnyResponse:
    for waba in accounts():
        later("flows.fetch", waba.id)
    flash(_("Comparing with Meta. The list updates by itself."))
    return redirect(url_for(".index"), 303)


@bp.get("/new")
@requires("flows.edit")
def new() -> str:
    language = request.args.get("language", "")
    language = language if language in LANGUAGES else readers_language()
    starter = starter_named(request.args.get("starter", ""))
    form = NewFlowForm(accounts(), formdata=None, data={"language": language, "category": "OTHER"})
    if starter:
        form.starter.data, form.name.data, form.category.data = starter.key, starter.title(language), starter.category
    return new_page(form)


def readers_language() -> str:
    spoken = str(get_locale() or "en").partition("_")[0]
    return next((code for code in LANGUAGES if code.partition("_")[0] == spoken), LANGUAGES[0])


def new_page(form: NewFlowForm, problem: str = "") -> str:
    return render_template(
        "whatsapp_flows/new.html",
        form=form,
        problem=problem,
        starters=STARTERS,
        starter=starter_named(form.starter.data or ""),
        language=form.language.data,
        languages=LANGUAGE_NAMES,
        has_accounts=bool(form.waba_id.choices),
        is_chosen="starter" in request.values,
    )


@bp.post("/")
@requires("flows.edit")
def create() -> Answer:
    form = NewFlowForm(accounts())
    if not form.validate():
        return new_page(form), 422
    starter = starter_named(form.starter.data or "")
    screens = starter.screens(form.language.data) if starter else [editing.blank_screen(_("Your details"), _("Send"))]
    try:
        waba_id = uuid.UUID(form.waba_id.data)
        flow = WhatsappFlow.begin(waba_id, form.name.data, [form.category.data], screens, by=current_actor())
    except NameTaken:
        form.name.errors = [_("The account has a form of this name. Choose a different one.")]
        return new_page(form), 422
    return redirect(url_for(".show", flow_id=flow.id), 303)


@bp.get("/<uuid:flow_id>")
@requires("flows.view")
def show(flow_id: uuid.UUID) -> str:
    flow = WhatsappFlow.get_or_404(flow_id)
    if is_fragment():
        return render_template("whatsapp_flows/_state.html", **context_of(flow))
    return render_template("whatsapp_flows/show.html", **context_of(flow))


def context_of(flow: WhatsappFlow, lookup: LookupForm | None = None) -> dict[str, Any]:
    version = flow.newest
    count, last = counts_of([flow.id]).get(flow.id, (0, None))
    return {
        "flow": flow,
        "version": version,
        # What the editor shows: on a page that was overtaken, what was typed there.
        "screens": version.screens,
        "field_map": flow.field_map,
        "is_overtaken": False,
        "problems": wording.problems_by_path(version),
        "kinds": KINDS,
        "addable": wording.kinds_for(version.screens),
        "categories": CATEGORIES,
        "field_names": {str(field.id): field.name for field in ContactField.all()},
        "response_count": count,
        "last_response_at": last,
        "most_screens": MOST_SCREENS,
        "lookup": lookup
        or LookupForm(formdata=None, data={"lookup_url": flow.lookup_url, "lookup_source": flow.lookup_source}),
        "sources": SOURCES.values(),
        "asks_program": any(part["kind"] == "lookup" for screen in version.screens for part in screen["parts"]),
        "lacks_times": asks_time(version.screens) and not exists(select(FlowSlot.id)),
        "wording": wording,
    }


@bp.post("/<uuid:flow_id>/screens")
@requires("flows.edit")
def save(flow_id: uuid.UUID) -> Answer:
    """Every button of the editor saves what was typed, and then does what it says."""
    flow = WhatsappFlow.get_or_404(flow_id).refresh_locked()
    if not flow.is_editable:
        raise NotFound
    typed = dict(list(request.form.items())[:MOST_TYPED])
    if sum(map(len, typed.values())) > MOST_CHARACTERS:
        flash(_("This form is too long for WhatsApp. It was not saved. Remove options or texts."), "error")
        return redirect(url_for(".show", flow_id=flow.id), 303)
    words = {"screen": _("New screen"), "button": _("Continue")}
    command = typed.get("do", "")
    place = command.partition(":")[2]
    screens = editing.screens_in(typed)
    if typed.get("edition", flow.edition) != flow.edition:
        mine = {"screens": screens, "field_map": map_in(typed, screens), "is_overtaken": True, "problems": {}}
        return render_template("whatsapp_flows/show.html", **context_of(flow) | mine), 409
    flow.field_map = map_in(typed, screens)
    screens, anchor = editing.changed(screens, command, typed.get(f"kind-{place}", ""), words)
    try:
        flow.edit(screens, by=current_actor())
    except Busy:
        flash(_(ON_ITS_WAY), "error")
    else:
        if not anchor:
            flash(_("Saved."))
    return redirect(url_for(".show", flow_id=flow.id, _anchor=anchor or "editor"), 303)


def map_in(typed: dict[str, str], screens: list[editing.Screen]) -> dict[str, Any]:
    """Which contact field takes which answer."""
    chosen = {}
    for place, screen in enumerate(screens):
        for index, part in enumerate(screen["parts"]):
            if part["name"]:
                chosen[part["name"]] = typed.get(f"screens-{place}-parts-{index}-field", "")
    return existing(chosen)


def existing(chosen: dict[str, str]) -> dict[str, Any]:
    """By the names of contact fields, which people type or choose."""
    ids = {field.name.casefold(): str(field.id) for field in ContactField.all()}
    named = {name: ids.get(field.strip().casefold()) for name, field in chosen.items()}
    return {name: id for name, id in named.items() if id}


@bp.post("/<uuid:flow_id>/fields")
@requires("flows.edit")
def save_fields(flow_id: uuid.UUID) -> AnyResponse:
    """Of a form that was made elsewhere: its answers by name."""
    flow = WhatsappFlow.get_or_404(flow_id)
    names = [question.name for question in flow.newest.questions]
    flow.field_map = existing({name: request.form.get(f"field-{place}", "") for place, name in enumerate(names)})
    flash(_("Saved."))
    return redirect(url_for(".show", flow_id=flow.id), 303)


@bp.post("/<uuid:flow_id>/lookup")
@requires("flows.edit")
def save_lookup(flow_id: uuid.UUID) -> Answer:
    flow, form = WhatsappFlow.get_or_404(flow_id), LookupForm()
    if not form.validate():
        return render_template("whatsapp_flows/show.html", **context_of(flow, form)), 422
    flow.lookup_source = form.lookup_source.data
    secret = flow.point_at(form.lookup_url.data)
    if secret:
        return render_template("whatsapp_flows/secret.html", flow=flow, secret=secret), 201
    flash(_("Saved."))
    return redirect(url_for(".show", flow_id=flow.id), 303)


@bp.post("/<uuid:flow_id>/versions/<uuid:flow_version_id>/<any(upload, publish, deprecate, delete):task>")
@requires("flows.edit")
def begin_task(flow_id: uuid.UUID, flow_version_id: uuid.UUID, task: str) -> AnyResponse:
    version = version_or_404(flow_id, flow_version_id)
    if not version.takes(task):
        flash(_("Fix what is marked first."), "error")
    else:
        try:
            version.begin_task(task)
        except Busy:
            flash(_(ON_ITS_WAY), "error")
        else:
            later("flows.run", version.id)
    return redirect(url_for(".show", flow_id=flow_id), 303)


@bp.post("/<uuid:flow_id>/archiving")
@requires("flows.edit")
def archive(flow_id: uuid.UUID) -> AnyResponse:
    WhatsappFlow.get_or_404(flow_id).is_archived = True
    flash(_("Removed from the list. Its responses stay."))
    return redirect(url_for(".index"), 303)


def version_or_404(flow_id: uuid.UUID, version_id: uuid.UUID) -> FlowVersion:
    version = FlowVersion.get_or_404(version_id)
    if version.flow_id != flow_id:
        raise NotFound
    return version
