"""Who calls: the key of a request, its tenant's scope, and whether it may come in now."""

from __future__ import annotations

import uuid

from flask import g, request

from app.tenancy import Tenant, commit, db, global_scope, now, tenant_scope
from app.tenancy.guard import enter

from .keys import ApiKey, ApiKeyRoute, hash_of
from .problems import Problem
from .rates import Rate, take
from .versions import version_for

LONGEST = 200


def admit(scope: str) -> Rate:
    """Opens the scope of the key's tenant for this request. Raises a `Problem`."""
    route = route_of(secret_of_request())
    if route is None:
        raise Problem("unauthorized")
    tenant_id, key_id = route
    rate = take(tenant_id, key_id)
    g.api_rate = rate
    if rate.wait:
        raise Problem("rate_limited")
    enter(tenant_scope(tenant_id))
    key = ApiKey.find(key_id)
    check(key, scope)
    g.tenant = db.session.get_one(Tenant, tenant_id)
    return rate


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
