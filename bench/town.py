"""A made-up tenant with a connected number, for measuring."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import text

from app.tenancy import Tenant, User, db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.world import number, person, tenant

FILL = """
with people as (
    select gen_random_uuid() as contact, gen_random_uuid() as conversation, n from generate_series(1, :count) n
), contacts as (
    insert into contacts (tenant_id, id, name, created_at)
    select :tenant, contact, 'Customer ' || n, now() from people
), identities as (
    insert into contact_identities (tenant_id, id, contact_id, kind, value, created_at)
    select :tenant, gen_random_uuid(), contact, 'wa_id', '49151' || lpad(n::text, 8, '0'), now() from people
)
insert into conversations (tenant_id, id, phone_number_id, contact_id, unread_count, last_message_at,
    last_message_preview, last_message_state, last_inbound_at, created_at)
select :tenant, conversation, :number, contact, (n % 10 = 0)::int, now() - n * interval '10 s',
    'Message ' || n, 'received', now() - n * interval '10 s', now() from people
"""
MESSAGES = """
insert into messages (tenant_id, id, conversation_id, phone_number_id, direction, type, body, state, wamid, occurred_at,
    created_at, fence, attempts)
select c.tenant_id, gen_random_uuid(), c.id, c.phone_number_id, 'inbound', 'text', 'Message ' || k, 'received',
    'wamid.' || c.id || k, c.last_message_at - k * interval '1 min', now(), 0, 0
from conversations c cross join generate_series(1, :each) k where c.tenant_id = :tenant
"""


@dataclass
class Town:
    tenant: Tenant
    owner: User
    number: PhoneNumber
    waba_meta_id: str

    @classmethod
    def named(cls, slug: str) -> Town:
        owner = person(slug)
        made = tenant(slug, owner)
        waba_meta_id, meta_id = (str(uuid.uuid4().int)[:15] for _ in range(2))
        return cls(made, owner, number(made, waba_meta_id, meta_id, "+1 555 078 3881"), waba_meta_id)

    def fill(self, conversations: int, messages_each: int) -> None:
        values = {"tenant": self.tenant.id, "number": self.number.id}
        with tenant_scope(self.tenant.id):
            db.session.execute(text(FILL), values | {"count": conversations})
        with tenant_scope(self.tenant.id):
            db.session.execute(text(MESSAGES), {"tenant": self.tenant.id, "each": messages_each})
