"""Which new listings match which saved searches: set-wise, in one statement for many contacts.

A listing and a search share a key (kind, type, place; an empty part means any), which an index answers; price,
rooms, area and words are compared for those pairs only. What matches becomes one `ListingAlert` for each contact and
day. The unique key of alerts decides between two that match at once.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import text

from app.hours.models import ServicePolicy
from app.tenancy import commit, current_tenant_id, db

from .alerts import MOST_LISTED
from .models import newest_moment
from .settings import ListingSettings

# How many contacts one transaction matches.
AT_ONCE = 20_000
# What became news longer ago is no news, also for a search that nothing has matched.
FRESH = dt.timedelta(days=7)
# By the clock of the business: “at once” is not at night.
EARLIEST, LATEST = 8, 20
# After WhatsApp has held back a message of advertising, the person gets no other for so long.
CAPPED = dt.timedelta(days=2)
DAY = dt.timedelta(days=1)


def match(settings: ListingSettings, at: dt.datetime) -> int:
    """Matches what is due at this hour of the business's clock. Commits; returns how many alerts came of it."""
    local = at.astimezone(ServicePolicy.current().hours.zone)
    is_daytime, is_hour = EARLIEST <= local.hour < LATEST, settings.alert_hour <= local.hour < LATEST
    if not is_daytime:
        return 0
    upto = newest_moment()
    commit()
    made, after = 0, uuid.UUID(int=0)
    values = {"tenant": current_tenant_id(), "upto": upto, "oldest": upto - FRESH, "daily": is_hour}
    values |= {"day": f"{local:%Y-%m-%d}", "capped_since": upto - CAPPED, "most": MOST_LISTED, "long_ago": upto - DAY}
    while last := db.session.scalar(NEXT, values | {"after": after, "at_once": AT_ONCE}):
        made += len(db.session.scalars(MATCH, values | {"after": after, "last": last}).all())
        commit()
        after = last
    return made


# The last of the next contacts with an active search. Index: ix_saved_searches_contact.
NEXT = text("""
    select c.contact_id from (
        select distinct s.contact_id from saved_searches s
        where s.tenant_id = :tenant and s.state = 'active' and s.contact_id > :after
        order by s.contact_id limit :at_once) c
    order by c.contact_id desc limit 1
""")
# One alert for each contact of whom a search matches something new, with the newest listings and how many there are.
# Not for who had one today, whom WhatsApp just spared, or who has not agreed to marketing. Moves the searches on, and
# once a day those that nothing matched: what is older than the least of them is not compared at all.
# Indexes: ix_listings_news, ix_saved_search_keys_key, uq_listing_alerts, ix_consents_contact. `daily`: whether the hour
# of the daily ones has come.
MATCH = text("""
    with due as materialized (
        select s.id, s.contact_id, s.kind, s.price_from, s.price_to, s.currency, s.rooms_from, s.rooms_to,
            s.area_from, s.area_to, s.words, s.wants_drops, s.seen_until
        from saved_searches s
        where s.tenant_id = :tenant and s.state = 'active' and s.contact_id > :after and s.contact_id <= :last
          and (s.frequency = 'at_once' or :daily)
          and not exists (
            select from listing_alerts a where a.tenant_id = :tenant and a.contact_id = s.contact_id
              and (a.day = :day or (a.state = 'capped' and a.created_at > :capped_since)))
    ), fresh as materialized (
        select l.id, k.key, l.price_micros, l.currency, l.rooms, l.area, l.words, l.news_at,
            l.dropped_at is not distinct from l.news_at as is_drop
        from listings l cross join lateral jsonb_array_elements_text(l.keys) as k(key)
        where l.tenant_id = :tenant and l.status = 'available' and l.news_at <= :upto
          and l.news_at > greatest(:oldest, (select min(d.seen_until) from due d))
    ), pairs as (
        select distinct d.contact_id, d.id as search_id, f.id as listing_id, f.news_at
        from fresh f
        join saved_search_keys k on k.tenant_id = :tenant and k.key = f.key
        join due d on d.id = k.search_id
        where f.news_at > d.seen_until and (d.wants_drops or not f.is_drop)
          and (d.price_from is null or f.price_micros >= d.price_from)
          and (d.price_to is null or f.price_micros <= d.price_to)
          and (coalesce(d.price_from, d.price_to) is null or f.currency = d.currency)
          and (d.rooms_from is null or f.rooms >= d.rooms_from) and (d.rooms_to is null or f.rooms <= d.rooms_to)
          and (d.area_from is null or f.area >= d.area_from) and (d.area_to is null or f.area <= d.area_to)
          and not exists (
            select from jsonb_array_elements_text(d.words) as w(word) where position(w.word in f.words) = 0)
    ), listed as (
        select p.contact_id, p.listing_id, max(p.news_at) as news_at from pairs p group by 1, 2
    ), digests as (
        select l.contact_id, count(*) as listing_count,
            to_jsonb((array_agg(l.listing_id order by l.news_at desc, l.listing_id desc))[1:cast(:most as int)]) as ids
        from listed l group by 1
    ), searched as (
        select p.contact_id, jsonb_agg(distinct p.search_id) as ids from pairs p group by 1
    ), made as (
        insert into listing_alerts (tenant_id, id, contact_id, day, search_ids, listing_ids, listing_count, state,
            created_at)
        select :tenant, gen_random_uuid(), d.contact_id, :day, s.ids, d.ids, d.listing_count, 'due', :upto
        from digests d join searched s on s.contact_id = d.contact_id
        where coalesce((
            select c.is_granted from consents c
            where c.tenant_id = :tenant and c.contact_id = d.contact_id and c.purpose = 'marketing'
            order by c.occurred_at desc, c.id desc limit 1), false)
        on conflict (tenant_id, contact_id, day) do nothing
        returning contact_id, search_ids
    ), moved as (
        update saved_searches s set seen_until = :upto
        from due d
        where s.tenant_id = :tenant and s.id = d.id and d.seen_until < :long_ago
          and not exists (select from pairs p where p.search_id = d.id)
    )
    update saved_searches s set seen_until = :upto
    from made m cross join lateral jsonb_array_elements_text(m.search_ids) as i(id)
    where s.tenant_id = :tenant and s.id = cast(i.id as uuid)
    returning s.contact_id
""")
