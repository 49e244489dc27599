"""Editing a draft part by part: the trigger, conditions, steps; and publishing it."""

from __future__ import annotations

import difflib
import uuid
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.automation.blueprint import bp
from app.automation.conditions import Group
from app.automation.definitions import (
    Definition,
    with_changed_step,
    with_moved_step,
    with_step,
    without_step,
)
from app.automation.forms import PartForm
from app.automation.models import Automation, AutomationVersion
from app.automation.parts import Condition, Names, Part, Step, Trigger, UnknownKind
from app.automation.steps import Branch
from app.languages import OWN_NAMES
from app.templating import colon
from app.tenancy import current_actor, db, requires
from app.wordings import WordingsForm

Answer = str | tuple[str, int] | AnyResponse


def opened(automation_id: uuid.UUID) -> Automation:
    """The automation, locked: two people who edit it at once change one part after the other."""
    return Automation.get_or_404(automation_id).refresh_locked()


def overtaken(present: Part, form: PartForm) -> bool:
    """Whether somebody else saved the part since the form was opened. The form then says what it is now."""
    if request.form.get("edition", present.edition) == present.edition:
        return False
    form.problem = str(
        _(
            "Somebody else changed this while you were editing, so yours isn't saved. It is now: “%(words)s”. Save "
            "again to replace it with yours.",
            words=present.sentence(Names()),
        )
    )
    return True


