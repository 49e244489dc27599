"""Switchboard: a shared WhatsApp inbox for many businesses."""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from flask import Blueprint, Flask, Response
from werkzeug.middleware.proxy_fix import ProxyFix

from app import cli, errors, garbage, health, logs, realtime, templating
from app.bodies import Bodies, Budget
from app.config import Settings
from app.extensions import Outside, babel, csrf, login_manager, migrate, outside
from app.headers import DEFAULTS, FIXED
from app.parameters import ExternalId, Json, Request, RowNumber
from app.tenancy import db, driver, guard, refuse_inside_transaction
from app.tenancy.connections import engine_options
from app.webhooks.door import Door
from app.webhooks.intake import GroupCommit

FEATURES = [
    "tenancy",
    "api",
    "team",
    "wabas",
    "contacts",
    "webhook_events",
    "message_templates",
    "billing",
    "sandboxes",
    "entry_points",
    "hours",
    "inbox",
    "whatsapp_flows",
    "assistant",
    "notifications",
    "records",
    "appointments",
    "listings",
    "payments",
    "subscriptions",
    "crm",
    "stories",
    "people",
    "onboarding",
    "numbers",
    "automation",
    "analytics",
    "costs",
    "hooks",
    "closing",
    "welcome",
    "push",
    "front",
    "help",
    "developers",
    "platform",
    "mcp",
    "webhooks",
]
# The modules that register what a feature, or one of its rooms, has: routes, jobs, subscribers, menu entries.
ENTRANCES = ("blueprint", "jobs", "subscribers", "views", "api")

# Bytes of forms that one process holds while they are received.
BODIES = 128 * 1024 * 1024


class Switchboard(Flask):
    request_class = Request
    json_provider_class = Json

    def handle_user_exception(self, error: Exception) -> Any:
        guard.roll_back()
        return super().handle_user_exception(error)


def create_app(settings: Settings | None = None, *, has_pages: bool = True) -> Flask:
    """The app with all features; without any for a process that serves no pages and runs no jobs."""
    settings = settings or Settings.from_environment()
    logs.configure(settings.log_level)
    app = Switchboard(__name__, static_folder="../static", static_url_path="/static")
    app.url_map.converters |= {"int": RowNumber, "external": ExternalId}
    load_config(app, settings)
    # Flask calls first what was registered last: this sees the response that a failed commit is answered with.
    app.after_request(harden)
    init_extensions(app, settings)
    if has_pages:
        with garbage.paused():
            register_blueprints(app)
        cli.init_app(app)
    return app


def load_config(app: Flask, settings: Settings) -> None:
    engine = engine_options(settings)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=driver(settings.database_url),
        SQLALCHEMY_BINDS={"platform": {"url": driver(settings.platform_database_url), **engine}},
        SQLALCHEMY_ENGINE_OPTIONS=engine,
        SESSION_COOKIE_NAME="__Host-session" if settings.is_https else "session",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # Longer than any session: its row in `user_sessions` says when it ends.
        PERMANENT_SESSION_LIFETIME=dt.timedelta(days=90),
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=1_000_000,
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=settings.is_https,
        BABEL_DEFAULT_TIMEZONE="UTC",
    )
    if count := settings.proxy_count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]


def init_extensions(app: Flask, settings: Settings) -> None:
    app.extensions["outside"] = Outside.connect(settings)
    here = outside(app)
    for called in (here.graph, here.storage, here.egress, here.mailer):
        called.before_call = refuse_inside_transaction
    app.extensions["hub"] = realtime.Hub(outside(app).redis)
    intake = GroupCommit(app, settings.database_url, is_pooled=settings.database_pooled)
    app.extensions["intake"] = intake
    app.wsgi_app = Bodies(app.wsgi_app, Budget(BODIES))  # type: ignore[method-assign]
    app.wsgi_app = Door(app.wsgi_app, intake, settings.meta_app_secrets)  # type: ignore[method-assign]
    db.init_app(app)
    migrate.init_app(app, db, directory="migrations")
    babel.init_app(app, locale_selector=templating.choose_language)
    login_manager.init_app(app)
    csrf.init_app(app)
    guard.init_app(app)
    errors.init_app(app)
    templating.init_app(app, FEATURES)


def load_features() -> Iterator[ModuleType]:
    """Imports the entrances of every feature; yields the modules that define blueprints."""
    for feature in FEATURES:
        package = importlib.import_module(f"app.{feature}")
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if set(ENTRANCES) & set(info.name.split(".")):
                module = importlib.import_module(info.name)
                if info.name.endswith(".blueprint"):
                    yield module


def register_blueprints(app: Flask) -> None:
    # Views add their routes to the blueprints, so all are imported before the first is registered.
    for module in [health, *load_features()]:
        for blueprint in vars(module).values():
            if isinstance(blueprint, Blueprint):
                app.register_blueprint(blueprint)


def harden(response: Response) -> Response:
    headers = response.headers
    given = {name.lower() for name, _ in headers}
    # Looked up once: `setdefault` and `update` look through all of them for each.
    for name, value in DEFAULTS.items():
        if name.lower() not in given:
            headers.add(name, value)
    for name, value in FIXED.items():
        if name.lower() in given:
            headers.remove(name)
        headers.add(name, value)
    if "cache-control" not in given:
        headers["Cache-Control"] = "no-store"
        headers.add("Vary", "HX-Request")
    return response
