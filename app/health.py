"""Health checks and metrics."""

from __future__ import annotations

import ipaddress

import redis as redis_client
from flask import Blueprint, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from app.extensions import redis
from app.inbox.conversations import Message
from app.tenancy import Tenant, db, global_scope, now, platform_scope, stateless
from app.tenancy.queue import last_runs
from app.webhook_events.models import HeldChange, WebhookEvent

bp = Blueprint("health", __name__)

# A superuser would see every tenant: one of the two walls would be gone, and nothing would look wrong.
BOUND = text("select not (rolsuper or rolbypassrls) from pg_roles where rolname = current_user")


@bp.get("/healthz")
@stateless
def alive() -> AnyResponse:
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
@stateless
def ready() -> AnyResponse:
    """503 without Postgres. Without Redis everything still works, more slowly."""
    try:
        with global_scope():
            bound = db.session.scalar(BOUND)
    except SQLAlchemyError:
        return Response("postgres: unavailable\n", status=503, mimetype="text/plain")
    if not bound:
        return Response("postgres: DATABASE_URL's role passes row security\n", status=503, mimetype="text/plain")
    return Response(f"postgres: ok\nredis: {'ok' if redis_answers() else 'unavailable'}\n", mimetype="text/plain")


@bp.get("/metrics")
@stateless
def metrics() -> AnyResponse:
    """How much waits, how old the oldest is, and how the sweeps went, for a scraper on this machine only."""
    if "X-Forwarded-For" in request.headers or not ipaddress.ip_address(request.remote_addr or "::").is_loopback:
        abort(404)
    registry = CollectorRegistry()
    measure_backlogs(registry)
    measure_sweeps(registry)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def measure_backlogs(registry: CollectorRegistry) -> None:
    waiting = Gauge("switchboard_webhooks_waiting", "Webhooks that wait to be processed", registry=registry)
    oldest = Gauge("switchboard_webhooks_oldest_seconds", "Age of the oldest of them", registry=registry)
    held = Gauge("switchboard_changes_held", "Changes that could not be processed", ["kind"], registry=registry)
    outbox = Gauge("switchboard_outbox_messages", "Messages on their way out", ["lane", "state"], registry=registry)
    with platform_scope("metrics"):
        number, since = db.session.execute(WebhookEvent.backlog()).one()
        waiting.set(number)
        oldest.set((now() - since).total_seconds() if since else 0)
        for kind, number in db.session.execute(HeldChange.counts()):
            held.labels(kind).set(number)
        for lane, state, number in db.session.execute(OUTBOX):
            outbox.labels(lane, state).set(number)


# On their way, or without an answer from Meta: the partial indexes of the outbox hold no others.
OUTBOX = (
    select(Message.lane, Message.state, func.count())
    .where(Message.state.in_(("queued", "dispatching", "unknown")), Message.direction == "outbound")
    .where(Message.tenant_id.not_in(Tenant.sandboxes()))
    .group_by(Message.lane, Message.state)
)


def measure_sweeps(registry: CollectorRegistry) -> None:
    """From the last runs in Redis; omitted while Redis is down."""
    seconds = Gauge("switchboard_sweep_seconds", "How long a sweep last took", ["sweep"], registry=registry)
    at = Gauge("switchboard_sweep_timestamp_seconds", "When a sweep last ran", ["sweep"], registry=registry)
    failed = Gauge("switchboard_sweep_failed", "Whether a sweep last failed", ["sweep"], registry=registry)
    for name, run in last_runs().items():
        seconds.labels(name).set(run.seconds)
        at.labels(name).set(run.at)
        failed.labels(name).set(run.failed)


def redis_answers() -> bool:
    try:
        return bool(redis.ping())
    except redis_client.RedisError:
        return False
