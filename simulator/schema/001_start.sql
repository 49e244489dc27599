create table businesses (
  id text primary key, name text not null, country text not null, persona text, created_at real not null
);

create table wabas (
  id text primary key, business_id text not null, name text not null, country text not null,
  currency text not null default 'USD', timezone_id text not null default '1', namespace text not null,
  status text not null default 'ACTIVE', account_review_status text not null default 'APPROVED',
  allocation_id text, shared_at real, created_at real not null
);

create table phone_numbers (
  id text primary key, waba_id text not null, digits text not null unique, country text not null,
  verified_name text not null, status text not null default 'PENDING',
  code_verification_status text not null default 'NOT_VERIFIED', quality_rating text not null default 'UNKNOWN',
  platform_type text not null default 'NOT_APPLICABLE', name_status text not null default 'AVAILABLE_WITHOUT_REVIEW',
  pin text, pin_failures integer not null default 0, last_onboarded_at real,
  override_callback_uri text, created_at real not null
);
create index phone_numbers_by_waba on phone_numbers (waba_id);

create table registration_attempts (phone_number_id text not null, at real not null);
create index registration_attempts_by_number on registration_attempts (phone_number_id, at);

create table tokens (
  id text primary key, kind text not null, user_id text not null, business_id text, waba_ids text not null default '[]',
  issued_at real not null, expires_at real, revoked_at real
);

create table codes (
  id text primary key, business_id text not null, redirect_uri text not null default '',
  handed_over_at real, used_at real
);

create table subscriptions (waba_id text primary key, override_callback_uri text, created_at real not null);
create table app_subscriptions (id text primary key, callback_url text not null, fields text not null);
create table assigned_users (waba_id text not null, user_id text not null, tasks text not null, primary key (waba_id, user_id));

create table allocations (
  id text primary key, business_id text not null, receiving_credential_id text not null,
  request_status text not null default 'APPROVED', created_at real not null
);

create table customers (
  id text primary key, name text not null, wa_id text not null unique, country text not null,
  phone_on integer not null default 1, read_receipts integer not null default 1, created_at real not null
);

-- The same person has another id for every business portfolio.
create table identities (
  id text primary key, customer_id text not null, business_id text not null, unique (customer_id, business_id)
);

create table messages (
  id text primary key, seq integer not null, phone_number_id text not null, customer_id text not null,
  direction text not null, type text not null, content text not null, context_id text,
  recipient_input text, by_user_id integer not null default 0, biz_opaque_callback_data text,
  status text not null, priced integer not null default 0,
  created_at real not null, sent_at real, delivered_at real, read_at real, error_code integer
);
create index messages_by_chat on messages (customer_id, phone_number_id, seq);
create index messages_inbound on messages (phone_number_id, customer_id, direction, created_at);

-- What POST /messages promised. Rows are only ever added.
create table accepted (
  seq integer primary key autoincrement, wamid text not null, phone_number_id text not null, "to" text, recipient text,
  wa_id text, type text not null, body text not null, biz_opaque_callback_data text, accepted_at real not null
);
create trigger accepted_is_never_changed before update on accepted begin select raise(abort, 'append-only'); end;
create trigger accepted_is_never_deleted before delete on accepted begin select raise(abort, 'append-only'); end;

create table steps (id integer primary key, message_id text not null, status text not null, error_code integer, due_at real not null);
create index steps_by_time on steps (due_at);

create table typing (phone_number_id text not null, customer_id text not null, until real not null, primary key (phone_number_id, customer_id));

create table free_messages (
  phone_number_id text not null, month text not null, used integer not null, primary key (phone_number_id, month)
);

create table deliveries (
  id integer primary key, url text not null, field text not null, about text not null, body blob not null,
  message_id text, state text not null default 'waiting', attempts integer not null default 0,
  answer integer, trouble text, created_at real not null, due_at real not null, settled_at real
);
create index deliveries_waiting on deliveries (due_at) where state = 'waiting';

create table knobs (id text primary key, value real not null);

create table faults (
  id integer primary key, edge text not null, kind text not null, code integer, subcode integer, http integer,
  details text not null, seconds real not null, remaining integer not null
);

create table signups (
  id text primary key, persona text, step text not null, origin text not null, channel text not null, extras text not null,
  business_id text, waba_id text, phone_number_id text, verification_code text, code_id text, created_at real not null
);
