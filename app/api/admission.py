"""Who calls: the key of a request, its tenant's scope, and whether it may come in now."""

from __future__ import annotations

import uuid

from flask import g, request
from sqlalchemy import select

from app.tenancy import Tenant, commit, db, global_scope, now, sandbox_id, tenant_scope
from app.tenancy.guard import enter, leave
from app.tenancy.queue import JOBS

from .keys import ApiKey, ApiKeyRoute, hash_of, kind_of
from .problems import Problem
from .rates import PLANS, Rate, take
from .versions import version_for

LONGEST = 200


def admit(scope: str) -> Rate:
    """Opens the scope that this request works in: of the key's tenant, or of its sandbox. Raises a `Problem`."""
    secret = secret_of_request()
    route = route_of(secret)
    if route is None:
        raise Problem("unauthorized")
    tenant_id, key_id = route
    # Tests of a program take no request away from what is live.
    bucket = sandbox_id(tenant_id) if kind_of(secret) == "test" else tenant_id
    rate = take(bucket, key_id, PLANS.rate_of(tenant_id))
    g.api_rate = rate
    if rate.wait:
        raise Problem("rate_limited")
    enter(tenant_scope(tenant_id))
    found = select(ApiKey, Tenant).join(Tenant, Tenant.id == ApiKey.tenant_id).where(ApiKey.id == key_id)
    key, g.tenant = db.session.execute(found).one_or_none() or (None, None)
    g.business = g.tenant
    check(key, scope)
    if g.api_key.is_test:
        enter_sandbox(tenant_id)
    return rate


def enter_sandbox(tenant_id: uuid.UUID) -> None:
    """A test key works in the sandbox from here on, which is made when it is first needed."""
    leave()
    enter(tenant_scope(sandbox_id(tenant_id)))
    sandbox = db.session.get(Tenant, sandbox_id(tenant_id))
    if sandbox is None:
        leave()
        JOBS["sandboxes.open"](str(tenant_id))
        enter(tenant_scope(sandbox_id(tenant_id)))
        sandbox = db.session.get_one(Tenant, sandbox_id(tenant_id))
    g.tenant = sandbox


def check(key: ApiKey | None, scope: str) -> None:
    if key is None:
        raise Problem("unauthorized")
    if key.state != "active":
        raise Problem(f"key_{key.state}")
    address = request.remote_addr or ""
    if not key.may_come_from(address):
        raise Problem("ip_not_allowed", ip=address)
    g.api_key, g.api_version = key, version_for(key.version)
    if scope and not key.may(scope):
        raise Problem("missing_scope", scope=scope)
    if key.note_use(address):
        commit()


def secret_of_request() -> str:
    """From `Authorization: Bearer …`; empty where there is none."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    return secret if scheme.lower() == "bearer" and len(secret) <= LONGEST else ""


def route_of(secret: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The tenant and the key of this secret, while it works."""
    if not secret:
        return None
    with global_scope():
        route = db.session.get(ApiKeyRoute, hash_of(secret))
    if route is None or (route.ends_at and route.ends_at <= now()):
        return None
    return route.tenant_id, route.api_key_id
