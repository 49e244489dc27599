-- The door to messages and notes. It looks at the current tenant only, month by month from the newest, until there are
-- enough or the time is up; then a last row of the kind `stopped` says how far it came. Each part names the tenant: in a
-- cluster one machine answers instead of all.
create or replace function search_entries(
    words text, of_conversation uuid, of_number uuid, of_author uuid, of_tag uuid, of_type text,
    since timestamptz, before timestamptz, before_id uuid, enough int, milliseconds int,
    of_senders text[], of_entry_point uuid
) returns table (kind text, id uuid, conversation_id uuid, occurred_at timestamptz)
language plpgsql stable security definer set search_path = public, pg_temp
-- How many rows begin with some letters is guessed far too high, and helpers take longer to start than this to run.
set max_parallel_workers_per_gather = 0 as $$
declare
    mine constant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
    stops_at constant timestamptz := clock_timestamp() + make_interval(secs => milliseconds / 1000.0);
    month timestamptz := date_trunc('month', coalesce(before, now() + interval '1 day') at time zone 'UTC') at time zone 'UTC';
    first_month timestamptz;
    asked tsquery;
    -- What only whole runs of letters decide, where pairs were asked for.
    runs constant text[] := array(select r[1] from regexp_matches(search_fold(words),
        '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]{3,}', 'g') r);
    found int := 0;
    more int;
begin
    if mine is null or search_query(mine, now(), words) is null then
        return;
    end if;
    select date_trunc('month', greatest(coalesce(since, t.created_at - interval '13 months'), t.created_at - interval '10 years')
        at time zone 'UTC') at time zone 'UTC' into first_month from tenants t where t.id = mine;
    while found < enough and month >= first_month loop
        if clock_timestamp() > stops_at then
            return query select 'stopped', null::uuid, null::uuid, month + interval '1 month';
            return;
        end if;
        asked := search_query(mine, month, words);
        return query
            with said as materialized (
                select m.* from messages m
                where m.tenant_id = mine and search_lexemes(m.tenant_id, m.occurred_at, m.body) @@ asked and m.body <> ''
            ), noted as materialized (
                select n.* from notes n
                where n.tenant_id = mine and search_lexemes(n.tenant_id, n.occurred_at, n.body) @@ asked
            )
            select * from (
                select 'message', m.id, m.conversation_id, m.occurred_at from said m
                where (of_number is null or m.phone_number_id = of_number)
                    and (of_author is null or m.author_id = of_author)
                    and (of_type is null or m.type = of_type)
                    -- Rows without a kind are from before it was stored.
                    and (of_senders is null or coalesce(m.author_kind, case when m.direction = 'inbound' then 'customer'
                        when m.author_id is not null then 'agent' when m.client_id is not null then 'system'
                        else 'phone' end) = any(of_senders))
                    and (of_conversation is null or m.conversation_id = of_conversation)
                    and (of_tag is null or coalesce((
                        select true from conversations c join contact_tags t
                            on t.tenant_id = mine and t.contact_id = c.contact_id
                        where c.tenant_id = mine and c.id = m.conversation_id and t.tag_id = of_tag limit 1), false))
                    and (of_entry_point is null or coalesce((
                        select c.entry_point_id = of_entry_point from conversations c
                        where c.tenant_id = mine and c.id = m.conversation_id), false))
                    and (since is null or m.occurred_at >= since)
                    and (before is null or (m.occurred_at, m.id) < (before, coalesce(before_id, m.id)))
                    and (runs = '{}' or (select bool_and(strpos(search_fold(m.body), run) > 0) from unnest(runs) run))
                union all
                select 'note', n.id, n.conversation_id, n.occurred_at from noted n
                where of_number is null
                    and (of_author is null or n.author_id = of_author)
                    and (of_type is null or of_type = 'note')
                    and (of_senders is null or coalesce(n.author_kind, 'agent') = any(of_senders))
                    and (of_conversation is null or n.conversation_id = of_conversation)
                    and (of_tag is null or coalesce((
                        select true from conversations c join contact_tags t
                            on t.tenant_id = mine and t.contact_id = c.contact_id
                        where c.tenant_id = mine and c.id = n.conversation_id and t.tag_id = of_tag limit 1), false))
                    and (of_entry_point is null or coalesce((
                        select c.entry_point_id = of_entry_point from conversations c
                        where c.tenant_id = mine and c.id = n.conversation_id), false))
                    and (since is null or n.occurred_at >= since)
                    and (before is null or (n.occurred_at, n.id) < (before, coalesce(before_id, n.id)))
                    and (runs = '{}' or (select bool_and(strpos(search_fold(n.body), run) > 0) from unnest(runs) run))
            ) entries (kind, id, conversation_id, occurred_at)
            order by entries.occurred_at desc, entries.id desc limit enough - found;
        get diagnostics more = row_count;
        found := found + more;
        month := (month at time zone 'UTC' - interval '1 month') at time zone 'UTC';
    end loop;
end
$$;
