"""Teams: their members, and how their conversations are assigned."""

from __future__ import annotations

import uuid

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.team.blueprint import bp
from app.team.models import Team
from app.team.models.teams import DISTRIBUTIONS, MOST_AT_ONCE, colleagues
from app.tenancy import Paged, db, exists, in_menu, is_uuid, requires
from app.words import N_

PAGE = 10


@bp.get("/t/<tenant_slug>/team/teams")
@in_menu(
    "settings", N_("Teams"), "users-round", order=175, group="business", hint=N_("Groups with a queue of their own.")
)
@requires("team.manage")
def teams() -> str:
    return page()


def page(problem: str = "", typed: str = "") -> str:
    return render_template(
        "team/teams.html", page=Paged.of(Team.in_order(), PAGE), people=colleagues(), problem=problem, typed=typed
    )


@bp.post("/t/<tenant_slug>/team/teams")
@requires("team.manage")
def add_team() -> AnyResponse | tuple[str, int]:
    return save(Team(distribution="manual", capacity=MOST_AT_ONCE))


@bp.post("/t/<tenant_slug>/team/teams/<uuid:team_id>")
@requires("team.manage")
def change_team(team_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    return save(Team.get_or_404(team_id))


def save(team: Team) -> AnyResponse | tuple[str, int]:
    name = " ".join(request.form.get("name", "").split())
    if not name or len(name) > 40:
        return page(_("Enter a name of at most 40 characters."), name), 422
    if exists(select(Team.id).where(Team.name == name, Team.id != team.id)):
        return page(_("A team with this name already exists."), name), 422
    team.name = name
    if request.form.get("distribution") in DISTRIBUTIONS:
        team.distribution = request.form["distribution"]
    capacity = request.form.get("capacity", "")
    if capacity.isascii() and capacity.isdigit() and 0 < int(capacity) <= 1000:
        team.capacity = int(capacity)
    db.session.add(team)
    db.session.flush()
    team.set_members({uuid.UUID(id) for id in request.form.getlist("member") if is_uuid(id)})
    flash(_("Team “%(name)s” saved.", name=team.name))
    return redirect(url_for("team.teams"), 303)


@bp.post("/t/<tenant_slug>/team/teams/<uuid:team_id>/removal")
@requires("team.manage")
def remove_team(team_id: uuid.UUID) -> AnyResponse:
    """Deletes a team. Its conversations have no team then, and stay assigned to whom they are."""
    team = Team.get_or_404(team_id)
    db.session.delete(team)
    flash(_("Team “%(name)s” deleted.", name=team.name))
    return redirect(url_for("team.teams"), 303)


@bp.post("/t/<tenant_slug>/account/presence")
@requires("account.manage")
def change_presence() -> AnyResponse:
    g.membership.is_away = request.form.get("away") == "1"
    flash(_("You are away.") if g.membership.is_away else _("You are available."))
    return redirect(url_for("team.account"), 303)
