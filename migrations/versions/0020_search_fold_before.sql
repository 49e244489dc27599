-- How words are compared: lower case, without accents and vowel signs, one spelling of Arabic's alef, yeh and teh.
create or replace function search_fold(words text) returns text
language sql immutable strict parallel safe as $$
    select translate(
        normalize(
            regexp_replace(normalize(lower(words), nfkd), '[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670]', '', 'g'),
            nfkc),
        U&'\0671\0649\0629', U&'\0627\064A\0647')
$$;