def kinds(base: type[Part]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The kinds of parts under their headings."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for kind, part in base.registry.items():
        groups.setdefault(str(_(part.group)) if part.group else "", []).append((kind, str(_(part.title))))
    return list(groups.items())


def kind_or_404(base: type[Any], kind: str) -> type[Any]:
    try:
        return base.of_kind(kind)  # type: ignore[no-any-return]
    except UnknownKind:
        abort(404)


def part_page(
    automation: Automation, form: PartForm, action: str, title: str, status: int = 200, **more: Any
) -> Answer:
    hidden = more.pop("hidden", {})
    page = render_template(
        "automation/part.html", automation=automation, form=form, action=action, title=title, hidden=hidden, **more
    )
    return (page, status) if status != 200 else page


def choose_page(automation: Automation, base: type[Part], title: str, endpoint: str, **more: Any) -> str:
    """Which kind to add. Each is a link to its form."""
    groups = [
        (
            heading,
            [(url_for(endpoint, automation_id=automation.id, kind=kind, **more), words) for kind, words in listed],
        )
        for heading, listed in kinds(base)
    ]
    return render_template("automation/choose.html", automation=automation, groups=groups, title=title)


def edited(automation: Automation, definition: Definition, anchor: str = "") -> AnyResponse:
    automation.edit(definition)
    return redirect(url_for(".show", automation_id=automation.id, _anchor=anchor or None), 303)


@bp.get("/<uuid:automation_id>/trigger")
@requires("automation.manage")
def trigger(automation_id: uuid.UUID) -> Answer:
    automation = Automation.get_or_404(automation_id)
    now, kind = automation.definition.trigger, request.args.get("kind", "")
    if not kind:
        return choose_page(automation, Trigger, str(_("What does it begin with?")), ".trigger")
    chosen = kind_or_404(Trigger, kind)
    form = PartForm.of(now, Names()) if type(now) is chosen else PartForm(chosen, Names())
    action, title = url_for(".save_trigger", automation_id=automation.id), str(_("Trigger"))
    return part_page(automation, form, action, title if form.inputs else form.title, hidden={"edition": now.edition})


@bp.post("/<uuid:automation_id>/trigger")
@requires("automation.manage")
def save_trigger(automation_id: uuid.UUID) -> Answer:
    automation = opened(automation_id)
    now = automation.definition.trigger
    form, hidden = PartForm(kind_or_404(Trigger, request.form.get("kind", "")), Names()), {"edition": now.edition}
    if (part := form.read(request.form)) is None:
        return part_page(automation, form, request.path, str(_("Trigger")), 422, hidden=hidden)
    if overtaken(now, form):
        return part_page(automation, form, request.path, str(_("Trigger")), 409, hidden=hidden)
    return edited(automation, automation.definition.model_copy(update={"trigger": part}), "trigger")


@bp.get("/<uuid:automation_id>/steps/new")
@requires("automation.manage")
def new_step(automation_id: uuid.UUID) -> Answer:
    automation = Automation.get_or_404(automation_id)
    where = {name: request.args[name] for name in ("parent", "block", "place") if name in request.args}
    if not (kind := request.args.get("kind", "")):
        return choose_page(automation, Step, str(_("Add a step")), ".new_step", **where)
    form = PartForm(kind_or_404(Step, kind), Names())
    return part_page(
        automation, form, url_for(".add_step", automation_id=automation.id), str(_("Add a step")), hidden=where
    )


@bp.post("/<uuid:automation_id>/steps")
@requires("automation.manage")
def add_step(automation_id: uuid.UUID) -> Answer:
    automation, given = opened(automation_id), request.form
    form = PartForm(kind_or_404(Step, given.get("kind", "")), Names())
    where = {name: given.get(name, "") for name in ("parent", "block", "place")}
    if WordingsForm.is_shown_again(given):
        form.show(given)
        return part_page(automation, form, request.path, str(_("Add a step")), hidden=where)
    step = form.read(given)
    if step is None:
        return part_page(automation, form, request.path, str(_("Add a step")), 422, hidden=where)
    place = int(where["place"]) if where["place"].isdecimal() and len(where["place"]) < 4 else None
    try:
        changed = with_step(automation.definition, step, where["parent"], where["block"], place)
    except ValueError:
        flash(_("This automation has as many steps as it may have, or they are nested too deeply."), "error")
        return redirect(url_for(".show", automation_id=automation.id), 303)
    return edited(automation, changed, f"step-{step.id}")


def step_or_404(automation: Automation, step_id: uuid.UUID) -> Step:
    if (placed := automation.definition.find(step_id)) is None:
        abort(404)
    return placed.step


@bp.get("/<uuid:automation_id>/steps/<uuid:step_id>")
@requires("automation.manage")
def edit_step(automation_id: uuid.UUID, step_id: uuid.UUID) -> Answer:
    automation = Automation.get_or_404(automation_id)
    step = step_or_404(automation, step_id)
    form, hidden = PartForm.of(step, Names()), {"edition": step.edition}
    troubles = [one for one in automation.definition.troubles(form.names) if one.step_id == step.id]
    return part_page(automation, form, request.path, str(_("Edit the step")), hidden=hidden, troubles=troubles)


@bp.post("/<uuid:automation_id>/steps/<uuid:step_id>")
@requires("automation.manage")
def save_step(automation_id: uuid.UUID, step_id: uuid.UUID) -> Answer:
    automation = opened(automation_id)
    if automation.definition.find(step_id) is None:
        flash(_("Somebody else removed this step while you were editing it."), "error")
        return redirect(url_for(".show", automation_id=automation.id), 303)
    step = step_or_404(automation, step_id)
    form, hidden = PartForm(type(step), Names()), {"edition": step.edition}
    if WordingsForm.is_shown_again(request.form):
        form.show(request.form)
        hidden["edition"] = request.form.get("edition", step.edition)
        return part_page(automation, form, request.path, str(_("Edit the step")), hidden=hidden)
    changed = form.read(request.form, id=step.id)
    if changed is None:
        return part_page(automation, form, request.path, str(_("Edit the step")), 422, hidden=hidden)
    if overtaken(step, form):
        return part_page(automation, form, request.path, str(_("Edit the step")), 409, hidden=hidden)
    return edited(automation, with_changed_step(automation.definition, changed), f"step-{step.id}")


@bp.post("/<uuid:automation_id>/steps/<uuid:step_id>/removal")
@requires("automation.manage")
def remove_step(automation_id: uuid.UUID, step_id: uuid.UUID) -> AnyResponse:
    """With everything inside it."""
    automation = opened(automation_id)
    return edited(automation, without_step(automation.definition, step_or_404(automation, step_id).id), "steps")


@bp.post("/<uuid:automation_id>/steps/<uuid:step_id>/moves")
@requires("automation.manage")
def move_step(automation_id: uuid.UUID, step_id: uuid.UUID) -> AnyResponse:
    automation = opened(automation_id)
    by = -1 if request.form.get("to") == "up" else 1
    return edited(automation, with_moved_step(automation.definition, step_id, by), f"step-{step_id}")


def group_of(definition: Definition, of: str) -> Group:
    """The conditions of the automation itself, or of one of its branches."""
    if not of:
        return definition.conditions
    placed = definition.find(of)
    if placed is None or not isinstance(placed.step, Branch):
        abort(404)
    return placed.step.conditions


def with_conditions(definition: Definition, of: str, group: Group) -> Definition:
    if not of:
        return Definition.read(definition.as_json() | {"conditions": group.as_json()})
    placed = definition.find(of)
    assert placed
    return with_changed_step(definition, placed.step.model_copy(update={"conditions": group}))


def changed_group(group: Group, path: str, change: Any) -> Group:
    """The group with the JSON of one of its groups changed. Raises `ValueError`."""
    value = group.as_json()
    inner = value
    for part in filter(None, path.split(".")):
        if not part.isdecimal() or int(part) >= len(inner.get("items", ())):
            abort(404)
        inner = inner["items"][int(part)]
    change(inner)
    return Group.model_validate(value)


@bp.get("/<uuid:automation_id>/conditions/new")
@requires("automation.manage")
def new_condition(automation_id: uuid.UUID) -> Answer:
    automation = Automation.get_or_404(automation_id)
    where = {name: request.args.get(name, "") for name in ("of", "path")}
    group_of(automation.definition, where["of"])
    if not (kind := request.args.get("kind", "")):
        return choose_page(automation, Condition, str(_("Add a condition")), ".new_condition", **where)
    form = PartForm(kind_or_404(Condition, kind), Names())
    action = url_for(".add_condition", automation_id=automation.id)
    return part_page(automation, form, action, str(_("Add a condition")), hidden=where)


@bp.post("/<uuid:automation_id>/conditions")
@requires("automation.manage")
def add_condition(automation_id: uuid.UUID) -> Answer:
    automation, given = opened(automation_id), request.form
    of, path = given.get("of", ""), given.get("path", "")
    group = group_of(automation.definition, of)
    form = PartForm(kind_or_404(Condition, given.get("kind", "")), Names())
    condition = form.read(given)
    if condition is None:
        hidden = {"of": of, "path": path}
        return part_page(automation, form, request.path, str(_("Add a condition")), 422, hidden=hidden)
    try:
        changed = changed_group(group, path, lambda inner: inner["items"].append(condition.as_json()))
        definition = with_conditions(automation.definition, of, changed)
    except (ValueError, KeyError):
        flash(_("These are as many conditions as there may be, or they are nested too deeply."), "error")
        return redirect(url_for(".show", automation_id=automation.id), 303)
    return edited(automation, definition, f"step-{of}" if of else "conditions")


@bp.get("/<uuid:automation_id>/conditions/edit")
@requires("automation.manage")
def edit_condition(automation_id: uuid.UUID) -> Answer:
    automation = Automation.get_or_404(automation_id)
    of, path = request.args.get("of", ""), request.args.get("path", "")
    condition = group_of(automation.definition, of).at(path)
    if condition is None:
        abort(404)
    action = url_for(".save_condition", automation_id=automation.id)
    form, hidden = PartForm.of(condition, Names()), {"of": of, "path": path, "edition": condition.edition}
    return part_page(automation, form, action, str(_("Edit the condition")), hidden=hidden)


@bp.post("/<uuid:automation_id>/conditions/edit")
@requires("automation.manage")
def save_condition(automation_id: uuid.UUID) -> Answer:
    automation, given = opened(automation_id), request.form
    of, path = given.get("of", ""), given.get("path", "")
    group = group_of(automation.definition, of)
    present = group.at(path)
    if present is None:
        abort(404)
    form = PartForm(type(present), Names())
    more = {"items": present.items} if isinstance(present, Group) else {}
    condition, hidden = form.read(given, **more), {"of": of, "path": path, "edition": present.edition}
    if condition is None:
        return part_page(automation, form, request.path, str(_("Edit the condition")), 422, hidden=hidden)
    if overtaken(present, form):
        return part_page(automation, form, request.path, str(_("Edit the condition")), 409, hidden=hidden)
    changed = changed_group(group, path, lambda inner: (inner.clear(), inner.update(condition.as_json())))
    return edited(automation, with_conditions(automation.definition, of, changed), f"step-{of}" if of else "conditions")


@bp.post("/<uuid:automation_id>/conditions/removal")
@requires("automation.manage")
def remove_condition(automation_id: uuid.UUID) -> AnyResponse:
    automation, given = opened(automation_id), request.form
    of, path = given.get("of", ""), given.get("path", "")
    group = group_of(automation.definition, of)
    if not path or group.at(path) is None:
        abort(404)
    outer, _dot, last = path.rpartition(".")
    changed = changed_group(group, outer, lambda inner: inner["items"].pop(int(last)))
    return edited(automation, with_conditions(automation.definition, of, changed), f"step-{of}" if of else "conditions")


@bp.get("/<uuid:automation_id>/versions")
@requires("automation.read")
def versions(automation_id: uuid.UUID) -> str:
    automation = Automation.get_or_404(automation_id)
    rows = db.session.scalars(automation.versions.limit(100)).all()
    return render_template("automation/versions.html", automation=automation, versions=rows)


@bp.post("/<uuid:automation_id>/versions")
@requires("automation.manage")
def publish(automation_id: uuid.UUID) -> AnyResponse:
    """Makes the draft what runs, and switches it on if that was asked for."""
    automation = opened(automation_id)
    if problem := obstacle(automation):
        flash(_("Not published. %(problem)s", problem=problem), "error")
        return redirect(url_for(".show", automation_id=automation.id), 303)
    if automation.has_changes:
        automation.publish(by=current_actor())
    if request.form.get("is_on") == "1":
        automation.switch(is_on=True)
    flash(_("Published and switched on.") if automation.is_on else _("Published. It is still off: switch it on."))
    return redirect(url_for(".show", automation_id=automation.id), 303)


def obstacle(automation: Automation) -> str:
    """Why the draft can't be published, in words; "" where it can."""
    return next((one.words for one in automation.definition.troubles(Names()) if one.blocks), "")


def version_or_404(automation: Automation, version_id: uuid.UUID) -> AutomationVersion:
    version = AutomationVersion.get_or_404(version_id)
    if version.automation_id != automation.id:
        abort(404)
    return version


@bp.get("/<uuid:automation_id>/versions/<uuid:version_id>")
@requires("automation.read")
def compare(automation_id: uuid.UUID, version_id: uuid.UUID) -> str:
    """A version beside the draft, sentence by sentence."""
    automation = Automation.get_or_404(automation_id)
    version, names = version_or_404(automation, version_id), Names()
    then, draft = aloud(version.definition, names), aloud(automation.definition, names)
    return render_template(
        "automation/version.html", automation=automation, version=version, lines=differences(then, draft)
    )


@bp.post("/<uuid:automation_id>/versions/<uuid:version_id>/restoring")
@requires("automation.manage")
def restore(automation_id: uuid.UUID, version_id: uuid.UUID) -> AnyResponse:
    """Brings an earlier version back: as the draft, and published at once where it still can be."""
    automation = opened(automation_id)
    automation.edit(version_or_404(automation, version_id).definition)
    if problem := obstacle(automation):
        flash(_("The earlier version is the draft again, not published. %(problem)s", problem=problem), "error")
    else:
        automation.publish(by=current_actor())
        flash(_("The earlier version is published again."))
    return redirect(url_for(".show", automation_id=automation.id), 303)


def aloud(definition: Definition, names: Names) -> list[str]:
    """The whole automation as sentences, indented."""
    lines = [definition.trigger.sentence(names)]
    if definition.conditions.items:
        listed = [*definition.conditions.walk()]
        lines.append(str(_("Go on %(if_so)s", if_so=definition.conditions.aloud(names))))
        lines += [f"    {one.sentence(names)}" for one in listed if len(listed) > 1]
    for placed in definition.walk():
        label = f"{colon(_(placed.parent.blocks[placed.block]))} " if placed.parent else ""
        indent = "    " * placed.depth
        lines.append(f"{indent}{label}{placed.step.sentence(names)}")
        for code in placed.step.wordings:
            worded = placed.step.in_language(code)
            lines.append(f"{indent}    {OWN_NAMES[code]}: {worded.sentence(names)}")
    return lines


def differences(before: list[str], after: list[str]) -> list[tuple[str, str]]:
    """Each line with “-” (only before), “+” (only after) or “ ” (both)."""
    return [(line[0], line[2:]) for line in difflib.ndiff(before, after) if line[0] in " +-"]
