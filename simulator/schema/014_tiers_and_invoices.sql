-- What another partner of a client sent: it counts in the client's volume tiers.
create table partner_traffic (
  id integer primary key, business_id text not null, at real not null, market text not null, category text not null,
  volume integer not null
);
-- By how much an invoice of Meta's differs from what was delivered here.
create table invoice_differences (
  waba_id text not null, month text not null, country text not null, category text not null,
  volume integer not null, amount integer not null,
  primary key (waba_id, month, country, category)
);
