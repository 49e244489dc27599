"""The signup dialog: the popup in which a client shares a WhatsApp account with the partner."""

from flask import Flask

from simulator.dialog.views import dialog


def install(app: Flask) -> None:
    app.register_blueprint(dialog)
