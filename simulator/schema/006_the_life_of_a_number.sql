create table number_extras (
  phone_number_id text primary key, username text, new_display_name text, picture text,
  profile text not null default '{}', automation text not null default '{}',
  verification_code text, code_requests text not null default '[]'
);

create table links (
  id text primary key, phone_number_id text not null, prefilled_message text not null, created_at real not null
);

create table uploads (id text primary key, file_type text not null, file_length integer not null, handle text, created_at real not null);

-- Accounts that another partner pays for, or did until lately.
create table foreign_lines (waba_id text primary key, since real not null);
