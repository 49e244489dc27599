"""What pages and signs lead to: short links, and the files of the button and the widget."""

from __future__ import annotations

from flask import Response, abort, redirect, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from app.entry_points.blueprint import links
from app.entry_points.links import Route, Visit
from app.entry_points.models import EntryPoint, EntryPointRoute
from app.entry_points.public_files import public_file
from app.tenancy import db, global_scope, stateless, tenant_scope

Page = AnyResponse | tuple[str, int]


@links.get("/<slug>")
@stateless
def follow(slug: str) -> Page:
    """Leads to WhatsApp. Nothing is set in the browser."""
    if route := Route.remembered(slug):
        try:
            return lead_on(route)
        except NotFound:
            # It leads elsewhere since, or nowhere.
            Route.forget(slug)
    with global_scope():
        row = db.session.get(EntryPointRoute, slug)
    if row is None:
        abort(404)
    page = lead_on(route := Route(row.tenant_id, row.entry_point_id))
    route.remember(slug)
    return page


def lead_on(route: Route) -> Page:
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
