"""QR codes and profile photos, on Meta's other host, at addresses that need no token."""

import io

import segno
from flask import Blueprint, Flask, Response, abort, current_app

from simulator import media
from simulator.world import World

FORMATS = {"SVG": "image/svg+xml", "PNG": "image/png"}

pictures = Blueprint("pictures", __name__)


def install(app: Flask) -> None:
    """Adds the addresses of pictures to the app."""
    app.register_blueprint(pictures)


def qr_code(world: World, code: str, drawn: str) -> str:
    """The address of a link's QR code."""
    return f"{media.download_host(world)}/qr/{code}.{drawn.lower()}"


def profile_picture(world: World, upload_id: str) -> str:
    """The address of a profile photo."""
    return f"{media.download_host(world)}/photos/{upload_id.removeprefix('upload:')}"


@pictures.get("/photos/<name>")
def photo(name: str) -> Response:
    """Serves a profile photo."""
    row = World.of(current_app).store.row("select * from uploads where id = ?", f"upload:{name}")
    if row is None or row["content"] is None:
        abort(404)
    return Response(row["content"], mimetype=row["file_type"])


@pictures.get("/qr/<code>.<any(svg, png):drawn>")
def draw(code: str, drawn: str) -> Response:
    """Draws the QR code of a short link."""
    if World.of(current_app).store.row("select 1 from links where id = ?", code) is None:
        abort(404)
    into = io.BytesIO()
    segno.make(f"https://wa.me/message/{code}", error="q", micro=False).save(into, kind=drawn, scale=10, border=4)
    return Response(into.getvalue(), mimetype=FORMATS[drawn.upper()])
