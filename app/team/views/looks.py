"""Two logs for owners: which people of the platform read this business's messages, and who changed the team."""

from __future__ import annotations

import uuid

from flask import render_template, request

from app.team.blueprint import bp
from app.team.forms import ROLES
from app.team.models import Look, TeamChange
from app.tenancy import Paged, db, requires

PAGE = 50


@bp.get("/t/<tenant_slug>/looks")
@requires("looks.read")
def looks() -> str:
    rows = db.session.scalars(Look.newest_first(request.args.get("before", type=uuid.UUID)).limit(PAGE + 1)).all()
    return render_template("team/looks.html", looks=rows[:PAGE], more=len(rows) > PAGE)


@bp.get("/t/<tenant_slug>/team/changes")
@requires("looks.read")
def changes() -> str:
    return render_template("team/changes.html", page=Paged.of(TeamChange.newest_first(), PAGE), roles=ROLES)
