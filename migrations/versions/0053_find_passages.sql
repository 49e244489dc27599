-- The passages that words are about, of the current tenant only. A word counts the more the fewer passages have it
-- (BM25's weight); one that four hundred have says next to nothing. What counts is the share of the words' whole weight that a
-- passage has. Words that none has count half, and together no more than the others: people say more than they ask.
-- Index: ix_knowledge_passages_terms, once for each word.
create or replace function find_passages(asked text[], at timestamptz, most int)
returns table (id uuid, source_id uuid, heading text, body text, score double precision)
language plpgsql stable security definer set search_path = public, pg_temp
-- Terms begin with the tenant's mark, so an index finds what no statistics know.
set enable_seqscan = off set max_parallel_workers_per_gather = 0
-- Of a word that very many have, some hundred passages are enough to see that it says nothing.
set gin_fuzzy_search_limit = 400 as $$
declare
    mine constant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
    capped constant int := 400;
    enough int;
begin
    if mine is null then
        return;
    end if;
    select count(*) into enough from (
        select from knowledge_passages p where p.tenant_id = mine and p.is_live limit capped
    ) live;
    return query
    with words as materialized (
        select distinct word from unnest(asked) as word limit 16
    ), hits as materialized (
        select words.word, found.id from words cross join lateral (
            select p.id from knowledge_passages p
            -- `is true` keeps the planner from reading all of the tenant's passages beside the word's.
            where p.terms @> array[right(mine::text, 6) || ':' || words.word] and (p.tenant_id = mine) is true
                and p.is_live
                and (p.valid_from is null or p.valid_from <= at) and (p.valid_until is null or p.valid_until > at)
            limit capped
        ) found
    ), weighed as materialized (
        select words.word, count(hits.id) as many,
            ln(1 + (enough - count(hits.id) + 0.5) / (count(hits.id) + 0.5)) as weight
        from words left join hits using (word) group by words.word
    ), scored as (
        select hits.id, sum(weighed.weight) / (
            select sum(w.weight) filter (where w.many > 0) + least(
                coalesce(sum(w.weight / 2) filter (where w.many = 0), 0), sum(w.weight) filter (where w.many > 0))
            from weighed w
        ) as score
        from hits join weighed using (word) group by hits.id
        order by 2 desc, 1 limit most
    )
    select p.id, p.source_id, p.heading, p.body, scored.score::double precision
    from scored join knowledge_passages p on p.tenant_id = mine and p.id = scored.id;
end
$$;
