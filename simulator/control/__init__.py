"""The control panel: everything this Meta knows, and the levers to make it misbehave."""

from flask import Flask

from simulator.control import api, levers, pages


def install(app: Flask) -> None:
    app.register_blueprint(api.api)
    app.register_blueprint(levers.levers)
    app.register_blueprint(pages.pages)
