"""Runs migrations as the schema's owner. One that cannot get its lock in two seconds gives way to traffic."""

import pathlib
import sys
import time

from alembic import context
from flask import current_app
from sqlalchemy import Connection, create_engine, pool, text

sys.path.insert(0, str(pathlib.Path(__file__).parent))

db = current_app.extensions["migrate"].db
url = current_app.extensions["outside"].settings.migrations_database_url


def run() -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("set lock_timeout = '2s'"))
        wait_for_turn(connection)
        context.configure(connection=connection, target_metadata=db.metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()


def wait_for_turn(connection: Connection) -> None:
    """One at a time. Who waits holds no snapshot: an index that is made concurrently would wait for it in turn."""
    while not connection.scalar(text("select pg_try_advisory_lock(7701)")):
        connection.commit()
        time.sleep(0.5)
    connection.commit()


run()
