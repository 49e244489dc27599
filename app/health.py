"""Whether this process lives, and whether it can work."""

from __future__ import annotations

import ipaddress

import redis as redis_client
from flask import Blueprint, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from app.extensions import redis
from app.tenancy import db, global_scope, stateless

bp = Blueprint("health", __name__)

# A superuser would see every tenant: one of the two walls would be gone, and nothing would look wrong.
BOUND = "select not (rolsuper or rolbypassrls) from pg_roles where rolname = current_user"


@bp.get("/healthz")
@stateless
def alive() -> AnyResponse:
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
@stateless
def ready() -> AnyResponse:
    """503 without Postgres. Redis away is only slower: nothing is lost without it."""
    try:
        with global_scope():
            bound = db.session.scalar(text(BOUND))
    except SQLAlchemyError:
        return Response("postgres: away\n", status=503, mimetype="text/plain")
    if not bound:
        return Response("postgres: DATABASE_URL's role passes row security\n", status=503, mimetype="text/plain")
    return Response(f"postgres: ok\nredis: {'ok' if redis_answers() else 'away'}\n", mimetype="text/plain")


@bp.get("/metrics")
@stateless
def metrics() -> AnyResponse:
    """For a scraper on this machine; through a proxy it does not exist."""
    if "X-Forwarded-For" in request.headers or not ipaddress.ip_address(request.remote_addr or "::").is_loopback:
        abort(404)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def redis_answers() -> bool:
    try:
        return bool(redis.ping())
    except redis_client.RedisError:
        return False
