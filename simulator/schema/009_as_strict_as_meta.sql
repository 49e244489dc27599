alter table businesses add column most_numbers integer not null default 20;
-- Scopes whose `target_ids` hold the accounts in a token of this business, as JSON; null means the usual two.
alter table businesses add column id_scopes text;

alter table phone_numbers add column pin_locked_until real;

alter table messages add column group_id text;

alter table templates add column quality text not null default 'UNKNOWN';
alter table templates add column rejected_reason text not null default 'NONE';
alter table templates add column previous_category text;
alter table templates add column correct_category text;
alter table templates add column sub_category text;
alter table templates add column library_template_name text;
alter table templates add column message_send_ttl_seconds integer;
alter table templates add column cta_url_link_tracking_opted_out integer;

-- What product and flow messages refer to. `products` is a JSON list of retailer ids; null means any.
create table catalogs (id text primary key, waba_id text not null, products text, created_at real not null);
create table flows (
  id text primary key, waba_id text not null, name text not null, status text not null default 'PUBLISHED',
  created_at real not null
);

create table calls (
  id text primary key, phone_number_id text not null, customer_id text not null, direction text not null,
  status text not null default 'RINGING', started_at real not null, accepted_at real, ended_at real
);
create index calls_by_pair on calls (phone_number_id, customer_id, started_at);
