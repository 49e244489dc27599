-- Until it is deregistered again, such a number cannot be registered (133000).
alter table phone_numbers add column deregistering integer not null default 0;
