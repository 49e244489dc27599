"""From clicks to conversations, replies and resolved ones: by entry point, object, page and campaign."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text

from app.tenancy import current_tenant_id, db
from app.words import N_

from .subjects import campaign_words

DIMENSIONS = {
    "entry_point": N_("Link or button"),
    "object": N_("Object"),
    "page": N_("Page"),
    "campaign": N_("Campaign (UTM)"),
}
PERIODS = (7, 30, 90)
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one entry point, object, page or campaign, by its `key`."""

    key: str
    title: str
    clicks: int = 0
    conversations: int = 0
    replied: int = 0
    resolved: int = 0

    @property
    def campaign(self) -> str:
        """Of a campaign's key: source / medium / campaign."""
        return campaign_words(json.loads(self.key))

    @property
    def type(self) -> str:
        """Of an object's key."""
        return str(json.loads(self.key)[0])

    @property
    def external_id(self) -> str:
        return str(json.loads(self.key)[1] or "")


def figures(
    by: str, since: dt.datetime, until: dt.datetime, entry_point_id: uuid.UUID | None = None
) -> Iterator[Figures]:
    """Those with most conversations first, at most MOST_ROWS. Raises `KeyError` for an unknown dimension."""
    assert DIMENSIONS[by]
    values = {"by": by, "since": since, "until": until, "one": entry_point_id, "tenant": current_tenant_id()}
    for row in db.session.execute(FIGURES, values | {"most": MOST_ROWS}):
        yield Figures(row.key, row.title or "", row.clicks, row.conversations, row.replied, row.resolved)


def figures_of(entry_point_id: uuid.UUID, since: dt.datetime, until: dt.datetime) -> Figures:
    return next(figures("entry_point", since, until, entry_point_id), Figures(str(entry_point_id), ""))


# How many clicked, wrote, had a reply by a person or an API key, and are resolved now, of what came in between :since
# and :until? Clicks are references, and those beyond the limits, of which only the entry point is known. A null :one is
# all entry points. Indexes ix_entry_references_entry_point, ix_entry_touches_at, ix_messages_thread.
FIGURES = text("""
    with clicked as (
        select key, max(title) as title, sum(count) as clicks from (
            select case :by when 'entry_point' then entry_point_id::text
                    when 'object' then case when subject ->> 'type' not in ('page', 'campaign') then jsonb_build_array(
                        subject ->> 'type', coalesce(subject ->> 'external_id', subject ->> 'title'))::text end
                    when 'page' then subject ->> 'url' when 'campaign' then utm::text end as key,
                subject ->> 'title' as title, 1 as count
            from entry_references
            where tenant_id = :tenant and created_at >= :since and created_at < :until
                and (cast(:one as uuid) is null or entry_point_id = :one)
            union all
            select entry_point_id::text, null, count from entry_clicks
            where :by = 'entry_point' and tenant_id = :tenant and at >= :since and at < :until
                and (cast(:one as uuid) is null or entry_point_id = :one)
        ) c where key is not null group by key
    ), touched as (
        select key, max(title) as title, count(*) as conversations, count(*) filter (where is_replied) as replied,
            count(*) filter (where is_resolved) as resolved
        from (
            select t.key, max(t.title) as title, c.state in ('resolved', 'archived') as is_resolved,
                exists (select from messages m where m.tenant_id = :tenant and m.conversation_id = c.id
                    and m.direction = 'outbound' and m.occurred_at >= min(t.at)
                    and m.author_kind in ('agent', 'phone', 'api')
                    and m.state not in ('failed', 'cancelled', 'expired')) as is_replied
            from (
                select conversation_id, at, subject ->> 'title' as title,
                    case :by when 'entry_point' then entry_point_id::text
                        when 'object' then case when subject ->> 'type' not in ('page', 'campaign') then
                            jsonb_build_array(subject ->> 'type',
                                coalesce(subject ->> 'external_id', subject ->> 'title'))::text end
                        when 'page' then subject ->> 'url' when 'campaign' then utm::text end as key
                from entry_touches
                where tenant_id = :tenant and at >= :since and at < :until
                    and (cast(:one as uuid) is null or entry_point_id = :one)
            ) t
            join conversations c on c.tenant_id = :tenant and c.id = t.conversation_id
            where t.key is not null
            group by t.key, c.id, c.state
        ) o group by key
    )
    select coalesce(t.key, c.key) as key, coalesce(t.title, c.title) as title,
        coalesce(c.clicks, 0)::bigint as clicks, coalesce(t.conversations, 0) as conversations,
        coalesce(t.replied, 0) as replied, coalesce(t.resolved, 0) as resolved
    from touched t full join clicked c on c.key = t.key
    order by 4 desc, 3 desc, 1 limit :most
""")
