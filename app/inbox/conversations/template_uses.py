"""What of the inbox's messages concerns a template: how many arrived, and which are scheduled with it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

from sqlalchemy import text

from app.message_templates.sent import Sent, counts_templates
from app.message_templates.uses import Use, uses_templates
from app.tenancy import current_tenant_id, db, now
from app.words import N_

# More than these in a month change no price by much: the newest are counted.
MOST_COUNTED = 50_000
MOST_LISTED = 50
# A key that sent a template within this time is expected to send it again.
RECENT = dt.timedelta(days=30)
MOST_SEARCHED = 10_000


@counts_templates
def arrived_with(template_id: uuid.UUID, since: dt.datetime, until: dt.datetime) -> list[Sent]:
    given = {"tenant": current_tenant_id(), "template": template_id, "since": since, "until": until}
    rows = db.session.execute(ARRIVED, given | {"most": MOST_COUNTED})
    return [Sent(row.number, row.delivered, row.charged) for row in rows]


# How many messages with a template arrived, by the first seven digits of their recipients' numbers, and how many of
# them are charged. By ix_messages_template (tenant_id, template_id, occurred_at); usages by (tenant_id,
# phone_number_id, wamid).
ARRIVED = text("""
    with sent as (
        select m.conversation_id, m.phone_number_id, m.wamid from messages m
        where m.tenant_id = :tenant and m.template_id = :template
          and m.occurred_at >= :since and m.occurred_at < :until and m.state in ('delivered', 'read', 'played')
        order by m.occurred_at desc limit :most
    )
    select coalesce(left(i.value, 7), '') as number, count(*) as delivered, count(u.id) as charged
    from sent s
    join conversations c on c.tenant_id = :tenant and c.id = s.conversation_id
    left join (
        select tenant_id, contact_id, min(value) as value from contact_identities
        where tenant_id = :tenant and kind = 'wa_id'
          and contact_id in (select k.contact_id from conversations k
                             where k.tenant_id = :tenant and k.id in (select conversation_id from sent))
        group by 1, 2
    ) i on i.tenant_id = :tenant and i.contact_id = c.contact_id
    left join usages u on u.tenant_id = :tenant and u.phone_number_id = s.phone_number_id and u.wamid = s.wamid
    group by 1
""")


@uses_templates
def scheduled_messages(name: str, language: str) -> Iterator[Use]:
    """Messages that wait for their time, and are this template or fall back to it."""
    given = {"tenant": current_tenant_id(), "name": name, "language": language, "most": MOST_LISTED}
    for row in db.session.execute(SCHEDULED, given):
        ids = {"conversation_id": row.conversation_id, "at": row.id}
        yield Use(N_("Scheduled message"), row.contact, "inbox.show", ids, fits_present=True)


# Scheduled messages with a template, the next first. By ix_messages_scheduled, which holds those that wait only.
SCHEDULED = text("""
    select m.id, m.conversation_id, t.name as contact from messages m
    join conversations c on c.tenant_id = m.tenant_id and c.id = m.conversation_id
    join contacts t on t.tenant_id = c.tenant_id and t.id = c.contact_id
    where m.tenant_id = :tenant and m.state = 'scheduled'
      and ((m.instead #>> '{content,raw,name}' = :name and m.instead #>> '{content,raw,language,code}' = :language)
        or (m.type = 'template' and m.content #>> '{raw,name}' = :name
          and m.content #>> '{raw,language,code}' = :language))
    order by m.send_at, m.id limit :most
""")


@uses_templates
def api_keys(name: str, language: str) -> Iterator[Use]:
    """API keys that sent it in the last 30 days, each with its last call."""
    given = {"tenant": current_tenant_id(), "name": name, "language": language, "since": now() - RECENT}
    for row in db.session.execute(BY_KEYS, given | {"searched": MOST_SEARCHED, "most": MOST_LISTED}):
        yield Use(N_("API key"), row.name, at=row.at, fits_present=True)


# Which keys that still work sent a template, and when last; among the newest messages with it in each account. By
# ix_messages_template (tenant_id, template_id, occurred_at).
BY_KEYS = text("""
    select k.name, max(m.occurred_at) as at
    from message_templates t
    cross join lateral (
        select author_kind, author_id, occurred_at from messages
        where tenant_id = :tenant and template_id = t.id and template_id is not null and occurred_at >= :since
        order by occurred_at desc limit :searched
    ) m
    join api_keys k on k.tenant_id = :tenant and k.id = m.author_id
    where t.tenant_id = :tenant and t.name = :name and t.language = :language and m.author_kind = 'api'
      and k.revoked_at is null
    group by k.id, k.name order by at desc limit :most
""")
