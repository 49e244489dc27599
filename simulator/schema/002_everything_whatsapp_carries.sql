alter table businesses add column messaging_limit integer not null default 250;

alter table phone_numbers add column throughput integer;
alter table phone_numbers add column coexistence integer not null default 0;

alter table customers add column username text;
alter table customers add column hidden_since real;
alter table customers add column marketing_capped integer not null default 0;

alter table messages add column reference text;
alter table messages add column forwarded integer not null default 0;
alter table messages add column referral text;
alter table messages add column origin text not null default 'api';
alter table messages add column category text not null default 'service';
alter table messages add column pricing_type text;
alter table messages add column shown text;
alter table messages add column edited_at real;
alter table messages add column deleted_at real;
alter table messages add column played_at real;
alter table messages add column trouble text;
create index messages_by_seq on messages (seq);
create index messages_about on messages (reference) where reference is not null;
create index messages_by_template on messages (phone_number_id, category, created_at) where type = 'template';

create table media (
  id text primary key, phone_number_id text not null, origin text not null, mime_type text not null, sha256 text not null,
  file_size integer not null, filename text, created_at real not null, expires_at real not null, deleted_at real
);

create table templates (
  id text primary key, waba_id text not null, name text not null, language text not null, category text not null,
  parameter_format text not null default 'POSITIONAL', components text not null, status text not null default 'APPROVED',
  created_at real not null, unique (waba_id, name, language)
);

-- Who asked a business to stop its offers, and whom a business does not want to hear from.
create table stops (phone_number_id text not null, customer_id text not null, at real not null, primary key (phone_number_id, customer_id));
create table blocks (phone_number_id text not null, customer_id text not null, at real not null, primary key (phone_number_id, customer_id));

-- Conversations outside the service window, for the portfolio's limit.
create table opened (business_id text not null, customer_id text not null, at real not null, primary key (business_id, customer_id));
create table entry_points (
  phone_number_id text not null, customer_id text not null, at real not null, free_until real, primary key (phone_number_id, customer_id)
);

create table synchronisations (phone_number_id text not null, sync_type text not null, at real not null, primary key (phone_number_id, sync_type));

create table fetches (id integer primary key, message_id text not null, due_at real not null);

alter table faults add column chance real not null default 1;
alter table faults add column phone_number_id text;
alter table faults add column customer text;

alter table deliveries add column parts integer not null default 1;
alter table deliveries add column message_ids text;
alter table deliveries add column claimed integer not null default 0;
drop index deliveries_waiting;
create index deliveries_waiting on deliveries (due_at) where state = 'waiting' and claimed = 0;
