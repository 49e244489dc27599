"""The catalogue of events: a page, and the same for programs."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, abort, jsonify, render_template

from app.hooks.blueprint import bp
from app.hooks.event_types import event_types, grouped
from app.hooks.events import schema_of
from app.hooks.samples import sample_of
from app.tenancy import requires


@bp.get("/events")
@requires("webhooks.manage")
def list_event_types() -> str:
    return render_template("hooks/event_types.html", groups=grouped())


@bp.get("/events/<type>")
@requires("webhooks.manage")
def show_event_type(type: str) -> str:
    kind = event_types().get(type)
    if kind is None:
        abort(404)
    return render_template(
        "hooks/event_type.html", type=kind, schema=written(schema_of(type)), sample=written(sample_of(type))
    )


@bp.get("/events.json")
@requires("webhooks.manage")
def event_catalogue() -> Response:
    types = [
        {"type": name, "description": kind.words, "schema": schema_of(name)} for name, kind in event_types().items()
    ]
    return jsonify(types)


def written(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
