"""What stands on pages and signs: short links, and the files of the button and the widget."""

from __future__ import annotations

from flask import Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from app.entry_points.blueprint import links
from app.entry_points.links import Visit
from app.entry_points.models import EntryPoint, EntryPointRoute
from app.entry_points.public_files import public_file
from app.tenancy import db, global_scope, stateless, tenant_scope

Page = AnyResponse | tuple[str, int]


@links.get("/<slug>")
@stateless
def follow(slug: str) -> Page:
    """Leads to WhatsApp. Nothing is set in the browser."""
    with global_scope():
        route = db.session.get(EntryPointRoute, slug)
    if route is None:
        abort(404)
    with tenant_scope(route.tenant_id):
        entry_point = EntryPoint.for_visit(route.entry_point_id)
        if entry_point is None:
            abort(404)
        if entry_point.has_ended:
            return render_template("entry_points/ended.html"), 410
        address = Visit.of(entry_point, request).chat_address
    return redirect(address, 302)


@links.get("/files/<name>")
@stateless
def file(name: str) -> Response:
    """For any page on the web. A file never changes: a new version has a new name."""
    public = public_file(name) or abort(404)
    response = Response(public.data, mimetype=public.mimetype)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
