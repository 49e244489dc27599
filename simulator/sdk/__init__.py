"""The JavaScript SDK a page loads to open the signup dialog."""

import json
from pathlib import Path

from flask import Blueprint, Flask, Response, current_app

from simulator.world import World

SCRIPT = (Path(__file__).parent / "sdk.js").read_text()

sdk = Blueprint("sdk", __name__)


def install(app: Flask) -> None:
    app.register_blueprint(sdk)


@sdk.get("/sdk.js")
@sdk.get("/<locale>/sdk.js")
def script(**_: str) -> Response:
    settings = World.of(current_app).settings
    answer = Response(SCRIPT.replace('"@origin@"', json.dumps(settings.public_url)), mimetype="text/javascript")
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
