"""Who owns what at Meta: an account or a number has one owner among the tenants."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped

from app.tenancy import TenantModel, current_tenant_id, db
from app.tenancy.models import PhoneNumberRoute, WabaRoute

Route = TypeVar("Route", WabaRoute, PhoneNumberRoute)


class OwnedElsewhere(Exception):
    """Another tenant has connected this WABA or number."""


class AtMeta(TenantModel):
    """What Meta knows by an id of its own, `meta_id`."""

    __abstract__ = True
    meta_id: Mapped[str]

    @classmethod
    def with_meta_id(cls, meta_id: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.meta_id == meta_id))


def take_route(kind: type[Route], meta_id: str, **more: Any) -> Route:
    """Makes the tenant the owner, unless another one is. Who tries at the same time waits at the key."""
    tenant_id = current_tenant_id()
    if (route := db.session.get(kind, meta_id)) is None:
        try:
            with db.session.begin_nested():
                route = kind(meta_id=meta_id, tenant_id=tenant_id, **more)
                db.session.add(route)
        except IntegrityError:
            route = db.session.get_one(kind, meta_id)
    if route.tenant_id != tenant_id:
        raise OwnedElsewhere(meta_id)
    return route
