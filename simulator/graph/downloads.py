"""The host for file downloads: an address works for five minutes and needs the token."""

from flask import Blueprint, Response, abort, current_app, request, send_file

from simulator import faults
from simulator.errors import GraphError
from simulator.graph import access
from simulator.media import Media
from simulator.tokens import Token
from simulator.world import World

downloads = Blueprint("downloads", __name__)


@downloads.get("/whatsapp_business/attachments/")
def download() -> Response:
    world = World.of(current_app)
    return faults.around(world, "download", lambda: _file(world))


def _file(world: World) -> Response:
    token = _bearer(world)
    media = Media.find(world, request.args.get("mid"))
    if media is None or not media.is_opened_by(request.args.get("ext", ""), request.args.get("hash", "")):
        abort(Response("", 404))
    if not access.sees(token, media):
        abort(Response("", 404))
    return send_file(
        media.path.absolute(), media.mime_type, as_attachment=True, download_name=media.filename or media.id
    )


def _bearer(world: World) -> Token:
    """Accepts only the header, and answers every wrong token with a plain 401."""
    if "access_token" in request.args or "Authorization" not in request.headers:
        abort(Response("", 401))
    try:
        return access.require_token(world)
    except GraphError:
        abort(Response("", 401))
