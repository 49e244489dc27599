"""The pictures Meta draws of short links, at addresses of its other host that need no token."""

import io

import segno
from flask import Blueprint, Flask, Response, abort, current_app

from simulator import media
from simulator.world import World

FORMATS = {"SVG": "image/svg+xml", "PNG": "image/png"}

pictures = Blueprint("qr_codes", __name__)


def install(app: Flask) -> None:
    app.register_blueprint(pictures)


def address(world: World, code: str, drawn: str) -> str:
    return f"{media.download_host(world)}/qr/{code}.{drawn.lower()}"


@pictures.get("/qr/<code>.<any(svg, png):drawn>")
def picture(code: str, drawn: str) -> Response:
    if World.of(current_app).store.row("select 1 from links where id = ?", code) is None:
        abort(404)
    into = io.BytesIO()
    segno.make(f"https://wa.me/message/{code}", error="q", micro=False).save(into, kind=drawn, scale=10, border=4)
    return Response(into.getvalue(), mimetype=FORMATS[drawn.upper()])
