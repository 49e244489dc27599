"""Runs migrations as the schema's owner. One that cannot get its lock in two seconds gives way to traffic."""

import pathlib
import sys

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, pool, text

sys.path.insert(0, str(pathlib.Path(__file__).parent))

db = current_app.extensions["migrate"].db
url = current_app.extensions["outside"].settings.migrations_database_url


def run() -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("set lock_timeout = '2s'"))
        connection.execute(text("select pg_advisory_lock(7701)"))
        connection.commit()
        context.configure(connection=connection, target_metadata=db.metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()


run()
