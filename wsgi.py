"""The web process: `gunicorn wsgi:app`, or any other WSGI server."""

import click

from app import create_app
from app.garbage import collect_rarely
from app.tenancy.warming import warm_up

app = create_app()
# `flask` commands load this module too, and serve no one.
if click.get_current_context(silent=True) is None:
    warm_up(app)
    collect_rarely()
app.extensions["hub"].close_on_sigterm()
