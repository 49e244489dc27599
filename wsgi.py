"""The web process: `gunicorn wsgi:app`, or any other WSGI server."""

from app import create_app

app = create_app()
app.extensions["hub"].close_on_sigterm()
