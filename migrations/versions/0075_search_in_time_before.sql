-- How words are compared, exactly as `app/folding.py` does it: lower case, without accents and vowel signs, one spelling of
-- letters that people type for one another.
create or replace function search_fold(words text) returns text
language sql immutable strict parallel safe as $$
    select replace(replace(replace(replace(translate(normalize(regexp_replace(normalize(lower(words), nfkd), '[\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u061c\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u2069\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff]', '', 'g'), nfkc),
            U&'\00F8\0142\0111\00F0\0127\0131\0167\014B\03C2\0671\0649\06CC\06D0\06D2\06A9\06AA\0629\06C1\06BE\06D5\06C0\06C3\2019\2018\02BC\02BB`\00B4\2010\2011\2012\2013\2014\2015\2212\30A1\30A2\30A3\30A4\30A5\30A6\30A7\30A8\30A9\30AA\30AB\30AC\30AD\30AE\30AF\30B0\30B1\30B2\30B3\30B4\30B5\30B6\30B7\30B8\30B9\30BA\30BB\30BC\30BD\30BE\30BF\30C0\30C1\30C2\30C3\30C4\30C5\30C6\30C7\30C8\30C9\30CA\30CB\30CC\30CD\30CE\30CF\30D0\30D1\30D2\30D3\30D4\30D5\30D6\30D7\30D8\30D9\30DA\30DB\30DC\30DD\30DE\30DF\30E0\30E1\30E2\30E3\30E4\30E5\30E6\30E7\30E8\30E9\30EA\30EB\30EC\30ED\30EE\30EF\30F0\30F1\30F2\30F3\30F4\30F5\30F6\0660\0661\0662\0663\0664\0665\0666\0667\0668\0669\06F0\06F1\06F2\06F3\06F4\06F5\06F6\06F7\06F8\06F9\0966\0967\0968\0969\096A\096B\096C\096D\096E\096F\09E6\09E7\09E8\09E9\09EA\09EB\09EC\09ED\09EE\09EF\0A66\0A67\0A68\0A69\0A6A\0A6B\0A6C\0A6D\0A6E\0A6F\0AE6\0AE7\0AE8\0AE9\0AEA\0AEB\0AEC\0AED\0AEE\0AEF\0B66\0B67\0B68\0B69\0B6A\0B6B\0B6C\0B6D\0B6E\0B6F\0BE6\0BE7\0BE8\0BE9\0BEA\0BEB\0BEC\0BED\0BEE\0BEF\0C66\0C67\0C68\0C69\0C6A\0C6B\0C6C\0C6D\0C6E\0C6F\0CE6\0CE7\0CE8\0CE9\0CEA\0CEB\0CEC\0CED\0CEE\0CEF\0D66\0D67\0D68\0D69\0D6A\0D6B\0D6C\0D6D\0D6E\0D6F\0E50\0E51\0E52\0E53\0E54\0E55\0E56\0E57\0E58\0E59\0ED0\0ED1\0ED2\0ED3\0ED4\0ED5\0ED6\0ED7\0ED8\0ED9\0F20\0F21\0F22\0F23\0F24\0F25\0F26\0F27\0F28\0F29\1040\1041\1042\1043\1044\1045\1046\1047\1048\1049\17E0\17E1\17E2\17E3\17E4\17E5\17E6\17E7\17E8\17E9',
            U&'olddhitn\03C3\0627\064A\064A\064A\064A\0643\0643\0647\0647\0647\0647\0647\0647''''''''''''-------\3041\3042\3043\3044\3045\3046\3047\3048\3049\304A\304B\304C\304D\304E\304F\3050\3051\3052\3053\3054\3055\3056\3057\3058\3059\305A\305B\305C\305D\305E\305F\3060\3061\3062\3063\3064\3065\3066\3067\3068\3069\306A\306B\306C\306D\306E\306F\3070\3071\3072\3073\3074\3075\3076\3077\3078\3079\307A\307B\307C\307D\307E\307F\3080\3081\3082\3083\3084\3085\3086\3087\3088\3089\308A\308B\308C\308D\308E\308F\3090\3091\3092\3093\3094\3095\30960123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789'), U&'\00DF', 'ss'), U&'\00E6', 'ae'), U&'\0153', 'oe'), U&'\00FE', 'th')
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
