"""Contacts of Bakery, for tests."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select

from app.contacts import search
from app.contacts.models import Contact, ContactIdentity
from app.tenancy import db, tenant_scope
from tests.posts import change
from tests.world import BAKERY_NUMBER, World


def contact(world: World, name: str = "Carla Mendes", **identities: str) -> Contact:
    with tenant_scope(world.bakery.id):
        made = Contact(id=uuid.uuid4(), name=name)
        db.session.add(made)
        db.session.flush()
        for kind, value in identities.items():
            db.session.add(ContactIdentity(contact_id=made.id, kind=kind, value=value))
        search.index([made.id])
    return made


def contacts(world: World) -> list[Contact]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(Contact).where(Contact.merged_into_id.is_(None)).order_by(Contact.id)))


def from_hidden(
    body: str = "Hello", *, bsuid: str = "US.777", name: str = "Carla Mendes", at: float = 1_790_000_200, **more: Any
) -> dict[str, Any]:
    """A message from somebody whose number WhatsApp keeps to itself."""
    profile = {"name": name} | ({"username": more.pop("username")} if "username" in more else {})
    content = more.pop("content", {"type": "text", "text": {"body": body}})
    item = {"from_user_id": bsuid, "id": f"wamid.{uuid.uuid4()}", "timestamp": str(int(at))} | content
    return change(
        BAKERY_NUMBER, contacts=[{"profile": profile, "user_id": bsuid} | more], messages=[item | more.pop("item", {})]
    )
