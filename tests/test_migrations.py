from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import create_engine, text

from app.config import Settings
from app.tenancy import Base, driver

OF_EXTENSIONS = "select c.relname from pg_class c join pg_depend d on d.objid = c.oid where d.deptype = 'e'"


def test_the_migrations_make_what_the_models_say(app: Flask, settings: Settings) -> None:
    engine = create_engine(driver(settings.migrations_database_url))
    with engine.connect() as connection:
        theirs = {name for (name,) in connection.execute(text(OF_EXTENSIONS))}
        options = {"compare_type": True, "include_name": lambda name, kind, _: kind != "table" or name not in theirs}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()
