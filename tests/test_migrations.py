from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import create_engine

from app.config import Settings
from app.tenancy import Base, driver


def test_the_migrations_make_what_the_models_say(app: Flask, settings: Settings) -> None:
    engine = create_engine(driver(settings.migrations_database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()
