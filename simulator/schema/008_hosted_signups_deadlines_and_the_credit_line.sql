alter table signups add column hosted integer not null default 0;

-- Until when the partner has to register it; null once it is registered, and for numbers added by API.
alter table phone_numbers add column signed_up_at real;

alter table uploads add column content blob;

-- What the partner owes and how much it may owe, in millionths of the currency.
create table credit_line (id text primary key, currency text not null, owed integer not null, most integer not null);
