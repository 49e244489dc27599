"""The access log: which people of the platform read this business's messages."""

from __future__ import annotations

import uuid

from flask import render_template, request

from app.team.blueprint import bp
from app.team.models import Look
from app.tenancy import db, requires

PAGE = 50


@bp.get("/t/<tenant_slug>/looks")
@requires("looks.read")
def looks() -> str:
    rows = db.session.scalars(Look.newest_first(request.args.get("before", type=uuid.UUID)).limit(PAGE + 1)).all()
    return render_template("team/looks.html", looks=rows[:PAGE], more=len(rows) > PAGE)
