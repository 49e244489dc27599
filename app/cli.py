"""Commands for whoever runs Switchboard: `flask --help`."""

from __future__ import annotations

import click
from flask import Flask

from app.bootstrap import bootstrap
from app.extensions import outside


def init_app(app: Flask) -> None:
    @app.cli.command("bootstrap")
    @click.option("--superuser-url", required=True, help="A Postgres superuser's address, used this once.")
    def create_database_and_roles(superuser_url: str) -> None:
        """Create the database and its three roles."""
        bootstrap(superuser_url, outside(app).settings)
        click.echo("The database and its roles are ready. Next: flask db upgrade")
