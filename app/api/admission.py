"""Who calls: the key of a request, its tenant's scope, and whether it may come in now."""

from __future__ import annotations

import uuid

from flask import g, request
from sqlalchemy import bindparam, or_, select

from app.tenancy import Tenant, commit, db, global_scope, now, sandbox_id, tenant_scope
from app.tenancy.guard import enter, leave
from app.tenancy.queue import JOBS
from app.tenancy.warming import warmer

from .keys import ApiKey, ApiKeyRoute, hash_of, kind_of
from .problems import MissingScope, Problem
from .rates import PLANS, take
from .versions import version_for

LONGEST = 200
MOST_ROUTES = 10_000


class Routes:
    """Which tenant's key a secret is, by its hash: that never changes. Whether it still works, each request reads."""

    def __init__(self) -> None:
        self.ids: dict[str, tuple[uuid.UUID, uuid.UUID]] = {}

    def find(self, secret_hash: str) -> tuple[uuid.UUID, uuid.UUID] | None:
        """The ids of the tenant and of the key."""
        ids = self.ids.get(secret_hash)
        if ids is None:
            with global_scope():
                route = db.session.get(ApiKeyRoute, secret_hash)
            if route is None:
                return None
            if len(self.ids) >= MOST_ROUTES:
                self.ids.clear()
            ids = self.ids[secret_hash] = route.tenant_id, route.api_key_id
        return ids


ROUTES = Routes()


def admit(scope: str, audience: str = "api") -> None:
    """Opens the scope that this request works in: of the key's tenant, or of its sandbox. Raises a `Problem`.

    `audience` is which of our addresses was called: a token of an app is for one of them (RFC 8707).
    """
    secret = secret_of_request()
    route = ROUTES.find(hash_of(secret)) if secret else None
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
    key, g.tenant = find_key(key_id, hash_of(secret))
    g.business = g.tenant
    check(key, scope, audience)
    if g.api_key.is_test:
        enter_sandbox(tenant_id)


def find_key(id: uuid.UUID, secret_hash: str) -> tuple[ApiKey, Tenant] | tuple[None, None]:
    """The key with its tenant, while this secret of it works."""
    values = {"id": id, "secret_hash": secret_hash, "now": now()}
    return db.session.execute(KEY, values).one_or_none() or (None, None)


@warmer
def find_no_key() -> None:
    find_key(uuid.UUID(int=0), "")


# Made once: every request runs it.
KEY = (
    select(ApiKey, Tenant)
    .join(Tenant, Tenant.id == ApiKey.tenant_id)
    .join(ApiKeyRoute, (ApiKeyRoute.api_key_id == ApiKey.id) & (ApiKeyRoute.tenant_id == ApiKey.tenant_id))
    .where(ApiKey.id == bindparam("id"), ApiKeyRoute.secret_hash == bindparam("secret_hash"))
    .where(or_(ApiKeyRoute.ends_at.is_(None), ApiKeyRoute.ends_at > bindparam("now")))
    .execution_options(made_once=True)
)


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


def check(key: ApiKey | None, scope: str, audience: str) -> None:
    if key is None or key.audience not in (None, audience):
        raise Problem("unauthorized")
    if key.state != "active":
        raise Problem(f"key_{key.state}")
    # A key that was being made while the business was closed is not revoked with the others.
    if not key.has_its_member or g.tenant.closed_at:
        raise Problem("key_revoked")
    address = request.remote_addr or ""
    if not key.may_come_from(address):
        raise Problem("ip_not_allowed", ip=address)
    g.api_key, g.api_version = key, version_for(key.version)
    if scope and not key.may(scope):
        raise MissingScope(scope)
    if key.note_use(address):
        commit()


def admit_still() -> None:
    """A file may take minutes to arrive: whether its key has ended meanwhile. Raises a `Problem`."""
    with tenant_scope(g.business.id):
        key, _tenant = find_key(g.api_key.id, hash_of(secret_of_request()))
        if key is None or key.state != "active" or not key.has_its_member:
            raise Problem("key_revoked")


def secret_of_request() -> str:
    """From `Authorization: Bearer …`; empty where there is none."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    return secret if scheme.lower() == "bearer" and len(secret) <= LONGEST else ""
