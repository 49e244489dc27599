"""What a program asks first: which key it holds, and what the API is."""

from __future__ import annotations

import uuid

from flask import g

from .declaring import Shape, Time, endpoint
from .keys import current_key


class TenantShape(Shape):
    id: uuid.UUID
    slug: str
    name: str


class KeyShape(Shape):
    """The key that asks."""

    id: uuid.UUID
    name: str
    kind: str
    scopes: list[str]
    version: str
    expires_at: Time | None
    tenant: TenantShape


@endpoint("GET", "/me", scope="", gives=KeyShape, tag="Keys")
def get_me() -> KeyShape:
    """Get the key that you are using.

    A good first call: it says whether the key works, whose it is, and what it may do.
    """
    key = current_key()
    tenant = TenantShape(id=g.tenant.id, slug=g.tenant.slug, name=g.tenant.name)
    more = {"scopes": key.scopes, "version": g.api_version, "expires_at": key.expires_at}
    return KeyShape(id=key.id, name=key.name, kind=key.kind, tenant=tenant, **more)
