"""How many people a business portfolio may start conversations with in 24 hours (Cloud API: messaging limits).

Meta counts the people who got a template or a Direct Send outside the customer service window, over all numbers of
the portfolio.
Whoever would exceed the limit waits here, where it can be explained, and is not refused there.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from app.inbox.conversations.windows import CUSTOMER_SERVICE_WINDOW
from app.meta.phone_numbers import UNLIMITED, people_a_day
from app.tenancy import TenantModel, belongs_to, current_tenant_id, database_now, db, uuid7
from app.wabas.models import PhoneNumber
from app.words import N_

LIMIT_REACHED = {
    "kind": "limit",
    "title": N_("Today's limit for starting conversations is used up."),
    "fix": N_(
        "WhatsApp lets this business write first to a fixed number of people in 24 hours. "
        "This goes out by itself as soon as there is room."
    ),
}

LOOK_AGAIN = dt.timedelta(seconds=60)


class ReachedPerson(TenantModel):
    """Somebody who got a template outside the window, and when last."""

    __tablename__ = "reached_people"
    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "portfolio_id", "contact_id"),
        Index("ix_reached_people_lately", "tenant_id", "portfolio_id", "reached_at"),
    )

    portfolio_id: Mapped[str]
    contact_id: Mapped[uuid.UUID]
    reached_at: Mapped[dt.datetime]


class Reach:
    """What is left of a number's portfolio's limit, counted in the transaction that claims messages."""

    def __init__(self, number: PhoneNumber) -> None:
        self.portfolio = number.waba.owner_business_id or number.waba.meta_id
        self.limit = people_a_day(number.messaging_limit)

    def left(self) -> int:
        """How many new people may be written to now."""
        if self.limit == UNLIMITED:
            return UNLIMITED
        ids = {"tenant": current_tenant_id(), "portfolio": self.portfolio, "limit": self.limit} | day()
        return self.limit - int(db.session.execute(REACHED, ids).scalar_one())

    def note(self, contact_ids: Iterable[uuid.UUID]) -> None:
        rows = [{"id": str(uuid7()), "contact": str(contact_id)} for contact_id in set(contact_ids)]
        if rows:
            values = {"tenant": current_tenant_id(), "portfolio": self.portfolio, "rows": json.dumps(rows)}
            db.session.execute(NOTE, values | {"now": database_now()})

    def hold_back(self, number_id: uuid.UUID) -> None:
        """Lets what cannot go today wait with the reason, and looks again in a minute."""
        if self.left() == 0:
            ids = {"tenant": current_tenant_id(), "number": number_id, "portfolio": self.portfolio} | day()
            again = {"again_at": database_now() + LOOK_AGAIN, "error": json.dumps(LIMIT_REACHED)}
            db.session.execute(HOLD_BACK, ids | again)


def day() -> dict[str, dt.datetime]:
    return {"now": database_now(), "day_ago": database_now() - CUSTOMER_SERVICE_WINDOW}


REACHED = text("""
    select count(*) from (
        select from reached_people where tenant_id = :tenant and portfolio_id = :portfolio
          and reached_at > :day_ago limit :limit) lately
""")
NOTE = text("""
    insert into reached_people (tenant_id, id, portfolio_id, contact_id, reached_at)
    select :tenant, id, :portfolio, contact, :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, contact uuid)
    on conflict (tenant_id, portfolio_id, contact_id) do update set reached_at = excluded.reached_at
""")
# Which queued templates of the number go to people outside their window whom the portfolio has not reached today? They
# wait until :again_at. By ix_messages_due, then the unique key of reached_people. A null `next_attempt_at` is due at
# once; a null `last_inbound_at` never wrote.
HOLD_BACK = text("""
    update messages m set next_attempt_at = :again_at, error = cast(:error as jsonb)
    from conversations c
    where m.tenant_id = :tenant and m.phone_number_id = :number and m.state = 'queued'
      and (m.type = 'template' or m.content ->> 'category' is not null)
      and (m.next_attempt_at is null or m.next_attempt_at <= :now)
      and c.tenant_id = :tenant and c.id = m.conversation_id
      and (c.last_inbound_at is null or c.last_inbound_at < :day_ago)
      and not exists (
        select from reached_people r where r.tenant_id = :tenant and r.portfolio_id = :portfolio
          and r.contact_id = c.contact_id and r.reached_at > :day_ago)
""")
