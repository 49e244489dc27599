-- How words are compared: lower case, without accents and vowel signs, one spelling of Arabic's alef, yeh and teh.
create or replace function search_fold(words text) returns text
language sql immutable strict parallel safe as $$
    select translate(
        normalize(
            regexp_replace(normalize(lower(words), nfkd), '[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670]', '', 'g'),
            nfkc),
        U&'\0671\0649\0629', U&'\0627\064A\0647')
$$;

-- What a text is found by. Words; of Arabic and Hebrew words also what follows a prefix; of scripts that do not space
-- their words, each pair of letters.
create or replace function search_letters(words text) returns text[]
language sql immutable strict parallel safe as $$
    with words as (
        select distinct run[1] as run
        from regexp_split_to_table(
            left(public.search_fold(words), 8000),
            '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u060c\u061b\u061f\u066a-\u066d\u06d4\u0964\u0965\u2000-\u206f\u2e00-\u2e7f\u3000-\u303f\ufe00-\ufe0f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+'
        ) as word,
        regexp_matches(
            word,
            '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+|[^\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+',
            'g'
        ) as run
        where word <> ''
    )
    select coalesce(array_agg(distinct lexeme), '{}') from (
        select left(run, 40) as lexeme from words where run !~ '^[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]'
        union all
        select left(substr(run, start), 40) from words, generate_series(2, least(5, length(run) - 1)) as start
        where run ~ '^[\u0590-\u08ff]'
        union all
        select substr(run, start, 2) from words, generate_series(1, length(run)) as start
        where run ~ '^[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]'
    ) lexemes
$$;

-- The same, quicker where all letters are plain ones, as in most texts.
create or replace function search_words(words text) returns text[]
language sql immutable strict parallel safe as $$
    select case when octet_length(words) = length(words) then (
        select coalesce(array_agg(distinct left(word, 40)), '{}')
        from regexp_split_to_table(lower(left(words, 8000)), '[^a-z0-9]+') as word where word <> ''
    ) else public.search_letters(words) end
$$;

-- Whose and of which month: every lexeme begins with it, so that a search reads one tenant's, the newest month first.
create or replace function search_place(tenant uuid, at timestamptz) returns text
language sql immutable parallel safe as $$
    select right(tenant::text, 6) || to_hex(coalesce(
        extract(year from at at time zone 'UTC') * 12 + extract(month from at at time zone 'UTC'), 0)::int) || ':'
$$;

create or replace function search_lexemes(tenant uuid, at timestamptz, words text) returns tsvector
language sql immutable parallel safe as $$
    select array_to_tsvector(coalesce(
        (select array_agg(public.search_place(tenant, at) || word) from unnest(public.search_words(words)) as word), '{}'))
$$;

-- What somebody types, as a question to those lexemes: all of the words, the beginnings of words too. Null asks nothing.
create or replace function search_query(tenant uuid, at timestamptz, words text) returns tsquery
language sql immutable parallel safe as $$
    select string_agg('''' || public.search_place(tenant, at) || word || '''' ||
        case when length(word) > 2 or (length(word) = 1 and ascii(word) > 3583) or word ~ '^[\u0590-\u08ff]' then ':*' else '' end,
        ' & ')::tsquery
    from (
        select distinct word from unnest(public.search_words(words)) as word
        -- Of a run of letters without spaces its pairs ask for enough; of an Arabic word the whole does.
        where not (length(word) = 1 and ascii(word) > 3583 and exists (
            select from unnest(public.search_words(words)) as pair where length(pair) = 2 and right(pair, 1) = word))
        and not (word ~ '^[\u0590-\u08ff]' and exists (
            select from unnest(public.search_words(words)) as longer
            where length(longer) > length(word) and right(longer, length(word)) = word))
    ) words
$$;

-- The door to messages and notes. It looks at the current tenant only, month by month from the newest, until there are
-- enough or the time is up; then a last row of the kind `stopped` says how far it came.
create or replace function search_entries(
    words text, of_conversation uuid, of_number uuid, of_author uuid, of_type text,
    since timestamptz, before timestamptz, before_id uuid, enough int, milliseconds int
) returns table (kind text, id uuid, conversation_id uuid, occurred_at timestamptz)
language plpgsql stable security definer set search_path = public, pg_temp as $$
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
                select m.* from messages m where search_lexemes(m.tenant_id, m.occurred_at, m.body) @@ asked and m.body <> ''
            ), noted as materialized (
                select n.* from notes n where search_lexemes(n.tenant_id, n.occurred_at, n.body) @@ asked
            )
            select * from (
                select 'message', m.id, m.conversation_id, m.occurred_at from said m
                where m.tenant_id = mine and (of_number is null or m.phone_number_id = of_number)
                    and (of_author is null or m.author_id = of_author)
                    and (of_type is null or m.type = of_type)
                    and (of_conversation is null or m.conversation_id = of_conversation)
                    and (since is null or m.occurred_at >= since)
                    and (before is null or (m.occurred_at, m.id) < (before, coalesce(before_id, m.id)))
                    and (runs = '{}' or (select bool_and(strpos(search_fold(m.body), run) > 0) from unnest(runs) run))
                union all
                select 'note', n.id, n.conversation_id, n.occurred_at from noted n
                where n.tenant_id = mine and of_number is null
                    and (of_author is null or n.author_id = of_author)
                    and (of_type is null or of_type = 'note')
                    and (of_conversation is null or n.conversation_id = of_conversation)
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
