"""What a program asks first: which key it holds, and what the API is."""

from __future__ import annotations

import uuid

from flask import g
from pydantic import Field

from .declaring import Shape, Time, endpoint
from .keys import current_key


class TenantShape(Shape):
    id: uuid.UUID
    slug: str = Field(examples=["bakery"])
    name: str = Field(examples=["Bakery"])


class KeyShape(Shape):
    """The key that asks."""

    id: uuid.UUID
    name: str = Field(examples=["Web shop"])
    kind: str = Field(examples=["test"])
    scopes: list[str] = Field(examples=[["messages:read", "messages:write"]])
    version: str = Field(examples=["2026-11-29"])
    expires_at: Time | None
    tenant: TenantShape


@endpoint("GET", "/me", scope="", gives=KeyShape, tag="Keys")
def get_me() -> KeyShape:
    """Get the key that you are using.

    A good first call: it says whether the key works, whose it is, and what it may do. The `kind` of one that only
    pretends is `test`.
    """
    key = current_key()
    tenant = TenantShape(id=g.business.id, slug=g.business.slug, name=g.business.name)
    more = {"scopes": key.scopes, "version": g.api_version, "expires_at": key.expires_at}
    return KeyShape(id=key.id, name=key.name, kind=key.kind, tenant=tenant, **more)
