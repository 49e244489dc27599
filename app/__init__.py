"""Switchboard: a shared WhatsApp inbox for many businesses."""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
from functools import partial
from typing import Any

from flask import Flask, Response
from werkzeug.middleware.proxy_fix import ProxyFix

from app import cli, errors, logs, realtime, templating
from app.config import Settings
from app.extensions import Outside, babel, csrf, login_manager, migrate, outside
from app.tenancy import db, enqueue, guard, refuse_inside_transaction
from app.webhooks.door import Door
from app.webhooks.intake import GroupCommit

FEATURES = [
    "billing",
    "contacts",
    "inbox",
    "message_templates",
    "notifications",
    "numbers",
    "onboarding",
    "platform",
    "service",
    "team",
    "wabas",
    "webhooks",
]

ENGINE = {"pool_size": 20, "max_overflow": 20, "pool_timeout": 5, "pool_pre_ping": True}


class Switchboard(Flask):
    def handle_user_exception(self, error: Exception) -> Any:
        guard.roll_back()
        return super().handle_user_exception(error)


def create_app(settings: Settings | None = None) -> Flask:
    settings = settings or Settings.from_environment()
    logs.configure(settings.log_level)
    app = Switchboard(__name__, static_folder="../static", static_url_path="/static")
    configure(app, settings)
    connect(app, settings)
    register_blueprints(app)
    load_jobs()
    cli.init_app(app)
    app.after_request(harden)
    return app


def configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=driver(settings.database_url),
        SQLALCHEMY_BINDS={"platform": driver(settings.platform_database_url)},
        SQLALCHEMY_ENGINE_OPTIONS=ENGINE | {"connect_args": {"connect_timeout": 3}},
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
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=0)  # type: ignore[method-assign]
    app.json.sort_keys = False  # type: ignore[attr-defined]


def connect(app: Flask, settings: Settings) -> None:
    app.extensions["outside"] = Outside.connect(settings)
    outside(app).graph.before_call = refuse_inside_transaction
    app.extensions["hub"] = realtime.Hub(outside(app).redis)
    app.extensions["intake"] = intake = GroupCommit(settings.database_url, partial(enqueue_drain, app))
    app.wsgi_app = Door(app.wsgi_app, intake, settings.meta_app_secrets)  # type: ignore[method-assign]
    db.init_app(app)
    migrate.init_app(app, db, directory="migrations")
    babel.init_app(app)
    login_manager.init_app(app)
    csrf.init_app(app)
    guard.init_app(app)
    errors.init_app(app)
    templating.init_app(app, FEATURES)


def enqueue_drain(app: Flask) -> None:
    with app.app_context():
        enqueue("webhooks.drain")


def load_jobs() -> None:
    """Imports every `jobs.py` of a feature or of one of its rooms: only then their names are known."""
    for feature in FEATURES:
        package = importlib.import_module(f"app.{feature}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("jobs"):
                importlib.import_module(module.name)


def register_blueprints(app: Flask) -> None:
    from app.contacts.views import bp as contacts
    from app.health import bp as health
    from app.inbox.contact_views import bp as people
    from app.inbox.story_views import bp as stories
    from app.inbox.views import bp as inbox
    from app.notifications.pwa import bp as pwa
    from app.notifications.views import bp as notifications
    from app.numbers.views import bp as numbers
    from app.onboarding.setup_views import bp as setup
    from app.onboarding.views import bp as onboarding
    from app.platform.views import bp as platform
    from app.service.views import bp as service
    from app.team.views import bp as team
    from app.tenancy.views import bp as tenancy
    from app.wabas.views import bp as wabas
    from app.webhooks.console import bp as posts
    from app.webhooks.held import bp as held
    from app.webhooks.own_posts import bp as own_posts
    from app.webhooks.views import bp as webhooks

    for blueprint in (
        health,
        pwa,
        webhooks,
        tenancy,
        team,
        inbox,
        contacts,
        people,
        wabas,
        numbers,
        service,
        onboarding,
        setup,
        notifications,
        stories,
        platform,
        posts,
        held,
        own_posts,
    ):
        app.register_blueprint(blueprint)


def driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def harden(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(self), microphone=(self)"
    headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
        headers.add("Vary", "HX-Request")
    return response
