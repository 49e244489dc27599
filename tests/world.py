"""The small named world of the tests."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from app.contacts.models import Contact, ContactIdentity
from app.inbox.conversations import Conversation
from app.team.models import PlatformAdmin
from app.tenancy import Role, Tenant, User, db, now, platform_scope, tenant_scope
from app.tenancy.models import PhoneNumberRoute, WabaRoute, admit, create_tenant
from app.wabas.models import PhoneNumber, Waba

NO_PASSWORD = "!"
BAKERY_NUMBER, BAKERY_WABA = "106540352242922", "102290129340398"
SHOES_NUMBER, SHOES_WABA = "206540352242922", "202290129340398"


@dataclass
class World:
    bakery: Tenant
    shoes: Tenant
    ann: User
    ben: User
    sue: User
    pat: PlatformAdmin

    @classmethod
    def create(cls) -> World:
        ann, ben, sue = person("ann"), person("ben"), person("sue")
        bakery, shoes = tenant("bakery", ann), tenant("shoes", sue)
        with tenant_scope(bakery.id):
            admit(ben, Role.AGENT)
        with platform_scope("tests"):
            pat = PlatformAdmin(email="pat@example.com", name="Pat", password_hash=NO_PASSWORD)
            db.session.add(pat)
        return cls(bakery, shoes, ann, ben, sue, pat)

    def connect_numbers(self) -> tuple[PhoneNumber, PhoneNumber]:
        """A connected number for each tenant; Bakery's first."""
        bakery = number(self.bakery, BAKERY_WABA, BAKERY_NUMBER, "+1 555 078 3881")
        return bakery, number(self.shoes, SHOES_WABA, SHOES_NUMBER, "+1 555 078 3882")


def person(name: str) -> User:
    return User(id=uuid.uuid4(), email=f"{name}@example.com", name=name.title(), password_hash=NO_PASSWORD)


def tenant(slug: str, owner: User) -> Tenant:
    made = Tenant(id=uuid.uuid4(), slug=slug, name=slug.title())
    with tenant_scope(made.id):
        create_tenant(made, owner)
    return made


def number(tenant: Tenant, waba_meta_id: str, meta_id: str, display_number: str) -> PhoneNumber:
    with tenant_scope(tenant.id):
        waba = Waba(id=uuid.uuid4(), tenant_id=tenant.id, meta_id=waba_meta_id, name=tenant.name)
        waba.currency = "USD"
        waba.token = f"EAA-{tenant.slug}"
        db.session.add(waba)
        db.session.flush()
        made = PhoneNumber(
            id=uuid.uuid4(), tenant_id=tenant.id, waba_id=waba.id, meta_id=meta_id, display_number=display_number
        )
        made.state, made.connected_at = "connected", now()
        db.session.add_all([made, WabaRoute(meta_id=waba_meta_id, tenant_id=tenant.id)])
        db.session.add(PhoneNumberRoute(meta_id=meta_id, tenant_id=tenant.id, phone_number_id=made.id))
    return made


def conversation(number: PhoneNumber, wa_id: str = "16505551234", name: str = "Carla") -> Conversation:
    """An open conversation: the customer wrote a moment ago."""
    with tenant_scope(number.tenant_id):
        contact = Contact(name=name)
        db.session.add(contact)
        db.session.flush()
        db.session.add(ContactIdentity(contact_id=contact.id, kind="wa_id", value=wa_id))
        made = Conversation(phone_number_id=number.id, contact_id=contact.id, last_inbound_at=now())
        db.session.add(made)
    return made
